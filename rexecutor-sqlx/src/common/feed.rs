//! What a listener reads: events, and the jobs that are new since it has looked last.
//!
//! Nobody writes that a job was enqueued: so that costs nobody anything, whoever has enqueued it. It is found by its number, as the events
//! are by theirs.
//!
//! # Invariants
//!
//! - Events are read before new jobs: so of each event that is read the job was seen, or is gone.
//! - Numbers are taken while the jobs are locked that an event is about. So an event of a job that comes late is followed by none that was
//!   read before, whatever gaps there are.

use std::time::Duration;

use rexecutor::{
    backend::{EventKind, EventPage, EventRow, Interest, is_wanted},
    job::JobId,
};

use super::cursor::Cursor;

/// How many events, or jobs, a listener may be behind. Then it goes on with the present.
const MOST_BEHIND: i64 = 50_000;

/// How many events are kept for listeners that do not read.
pub(crate) const MOST_KEPT: i64 = 2 * MOST_BEHIND;

/// For how many seconds a listener counts as one that does not say that it is alive.
pub(crate) const COUNTS_FOR: u32 = 10;

/// How often it says so, as long as it reads.
pub(crate) const RENEW: Duration = Duration::from_secs(3);

/// How far a listener has got.
#[derive(Debug)]
pub(crate) struct Feed {
    pub(crate) events: Cursor,
    pub(crate) jobs: Cursor,
    /// What it listens for. Events of other executors are there for other listeners.
    pub(crate) interest: Interest,
    /// When it said last that it is alive, in the time that nobody can set.
    renewed_at: Duration,
}

/// What was read.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    /// With their numbers, in the order of these. One that is `None` is none that this program knows.
    pub(crate) events: Vec<(i64, Option<EventRow>)>,
    /// The highest number of an event.
    pub(crate) newest_event: Option<i64>,
    /// That they were enqueued, with the numbers of the jobs, in the order of these. One that is `None` is of an executor for which nobody
    /// listens.
    pub(crate) jobs: Vec<(i64, Option<EventRow>)>,
    /// The highest number of a job.
    pub(crate) newest_job: Option<i64>,
    /// How many of each were asked for.
    pub(crate) limit: usize,
}

impl Feed {
    /// From these numbers on.
    pub(crate) fn after(event: i64, job: i64, interest: Interest, now: Duration) -> Self {
        Self { events: Cursor::at(event), jobs: Cursor::at(job), interest, renewed_at: now }
    }

    /// Whether it is to say that it is alive; it is taken to do so.
    pub(crate) fn is_to_renew(&mut self, now: Duration) -> bool {
        let is_time = now.saturating_sub(self.renewed_at) >= RENEW;
        if is_time {
            self.renewed_at = now;
        }
        is_time
    }

    /// Takes in what was read.
    pub(crate) fn take(&mut self, rows: Rows, now: Duration) -> EventPage {
        let Rows { events, newest_event, jobs, newest_job, limit } = rows;
        let is_behind = |newest: Option<i64>, last: i64| newest.is_some_and(|newest| newest - last > MOST_BEHIND);
        let has_lost = is_behind(newest_event, self.events.last()) || is_behind(newest_job, self.jobs.last());
        if has_lost {
            self.events = Cursor::at(newest_event.unwrap_or_default().max(self.events.last()));
            self.jobs = Cursor::at(newest_job.unwrap_or_default().max(self.jobs.last()));
            return EventPage::lost();
        }
        let has_more = events.len() >= limit || jobs.len() >= limit;
        let mut page = EventPage::of(Vec::with_capacity(events.len() + jobs.len()), has_more);
        for (number, enqueued) in jobs {
            let is_new = number > self.jobs.last();
            if self.jobs.read(number, now) || is_new {
                page.events.extend(enqueued);
            }
        }
        for (number, event) in events {
            let is_new = number > self.events.last();
            if !self.events.read(number, now) && !is_new {
                continue;
            }
            let Some(mut event) = event.filter(|event| is_wanted(event, &self.interest)) else { continue };
            if event.kind == EventKind::Started {
                page.events.extend(self.enqueued(&mut event, now));
            }
            page.events.push(event);
        }
        self.events.forget(now);
        self.jobs.forget(now);
        page
    }

    /// That a job was enqueued which has run, and was deleted, before anybody has seen it.
    fn enqueued(&mut self, started: &mut EventRow, now: Duration) -> Option<EventRow> {
        let (at, job) = (started.due_at.take()?, started.job?);
        let is_new = job.as_i64() > self.jobs.last();
        let is_unseen = self.jobs.read(job.as_i64(), now) || is_new;
        is_unseen.then(|| {
            let mut enqueued = EventRow::new(at, EventKind::Enqueued, started.executor.clone());
            (enqueued.job, enqueued.tags) = (Some(job), started.tags.clone());
            enqueued
        })
    }
}

/// That this job was enqueued.
pub(crate) fn enqueued(id: i64, mut event: EventRow) -> (i64, Option<EventRow>) {
    event.job = Some(JobId::from(id));
    (id, Some(event))
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    const NOW: Duration = Duration::ZERO;

    fn event(kind: EventKind, job: i64) -> EventRow {
        let mut event = EventRow::new(DateTime::UNIX_EPOCH, kind, "mail");
        event.job = Some(job.into());
        event.due_at = (kind == EventKind::Started).then_some(DateTime::UNIX_EPOCH);
        event
    }

    fn jobs(ids: &[i64]) -> Vec<(i64, Option<EventRow>)> {
        ids.iter().map(|id| (*id, Some(event(EventKind::Enqueued, *id)))).collect()
    }

    fn shown(page: &EventPage) -> Vec<String> {
        let show = |event: &EventRow| format!("{} {}", event.kind, event.job.map_or(0, JobId::as_i64));
        page.events.iter().map(show).collect()
    }

    #[test]
    fn a_job_is_enqueued_before_it_starts_and_once() {
        let mut feed = Feed::after(0, 0, None, NOW);
        let started = |number: i64, job: i64| (number, Some(event(EventKind::Started, job)));
        let rows = Rows { events: vec![started(1, 2)], jobs: jobs(&[1, 2]), limit: 10, ..Rows::default() };
        assert_eq!(shown(&feed.take(rows, NOW)), ["enqueued 1", "enqueued 2", "started 2"]);
        // 3 is gone, and 5 is stored while 4 is not committed yet.
        let rows = Rows { events: vec![started(2, 3)], jobs: jobs(&[5]), limit: 10, ..Rows::default() };
        assert_eq!(shown(&feed.take(rows, NOW)), ["enqueued 5", "enqueued 3", "started 3"]);
        let rows = Rows { events: vec![started(3, 3), started(4, 6)], jobs: jobs(&[4]), limit: 10, ..Rows::default() };
        assert_eq!(shown(&feed.take(rows, NOW)), ["enqueued 4", "started 3", "enqueued 6", "started 6"]);
        let rows = Rows { jobs: jobs(&[6]), events: vec![(4, None)], limit: 10, ..Rows::default() };
        assert_eq!(shown(&feed.take(rows, NOW)), [""; 0], "they were read before");
        assert_eq!(feed.jobs.gaps(), (vec![], vec![]));
    }

    #[test]
    fn what_is_there_for_others_is_passed_over() {
        let mut feed = Feed::after(0, 0, Some(vec!["report".into()]), NOW);
        let mut pause = event(EventKind::Paused, 0);
        pause.job = None;
        let mut report = event(EventKind::Started, 2);
        report.executor = "report".into();
        let events = vec![(1, Some(event(EventKind::Started, 1))), (2, Some(pause)), (3, Some(report))];
        let rows = Rows { events, jobs: vec![(1, None)], limit: 10, ..Rows::default() };
        assert_eq!(shown(&feed.take(rows, NOW)), ["paused 0", "enqueued 2", "started 2"]);
        assert_eq!((feed.events.last(), feed.events.gaps()), (3, (vec![], vec![])));
    }

    #[test]
    fn who_is_far_behind_goes_on_with_the_present() {
        let mut feed = Feed::after(0, 0, None, NOW);
        let rows = Rows { jobs: jobs(&[1]), newest_job: Some(1 + MOST_BEHIND), limit: 1, ..Rows::default() };
        assert_eq!(feed.take(rows, NOW), EventPage::lost());
        assert_eq!((feed.events.last(), feed.jobs.last()), (0, 1 + MOST_BEHIND));
        let rows =
            Rows { jobs: jobs(&[2 + MOST_BEHIND]), newest_job: Some(2 + MOST_BEHIND), limit: 1, ..Rows::default() };
        let page = feed.take(rows, NOW);
        assert!(page.has_more && !page.has_lost && page.events.len() == 1);
    }
}
