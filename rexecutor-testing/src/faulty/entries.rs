//! Schedule entries of a faulty backend. Their ticks meet the faults of [`Operation::Tick`], the rest those of
//! [`Operation::Schedules`].

use futures::future::BoxFuture;
use rexecutor::{
    backend::{Backend, DueEntries, Entries, Result, entries},
    schedule::{EntryAnswer, EntryStep, ScheduleEntry},
};

use super::{faulty::Faulty, operation::Operation};

impl<B: Backend> Entries for Faulty<B> {
    fn due(&self) -> BoxFuture<'_, Result<DueEntries>> {
        Box::pin(self.call(Operation::Schedules, async move { entries(self.inner())?.due().await }))
    }

    fn step(&self, steps: Vec<EntryStep>) -> BoxFuture<'_, Result<Vec<EntryAnswer>>> {
        let operation = match steps.iter().any(EntryStep::is_tick) {
            true => Operation::Tick,
            false => Operation::Schedules,
        };
        Box::pin(self.call(operation, async move { entries(self.inner())?.step(steps).await }))
    }

    fn list<'a>(&'a self, name: Option<&'a str>) -> BoxFuture<'a, Result<Vec<ScheduleEntry>>> {
        Box::pin(self.call(Operation::Schedules, async move { entries(self.inner())?.list(name).await }))
    }
}
