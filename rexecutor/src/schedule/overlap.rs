//! What becomes of a tick while the job of an earlier one is not finished.

use serde::{Deserialize, Serialize};

/// What becomes of a tick while a job of an earlier tick of the same schedule is not finished: it waits, runs, or is to be
/// tried again.
///
/// It is decided in the step that stores the tick, so it holds for the whole cluster. What the tick has enqueued by then counts;
/// jobs that a program enqueues by itself do not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Overlap {
    /// Its job is enqueued all the same.
    #[default]
    Allow,
    /// The tick is dropped.
    Skip,
    /// The tick waits, and its job is enqueued within about a second of the end of the last one. At most 1,000 ticks wait; those
    /// after them are dropped.
    Queue,
    /// The unfinished job is cancelled, and the job of the newest tick is enqueued within about a second of its end.
    Replace,
}
