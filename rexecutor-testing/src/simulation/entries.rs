//! What is asked of the backend about schedule entries, and whoever watches that.

use futures::future::BoxFuture;
use rand::RngExt;
use rexecutor::{
    Executor, ExecutorExt,
    backend::{DueEntries, Entries, Pause, Result, entries},
    job::JobId,
    schedule::{EntryAnswer, EntryStep, MissedTicks, NewEntry, Overlap, Schedule, ScheduleEntry},
    schedules::{self, NewSchedule},
};

use super::{
    Planted,
    audit::Audit,
    jobs::{Act, End, Hand, Ticks, Work},
    world::World,
};

/// The entry that is added at run time.
const HAND: &str = "by hand";

impl Entries for Audit {
    fn due(&self) -> BoxFuture<'_, Result<DueEntries>> {
        Box::pin(async move { entries(self.memory())?.due().await })
    }

    fn step(&self, steps: Vec<EntryStep>) -> BoxFuture<'_, Result<Vec<EntryAnswer>>> {
        Box::pin(async move {
            let names: Vec<String> = steps.iter().map(|step| step.name().to_owned()).collect();
            let answers = entries(self.memory())?.step(steps).await?;
            for (name, answer) in names.iter().zip(&answers) {
                let EntryAnswer::Ticked(ticked) = answer else { continue };
                for at in &ticked.enqueued {
                    match name.as_str() {
                        HAND => self.hand_ticked(*at),
                        _ => self.ticked(*at),
                    }
                }
            }
            Ok(answers)
        })
    }

    fn list<'a>(&'a self, name: Option<&'a str>) -> BoxFuture<'a, Result<Vec<ScheduleEntry>>> {
        Box::pin(async move { entries(self.memory())?.list(name).await })
    }
}

impl World {
    /// The schedule of a node's program, of which there are two versions: they tick alike, and are not the same.
    pub(super) fn version(&mut self) -> NewSchedule<Ticks> {
        let version = self.random.random_range(0..2);
        let name = match self.planted {
            Some(Planted::ForgetsNames) => format!("ticks {version}"),
            _ => "ticks".to_owned(),
        };
        let missed = [MissedTicks::All, MissedTicks::AtMost(u16::MAX)];
        let schedule = self.must(Schedule::parse("0 * * * * *", "UTC"));
        schedules::entry::<Ticks>(name, schedule, Work::default()).with_missed_ticks(missed[version])
    }

    /// Somebody adds the entry or changes it, pauses it, lets it go on, or wants a job of it.
    pub(super) async fn by_hand(&mut self) {
        let step = match self.random.random_range(0..5) {
            0..=1 => {
                let overlaps = [Overlap::Skip, Overlap::Queue, Overlap::Replace];
                let overlap = match self.planted {
                    Some(Planted::ForgetsOverlap) => Overlap::Allow,
                    _ => overlaps[self.random.random_range(0..overlaps.len())],
                };
                let schedule = self.must(Schedule::parse("*/10 * * * * *", "UTC"));
                let acts = vec![Act { millis: 7_000, end: End::Fail }, Act { millis: 9_000, end: End::Done }];
                let job = self.must(Hand::builder().with_data(Work { acts, ..Work::default() }).encode());
                self.record.note(format_args!("the entry by hand is put: {overlap:?}"));
                EntryStep::put(HAND, "the simulator", NewEntry::new(schedule, &job).with_overlap(overlap))
            }
            2 => EntryStep::trigger(HAND, "the simulator"),
            3 => EntryStep::pause(HAND, Pause::new("the simulator")),
            _ => EntryStep::resume(HAND),
        };
        let answer = self.audit.step(vec![step.clone()]).await;
        let answer = self.must(answer).remove(0);
        self.record.note(format_args!("{step:?} gives {answer:?}"));
        let mut known = self.record.known();
        match step {
            step if step.is_pause() && answer == EntryAnswer::Done => known.is_hand_paused = true,
            _ if matches!(answer, EntryAnswer::Resumed(_)) => known.is_hand_paused = false,
            _ => {}
        }
    }

    /// From here on it enqueues nothing.
    pub(super) async fn end_entries(&self) {
        let answer = self.audit.step(vec![EntryStep::remove(HAND)]).await;
        let _ = self.must(answer);
    }

    /// One job of the entry at most is unfinished.
    pub(super) fn check_hand(&self) {
        let rows = self.audit.rows();
        let is_unfinished =
            |row: &&rexecutor::backend::JobRow| row.executor.as_str() == Hand::NAME && row.finished_at().is_none();
        let unfinished: Vec<JobId> = rows.iter().filter(is_unfinished).map(|row| row.id).collect();
        if unfinished.len() > 1 {
            self.record.broken(format_args!("{unfinished:?} of the entry by hand overlap"));
        }
    }
}
