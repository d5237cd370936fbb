//! What happens to jobs, for whoever listens.

use futures::future::BoxFuture;

use super::capabilities::Backend;
use crate::model::{BackendError, EventRow, ExecutorName, Result};

/// Tells what happens to jobs, in whatever process.
///
/// # Contract
///
/// - Once `listen` has returned, every change of a job that begins later is read by that listener, once: a job that is enqueued, a
///   claim, the end of a run that was claimed later, what is said of progress, and what is done by hand. The same holds for pauses.
/// - The events of a job are read in the order in which they happened. Those of different jobs are in no order that is promised.
/// - What is not committed is not read.
/// - Events of executors that no listener has asked for need not be written, and those of pauses always are.
/// - While nobody listens, nothing is written, and no call takes a statement or a round trip more.
/// - Only so much is kept for a listener that does not read: what it has missed is said by [`EventPage::has_lost`].
/// - A listener that is dropped without [`end`](EventReader::end), or whose process dies, counts for none soon afterwards.
/// - Wakeups [of events](super::Wakeup::of_events) fire when there may be something to read. They may be late: whoever listens also reads
///   once in a while.
pub trait Events: Send + Sync {
    /// Begins to listen.
    fn listen(&self, interest: Interest) -> BoxFuture<'_, Result<Box<dyn EventReader + '_>>>;
}

/// The executors whose events are listened for; `None`: all.
pub type Interest = Option<Vec<ExecutorName>>;

/// Whether somebody who listens for the events of these executors is told of this one. Pauses are told to everybody.
pub fn is_wanted(event: &EventRow, interest: &Interest) -> bool {
    event.job.is_none() || interest.as_ref().is_none_or(|executors| executors.contains(&event.executor))
}

/// One who listens.
pub trait EventReader: Send {
    /// Listens for the events of these executors from now on; events that happened before may still be read.
    fn attend(&mut self, interest: Interest) -> BoxFuture<'_, Result<()>>;

    /// What has happened since this was last called, about `limit` events at most.
    fn read(&mut self, limit: usize) -> BoxFuture<'_, Result<EventPage>>;

    /// Stops listening.
    fn end(&mut self) -> BoxFuture<'_, Result<()>>;
}

/// Some events.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventPage {
    /// In their order.
    pub events: Vec<EventRow>,
    /// Whether there may be more to be read at once.
    pub has_more: bool,
    /// Whether others had happened before these, and were lost.
    pub has_lost: bool,
}

impl EventPage {
    /// These events.
    pub fn of(events: Vec<EventRow>, has_more: bool) -> Self {
        Self { events, has_more, has_lost: false }
    }

    /// What has happened is lost, up to the present.
    pub fn lost() -> Self {
        Self { has_lost: true, ..Self::default() }
    }
}

/// The capability to tell of events, of a backend that has it.
///
/// # Errors
///
/// Names the backend and the capability, if it lacks it.
pub fn events<B: Backend + ?Sized>(backend: &B) -> Result<&dyn Events> {
    backend.events().ok_or_else(|| BackendError::unsupported(backend.name(), "events of jobs (`Backend::events`)"))
}
