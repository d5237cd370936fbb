//! How jobs went, over time.

use std::time::Duration;

use futures::future::BoxFuture;

use super::capabilities::Backend;
use crate::model::{BackendError, ExecutorName, HistoryStep, Recorded, Result, Tally};

/// Keeps how jobs went: how many runs of each executor ended how, how long they ran and had waited, in steps of time.
///
/// # Contract
///
/// - What is added is counted in the minute that was so long ago by the backend's clock. It outlives nodes and processes. Two concurrent
///   calls both count.
/// - The tallies of a call that are of one executor and one end differ in their ages by a minute at least.
/// - A call whose answer is lost may have counted: whoever repeats it counts twice.
/// - `roll_up` adds what is older than its step is [kept](HistoryStep::kept) to the [next](HistoryStep::next) step, or deletes it. Nothing is
///   lost or counted twice, whoever calls it at the same time. It moves a bounded part of it, and says whether there may be more.
/// - `read` gives all that has begun since [`HistoryStep::since`] of the step of the span, of these executors or of all.
/// - Each call of `add` and `roll_up` is one statement where the database is another process.
pub trait History: Send + Sync {
    /// Counts runs.
    fn add(&self, tallies: Vec<Tally>) -> BoxFuture<'_, Result<()>>;

    /// Moves what is old to the next step; returns whether there may be more.
    fn roll_up(&self, step: HistoryStep) -> BoxFuture<'_, Result<bool>>;

    /// What is kept of the last `span`.
    fn read<'a>(&'a self, executors: Option<&'a [ExecutorName]>, span: Duration) -> BoxFuture<'a, Result<Recorded>>;
}

/// The capability to keep a history, of a backend that has it.
///
/// # Errors
///
/// Names the backend and the capability, if it lacks it.
pub fn history<B: Backend + ?Sized>(backend: &B) -> Result<&dyn History> {
    backend.history().ok_or_else(|| BackendError::unsupported(backend.name(), "a history of runs (`Backend::history`)"))
}
