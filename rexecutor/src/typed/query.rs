//! Asking for stored jobs by what they are.

use std::{marker::PhantomData, ops::Not};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use serde::Serialize;

use crate::{
    json::Json,
    limits::MAX_CONDITION_DEPTH,
    model::{Filter, FilterError, JobId, JobStatus},
};

/// A condition on the jobs of one executor, for [`query_jobs`](crate::executor::ExecutorExt::query_jobs).
///
/// Conditions are joined with [`and`](Self::and), [`or`](Self::or) and `!`, and mean what the calls say:
/// `a.and(b).or(c)` is `(a and b) or c`.
///
/// A query has at most [10,000](crate::limits::MAX_CONDITIONS) conditions, and nests at most
/// [100](crate::limits::MAX_CONDITION_DEPTH) levels deep; a chain of `or`, or of `and`, is one level. More is an error of the
/// query. For many ids there is [`id_in`](Self::id_in), which is one condition.
///
/// A condition on data or metadata has no index: it reads all jobs of the executor.
///
/// # Examples
///
/// ```
/// use rexecutor::prelude::*;
///
/// let failed_or_late: Where<'_, String, ()> = Where::status_equals(JobStatus::Discarded)
///     .or(Where::scheduled_at_older_than(TimeDelta::hours(1)).and(!Where::status_equals(JobStatus::Complete)));
/// # let _ = failed_or_late;
/// ```
#[derive(Debug)]
#[must_use]
pub struct Where<'a, D, M> {
    filter: Result<Filter, FilterError>,
    /// How deep it nests. A chain is one level.
    depth: usize,
    types: Types<'a, D, M>,
}

/// The condition borrows nothing and holds neither type: it only stands for them.
type Types<'a, D, M> = PhantomData<(&'a (), fn(D, M))>;

impl<'a, D, M> Where<'a, D, M> {
    fn new(filter: Filter) -> Self {
        Self { filter: Ok(filter), depth: 1, types: PhantomData }
    }

    fn compared<T: Serialize>(value: &T, filter: fn(Json) -> Filter) -> Self {
        let filter = Json::of(value).map(filter).map_err(FilterError::Encode);
        Self { filter, depth: 1, types: PhantomData }
    }

    fn join(self, other: Self, join: fn(Filter, Filter) -> Filter, joins: fn(&Filter) -> bool) -> Self {
        // What goes on a chain of the same kind adds no level.
        let inside = |one: &Self| one.depth - usize::from(one.filter.as_ref().is_ok_and(joins));
        let depth = inside(&self).max(inside(&other)) + 1;
        let filter = self.filter.and_then(|first| Ok(join(first, other.filter?)));
        // Two lists of ids are one list.
        let is_list = filter.as_ref().is_ok_and(|filter| !joins(filter));
        Self::limited(filter, if is_list { 1 } else { depth })
    }

    /// What nests too deep is given up while it still has few levels.
    fn limited(filter: Result<Filter, FilterError>, depth: usize) -> Self {
        let is_too_deep = depth > MAX_CONDITION_DEPTH + 1;
        let filter = filter.and_then(|filter| if is_too_deep { Err(FilterError::TooDeep) } else { Ok(filter) });
        Self { filter, depth, types: PhantomData }
    }

    /// Every job of the executor.
    pub fn any() -> Self {
        Self::new(Filter::All(Vec::new()))
    }

    /// Both hold.
    pub fn and(self, other: Self) -> Self {
        self.join(other, Filter::and, |filter| matches!(filter, Filter::All(_)))
    }

    /// One of them holds at least.
    pub fn or(self, other: Self) -> Self {
        self.join(other, Filter::or, |filter| matches!(filter, Filter::Any(_)))
    }

    /// The data are this value, compared as the JSON that they are stored as: whatever the order of keys, and with numbers as
    /// they are written.
    pub fn data_equals(data: &'a D) -> Self
    where
        D: Serialize,
    {
        Self::compared(data, Filter::Data)
    }

    /// The metadata are this value, compared as JSON.
    pub fn metadata_equals(metadata: &'a M) -> Self
    where
        M: Serialize,
    {
        Self::compared(metadata, Filter::Metadata)
    }

    /// It is this job.
    pub fn id_equals(id: JobId) -> Self {
        Self::new(Filter::IdIn(vec![id]))
    }

    /// It is one of these jobs; none, if the list is empty.
    pub fn id_in(ids: &'a [JobId]) -> Self {
        Self::new(Filter::IdIn(ids.to_vec()))
    }

    /// It stands in this status.
    pub fn status_equals(status: JobStatus) -> Self {
        Self::new(Filter::StatusIn(vec![status]))
    }

    /// [`status_equals`](Self::status_equals) by another name.
    #[doc(hidden)]
    pub fn status_equal(status: JobStatus) -> Self {
        Self::status_equals(status)
    }

    /// It stands in one of these statuses; none, if the list is empty.
    pub fn status_in(statuses: &'a [JobStatus]) -> Self {
        Self::new(Filter::StatusIn(statuses.to_vec()))
    }

    /// It was discarded, and [halts](crate::executor::OnDiscard::Halt) the line of its key: the jobs behind it wait until it is
    /// rerun, cancelled or released.
    pub fn halts_line() -> Self {
        Self::new(Filter::HaltsLine)
    }

    /// It has all of these tags; every job has, if the list is empty.
    pub fn tagged_by_all_of(tags: &'a [&'a str]) -> Self {
        Self::new(Filter::TagsAllOf(owned(tags)))
    }

    /// It has one of these tags at least; no job has, if the list is empty.
    pub fn tagged_by_one_of(tags: &'a [&'a str]) -> Self {
        Self::new(Filter::TagsOneOf(owned(tags)))
    }

    /// It is due at this very instant, to the microsecond: what is stored has no more.
    pub fn scheduled_at_equals(scheduled_at: DateTime<Utc>) -> Self {
        Self::new(Filter::ScheduledAt(scheduled_at.trunc_subsecs(6)))
    }

    /// It is due before this instant.
    pub fn scheduled_at_before(scheduled_at: DateTime<Utc>) -> Self {
        Self::new(Filter::ScheduledBefore(scheduled_at))
    }

    /// It is due after this instant.
    pub fn scheduled_at_after(scheduled_at: DateTime<Utc>) -> Self {
        Self::new(Filter::ScheduledAfter(scheduled_at))
    }

    /// It became due more than `age` ago, by the backend's clock; with a negative age, it becomes due before that time from now
    /// is over. Any age is accepted: every job is older than `TimeDelta::MIN`, and none than `TimeDelta::MAX`.
    pub fn scheduled_at_older_than(age: TimeDelta) -> Self {
        Self::new(Filter::ScheduledOlderThan(age))
    }

    /// It became due less than `age` ago, by the backend's clock, or is due in the future; with a negative age, it becomes due
    /// later than that time from now. Any age is accepted.
    pub fn scheduled_at_within_the_last(age: TimeDelta) -> Self {
        Self::new(Filter::ScheduledWithinTheLast(age))
    }

    /// The untyped condition.
    ///
    /// # Errors
    ///
    /// When data or metadata to compare with do not encode as JSON, when it has more than
    /// [`MAX_CONDITIONS`](crate::limits::MAX_CONDITIONS) conditions, or nests deeper than
    /// [`MAX_CONDITION_DEPTH`](crate::limits::MAX_CONDITION_DEPTH).
    pub fn into_filter(self) -> Result<Filter, FilterError> {
        let filter = self.filter?;
        filter.check()?;
        Ok(filter)
    }
}

impl<D, M> Not for Where<'_, D, M> {
    type Output = Self;

    fn not(self) -> Self {
        let is_not = matches!(self.filter, Ok(Filter::Not(_)));
        let depth = if is_not { self.depth - 1 } else { self.depth + 1 };
        Self::limited(self.filter.map(Filter::negated), depth)
    }
}

fn owned(tags: &[&str]) -> Vec<String> {
    tags.iter().map(|tag| (*tag).to_owned()).collect()
}
