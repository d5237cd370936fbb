//! Enqueuing the jobs of schedules when they are due.
//!
//! Every node does this for its own schedules, by the backend's clock. Which of them enqueues a tick is decided by the
//! backend, which moves the schedule's last tick and stores the job in one step: the others find it moved.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};

use super::prune;
use crate::{
    clock::Clock,
    context::Environment,
    model::{Due, NewJob, PruneSpec, Result, ScheduleKey},
    schedule::{MissedTicks, Schedule},
};

/// What happens at each tick of a schedule.
#[derive(Debug, Clone)]
pub(crate) enum Action {
    /// This job is enqueued.
    Enqueue(Box<NewJob>),
    /// One node of the cluster deletes these finished jobs, so many pruners at once.
    Prune(Vec<PruneSpec>, usize),
}

/// A schedule and what it does.
#[derive(Debug, Clone)]
pub(crate) struct Timetable {
    pub(crate) key: ScheduleKey,
    pub(crate) schedule: Schedule,
    pub(crate) missed: MissedTicks,
    pub(crate) action: Action,
}

/// The longest that a ticker sleeps, so that it soon notices a clock that was set; longer only where the node polls less
/// often.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// Does what is due, then sleeps until the next tick.
pub(super) async fn tick(environment: Environment, timetables: Arc<[Timetable]>, poll: Duration) -> Result<()> {
    let keys: Vec<ScheduleKey> = timetables.iter().map(|timetable| timetable.key.clone()).collect();
    let ticks = environment.backend.schedules(&keys).await?;
    for (timetable, last) in timetables.iter().zip(ticks.last) {
        for at in timetable.missed.owed(&timetable.schedule, last, ticks.now) {
            timetable.act(&environment, at).await?;
        }
    }
    let next = timetables.iter().filter_map(|timetable| timetable.schedule.next_after(ticks.now)).min();
    sleep_until(&environment.clock, ticks.now, next, poll.max(LONGEST_SLEEP)).await;
    Ok(())
}

/// Says which schedules have ticked for the last time. A program that ran last year still starts: what is over is no
/// mistake for sure.
pub(super) fn warn_of_ended(timetables: &[Timetable], now: DateTime<Utc>) {
    for schedule in timetables.iter().map(|timetable| &timetable.schedule) {
        if schedule.next_after(now).is_none() {
            let (expression, timezone) = (schedule.expression(), schedule.timezone().name());
            tracing::warn!(expression, timezone, "a schedule has no tick any more: all of its dates are past");
        }
    }
}

async fn sleep_until(clock: &Arc<dyn Clock>, now: DateTime<Utc>, next: Option<DateTime<Utc>>, longest: Duration) {
    let wait = next.and_then(|next| (next - now).to_std().ok()).unwrap_or(longest);
    // A hair after the tick rather than before it: two clocks never agree.
    clock.sleep(wait.min(longest) + Duration::from_millis(1)).await;
}

impl Timetable {
    async fn act(&self, environment: &Environment, at: DateTime<Utc>) -> Result<()> {
        let job = match &self.action {
            Action::Enqueue(job) => vec![NewJob::clone(job).with_due(Due::At(at))],
            Action::Prune(..) => Vec::new(),
        };
        let is_ours = environment.backend.tick(&self.key, at, job).await?;
        tracing::debug!(schedule = self.key.0, tick = %at, is_ours, "a tick was due");
        match &self.action {
            Action::Prune(specs, at_once) if is_ours => prune::prune(environment, specs, *at_once).await,
            _ => Ok(()),
        }
    }
}

/// A timetable that ticks every minute, for what the node does of its own accord.
pub(crate) fn every_minute(key: &str, action: Action) -> Option<Timetable> {
    let schedule = Schedule::parse("0 * * * * *", "UTC").ok()?;
    Some(Timetable { key: ScheduleKey(key.to_owned()), schedule, missed: MissedTicks::Last, action })
}
