//! Doing what is to be done at each tick of a schedule: pruning, and, on backends that keep no schedule entries, enqueuing.
//! Where they do, [`entries`](super::entries) enqueues.
//!
//! Every node does this for its own schedules, by the backend's clock. Which of them enqueues a tick is decided by the
//! backend, which moves the schedule's last tick and stores the job in one step: the others find it moved. Nodes whose time zone
//! data differ do not agree on the instant of a tick: there its local time decides.
//!
//! # Invariants
//!
//! - Nothing here takes longer than storing jobs does. Pruning, which may take minutes, only begins here and is done by
//!   another task: see [`prune`](super::prune).
//! - A last tick that a wrong clock has put ahead stops no schedule: see [`schedule::is_behind`].
//! - When to look again is decided from the moment at which the backend's clock was read, not from when the work was done.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;

use super::{entries::Declared, prune::DuePrunes};
use crate::{
    clock::Clock,
    context::Environment,
    model::{Due, NewJob, PruneSpec, Result, ScheduleKey, Tick},
    schedule::{self, MissedTicks, NewEntry, Overlap, Schedule, TimeZone, TimeZoneData},
};

/// What happens at each tick of a schedule.
#[derive(Debug, Clone)]
pub(crate) enum Action {
    /// This job is enqueued.
    Enqueue(Box<NewJob>),
    /// One node of the cluster deletes these finished jobs, so many pruners at once.
    Prune(Arc<[PruneSpec]>, usize),
}

/// A schedule and what it does.
#[derive(Debug, Clone)]
pub(crate) struct Timetable {
    pub(crate) key: ScheduleKey,
    /// What its entry is known by.
    pub(crate) name: String,
    pub(crate) schedule: Schedule,
    pub(crate) missed: MissedTicks,
    pub(crate) overlap: Overlap,
    pub(crate) action: Action,
}

/// The longest that a ticker sleeps, so that it soon notices a clock that was set; longer only where the node polls less
/// often.
pub(super) const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// Does what is due, then sleeps until the next tick.
pub(super) async fn tick(
    environment: Environment,
    timetables: Arc<[Timetable]>,
    prunes: Arc<DuePrunes>,
    poll: Duration,
) -> Result<()> {
    let (rest, _) = tick_once(&environment, &timetables, &prunes, poll.max(LONGEST_SLEEP)).await?;
    rest.await;
    Ok(())
}

/// Does what is due; returns the rest until the next tick, and when that is.
async fn tick_once(
    environment: &Environment,
    timetables: &[Timetable],
    prunes: &DuePrunes,
    longest: Duration,
) -> Result<(BoxFuture<'static, ()>, Option<DateTime<Utc>>)> {
    let keys: Vec<ScheduleKey> = timetables.iter().map(|timetable| timetable.key.clone()).collect();
    let ticks = environment.backend.schedules(&keys).await?;
    let next = timetables.iter().filter_map(|timetable| timetable.schedule.next_after(ticks.now)).min();
    // Its deadline is fixed by this call: however long the work below takes, the next tick is not late for it.
    let rest = until(&environment.clock, ticks.now, next, longest);
    for (timetable, last) in timetables.iter().zip(ticks.last) {
        if schedule::is_behind(&timetable.schedule, last, ticks.now) {
            // Nothing is owed now: the next look finds the present as the last tick.
            timetable.rewind(environment, last, ticks.now).await?;
        }
        for at in timetable.missed.owed(&timetable.schedule, last, ticks.now) {
            match timetable.act(environment, prunes, at).await {
                Err(error) if error.is_transient() => return Err(error),
                // A job that cannot be stored must not keep the others from ticking. It is tried again at the next look.
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::error!(error, schedule = timetable.key.0, tick = %at, "the job of a tick cannot be stored");
                }
                Ok(()) => {}
            }
        }
    }
    Ok((rest, next))
}

/// Does what is due, with the pruning that another task does on a node; returns when the next tick is due.
#[cfg(feature = "__testing")]
pub(crate) async fn tick_alone(environment: &Environment, timetables: &[Timetable]) -> Result<Option<DateTime<Utc>>> {
    let prunes = DuePrunes::default();
    let (ours, timetables) = declared(environment, timetables.to_vec());
    let mut next = None;
    if !timetables.is_empty() {
        next = tick_once(environment, &timetables, &prunes, LONGEST_SLEEP).await?.1;
    }
    if let Some(entries) = environment.backend.entries() {
        let due = entries.due().await?;
        next = next
            .into_iter()
            .chain(super::entries::Book::default().look(entries, due, &ours, None, "no node").await?)
            .min();
    }
    while !prunes.is_empty() {
        prunes.prune_next(environment).await?;
    }
    Ok(next)
}

/// Those that are entries of the backend, and the others.
pub(super) fn declared(environment: &Environment, timetables: Vec<Timetable>) -> (Vec<Declared>, Vec<Timetable>) {
    let (mut ours, mut others) = (Vec::new(), Vec::new());
    let keeps_entries = environment.backend.entries().is_some();
    for timetable in timetables {
        match &timetable.action {
            Action::Enqueue(job) if keeps_entries => {
                let entry = NewEntry::new(timetable.schedule.clone(), job);
                let entry = entry.with_missed(timetable.missed).with_overlap(timetable.overlap);
                ours.push(Declared { name: timetable.name, entry });
            }
            _ => others.push(timetable),
        }
    }
    (ours, others)
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

/// Says which time zone rules are used, if any schedule goes by them.
pub(super) fn tell_of_time_zones(timetables: &[Timetable]) {
    if timetables.iter().any(|timetable| timetable.schedule.timezone() != TimeZone::UTC) {
        tracing::info!(time_zone_data = %TimeZoneData::used(), "schedules go by these time zone rules");
    }
}

pub(super) fn until(
    clock: &Arc<dyn Clock>,
    now: DateTime<Utc>,
    next: Option<DateTime<Utc>>,
    longest: Duration,
) -> BoxFuture<'static, ()> {
    let wait = next.map_or(longest, |next| (next - now).to_std().unwrap_or_default());
    // A hair after the tick rather than before it: two clocks never agree.
    clock.sleep(wait.min(longest) + Duration::from_millis(1))
}

impl Timetable {
    /// What a node does of its own accord.
    pub(crate) fn of_node(key: ScheduleKey, schedule: Schedule, action: Action) -> Self {
        let name = key.0.clone();
        Self { key, name, schedule, missed: MissedTicks::Last, overlap: Overlap::Allow, action }
    }

    /// Takes the last tick back to the present. The ticks up to it come again, or for the first time: which of the two clocks
    /// was right nobody can tell, and a schedule that stands still is the worse mistake.
    async fn rewind(&self, environment: &Environment, last: DateTime<Utc>, now: DateTime<Utc>) -> Result<()> {
        if environment.backend.rewind(&self.key, last, now).await? {
            tracing::warn!(
                schedule = self.key.0,
                last_tick = %last,
                clock = %now,
                "the last tick of a schedule lies ahead of the clock, which was wrong then or is now: it ticks on from now"
            );
        }
        Ok(())
    }

    async fn act(&self, environment: &Environment, prunes: &DuePrunes, at: DateTime<Utc>) -> Result<()> {
        let job = match &self.action {
            Action::Enqueue(job) => {
                let due = at + schedule::delay(&self.schedule, &self.key);
                vec![NewJob::clone(job).with_due(Due::At(due)).with_tick_at(at)]
            }
            Action::Prune(..) => Vec::new(),
        };
        let tick = Tick::new(at).with_local(self.schedule.local_of(at));
        let is_ours = environment.backend.tick(&self.key, tick, job).await?;
        tracing::debug!(schedule = self.key.0, tick = %at, is_ours, "a tick was due");
        if let Action::Prune(specs, at_once) = &self.action
            && is_ours
        {
            prunes.add(&self.key, specs, *at_once);
        }
        Ok(())
    }
}

/// A timetable that ticks every minute, for what the node does of its own accord.
pub(crate) fn every_minute(key: &str, action: Action) -> Option<Timetable> {
    let schedule = Schedule::parse("0 * * * * *", "UTC").ok()?;
    Some(Timetable::of_node(ScheduleKey(key.to_owned()), schedule, action))
}
