//! How far a node has shut down.

/// How far the node has shut down.
#[derive(PartialEq, Eq, Clone, Copy)]
pub(super) enum Phase {
    /// It has not begun to.
    Open,
    /// Running jobs may end by themselves.
    Draining,
    /// They were dropped; what still runs blocks its thread.
    Aborting,
    /// That was given back too. Only the settlement queue is waited for.
    Leaving,
    /// All is settled, or the backend is away for too long.
    Over,
}
