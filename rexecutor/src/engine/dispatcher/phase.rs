//! How far a node has shut down.

/// How far the node has shut down.
#[derive(PartialEq, Eq, Clone, Copy)]
pub(super) enum Phase {
    /// It has not begun to.
    Open,
    /// Running jobs may end by themselves.
    Draining,
    /// They were told to stop, and are dropped if they do not.
    Stopping,
    /// What still runs blocks its thread, and cannot be dropped. It is waited for.
    Blocked,
    /// Nothing runs. What is left to store is stored.
    Leaving,
    /// All is settled, or the backend is away for too long.
    Over,
}
