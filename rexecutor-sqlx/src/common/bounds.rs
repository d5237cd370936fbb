//! What a filter says for every job that matches: where a search may begin and end.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use rexecutor::{
    backend::{
        Filter,
        observe::{JobOrder, Position},
    },
    job::{ExecutorName, JobStatus},
};

/// What every job that matches has in common.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bounds {
    /// It is of one of these executors.
    pub(crate) executors: Option<Vec<ExecutorName>>,
    statuses: Option<Vec<JobStatus>>,
    pub(crate) inserted_after: Option<DateTime<Utc>>,
    pub(crate) inserted_before: Option<DateTime<Utc>>,
    finished_after: Option<DateTime<Utc>>,
    finished_before: Option<DateTime<Utc>>,
    scheduled_after: Option<DateTime<Utc>>,
    scheduled_before: Option<DateTime<Utc>>,
}

impl Bounds {
    /// What stands at the top of the filter; what stands deeper holds for some jobs only.
    pub(crate) fn of(filter: &Filter) -> Self {
        let mut bounds = Self::default();
        match filter {
            Filter::All(filters) => filters.iter().for_each(|filter| bounds.add(filter)),
            filter => bounds.add(filter),
        }
        bounds
    }

    fn add(&mut self, filter: &Filter) {
        let later = |known: Option<DateTime<Utc>>, at: DateTime<Utc>| known.into_iter().chain([at]).max();
        let earlier = |known: Option<DateTime<Utc>>, at: DateTime<Utc>| known.into_iter().chain([at]).min();
        match filter {
            Filter::Executor(name) => self.executors = Some(vec![name.clone()]),
            Filter::Any(filters) => {
                let name = |filter: &Filter| match filter {
                    Filter::Executor(name) => Some(name.clone()),
                    _ => None,
                };
                self.executors = filters.iter().map(name).collect::<Option<_>>().or(self.executors.take());
            }
            Filter::StatusIn(statuses) => self.statuses = Some(statuses.clone()),
            Filter::InsertedAfter(at) => self.inserted_after = later(self.inserted_after, *at),
            Filter::InsertedBefore(at) => self.inserted_before = earlier(self.inserted_before, *at),
            Filter::FinishedAfter(at) => self.finished_after = later(self.finished_after, *at),
            Filter::FinishedBefore(at) => self.finished_before = earlier(self.finished_before, *at),
            Filter::ScheduledAfter(at) => self.scheduled_after = later(self.scheduled_after, *at),
            Filter::ScheduledBefore(at) => self.scheduled_before = earlier(self.scheduled_before, *at),
            _ => {}
        }
    }

    /// The one status that it has.
    pub(crate) fn only_status(&self) -> Option<JobStatus> {
        match self.statuses.as_deref() {
            Some([status]) => Some(*status),
            _ => None,
        }
    }

    /// The statuses of finished jobs that it may have.
    pub(crate) fn finished(&self) -> impl Iterator<Item = JobStatus> {
        let may_have = |status: &JobStatus| self.statuses.as_ref().is_none_or(|statuses| statuses.contains(status));
        JobStatus::ALL.iter().copied().filter(|status| status.is_finished()).filter(may_have)
    }

    /// Behind which position the search begins, and up to which it goes.
    pub(crate) fn ends(&self, order: JobOrder) -> (Position, Position) {
        let year = |year| NaiveDate::from_ymd_opt(year, 1, 1).unwrap_or_default().and_time(NaiveTime::MIN).and_utc();
        let (first, last) = (year(-4_000), year(20_000));
        let lowest =
            |at: Option<DateTime<Utc>>| Position { at: at.map_or(first, |at| at.max(first)), id: i64::MIN.into() };
        let highest =
            |at: Option<DateTime<Utc>>| Position { at: at.map_or(last, |at| at.min(last)), id: i64::MAX.into() };
        match order {
            JobOrder::Due => (lowest(self.scheduled_after), highest(self.scheduled_before)),
            _ => (highest(self.finished_before), lowest(self.finished_after)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_holds_for_every_match_bounds_the_search() {
        let at = DateTime::UNIX_EPOCH;
        let [mail, print] = ["mail", "print"].map(|name| Filter::Executor(name.into()));
        let bounds = Bounds::of(&mail.clone().or(print.clone()).and(Filter::InsertedAfter(at)));
        assert_eq!(bounds.executors, Some(vec!["mail".into(), "print".into()]));
        assert_eq!(bounds.inserted_after, Some(at));
        let some = Bounds::of(&mail.or(Filter::InsertedAfter(at)));
        assert_eq!((some.executors, some.inserted_after), (None, None));
        let not = Bounds::of(&print.negated().and(Filter::StatusIn(vec![JobStatus::Blocked])));
        assert_eq!((not.executors, not.statuses), (None, Some(vec![JobStatus::Blocked])));
    }
}
