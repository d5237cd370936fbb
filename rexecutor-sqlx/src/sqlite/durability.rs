//! What is still there after a crash.

/// What is still there after a crash.
///
/// The file is in WAL mode, so a commit is in the operating system's hands before its call returns: whatever process
/// dies, by `kill -9` or otherwise, nothing that was committed is lost. The levels differ in what a loss of power, or
/// a crash of the operating system, can take. The file itself stays sound at every level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Durability {
    /// No commit waits for the disk (`synchronous = NORMAL`). A loss of power may take the last jobs that were enqueued.
    Process,
    /// What is enqueued, and what is changed by hand, waits for the disk (`synchronous = FULL`), and outlives a loss of
    /// power. Claims and outcomes do not wait: if power takes the outcome of a job, the job runs again. This is the
    /// default.
    #[default]
    Enqueued,
    /// Every commit waits for the disk. A job whose outcome was stored does not run again after a loss of power.
    Everything,
}
