//! What a test expects of the jobs in a backend.

use std::fmt;

use chrono::{DateTime, SubsecRound, Utc};
use serde::Serialize;

use super::{
    condition::{Condition, Field, Kind, Test, Wanted, shown},
    mismatch::Mismatch,
};
use crate::{
    backend::Inspect,
    executing::Executor,
    json::Json,
    model::{ExecutorName, Filter, JobRow, JobStatus},
};

/// What a test expects of the jobs in a backend: [`assert_enqueued!`](crate::assert_enqueued) and its kin write it.
#[must_use]
pub struct Expectation<'a>(Wanted<'a>);

impl<'a> Expectation<'a> {
    fn new(kind: Kind) -> Self {
        Self(Wanted { kind, count: None, conditions: Vec::new() })
    }

    /// One job at least, whatever its status.
    pub fn enqueued() -> Self {
        Self::new(Kind::Enqueued)
    }

    /// No job.
    pub fn refuted() -> Self {
        Self::new(Kind::Refuted)
    }

    /// One complete job at least.
    pub fn executed() -> Self {
        Self::new(Kind::Executed)
    }

    /// So many jobs, no fewer and no more.
    pub fn exactly(self, count: usize) -> Self {
        Self(Wanted { count: Some(count), ..self.0 })
    }

    fn and(mut self, field: Field, wanted: impl Into<String>, test: Test<'a>) -> Self {
        self.0.conditions.push(Condition { field, wanted: wanted.into(), test });
        self
    }

    /// Of this executor.
    pub fn for_executor<E: Executor>(self) -> Self {
        self.and(Field::Executor, E::NAME, Test::Filter(Filter::Executor(ExecutorName::from(E::NAME))))
    }

    /// With these data.
    ///
    /// # Panics
    ///
    /// When they do not encode as JSON.
    #[track_caller]
    pub fn with_data(self, data: &(impl Serialize + ?Sized)) -> Self {
        let data = encode(data);
        self.and(Field::Data, data.as_str(), Test::Filter(Filter::Data(data.clone())))
    }

    /// With data like this.
    pub fn matching<E: Executor>(self, wanted: &str, matches: impl Fn(&E::Data) -> bool + Send + Sync + 'a) -> Self {
        let test = move |data: &str| serde_json::from_str(data).map(|data| matches(&data));
        // Tokens as the compiler writes them.
        self.and(Field::Data, wanted.replace(" : ", ": "), Test::Data(Box::new(test)))
    }

    /// With these metadata.
    ///
    /// # Panics
    ///
    /// When they do not encode as JSON.
    #[track_caller]
    pub fn with_metadata(self, metadata: &(impl Serialize + ?Sized)) -> Self {
        let metadata = encode(metadata);
        self.and(Field::Metadata, metadata.as_str(), Test::Filter(Filter::Metadata(metadata.clone())))
    }

    /// With all of these tags.
    pub fn tagged_with<T: AsRef<str>>(self, tags: &[T]) -> Self {
        let tags: Vec<String> = tags.iter().map(|tag| tag.as_ref().to_owned()).collect();
        self.and(Field::Tags, tags.join(", "), Test::Filter(Filter::TagsAllOf(tags)))
    }

    /// Due at this instant, to the microsecond: what is stored has no more.
    pub fn scheduled_at(self, at: DateTime<Utc>) -> Self {
        let at = at.trunc_subsecs(6);
        self.and(Field::Due, format!("at {}", shown(at)), Test::Filter(Filter::ScheduledAt(at)))
    }

    /// Due after this instant.
    pub fn scheduled_after(self, at: DateTime<Utc>) -> Self {
        self.and(Field::Due, format!("after {}", shown(at)), Test::Filter(Filter::ScheduledAfter(at)))
    }

    /// Due before this instant.
    pub fn scheduled_before(self, at: DateTime<Utc>) -> Self {
        self.and(Field::Due, format!("before {}", shown(at)), Test::Filter(Filter::ScheduledBefore(at)))
    }

    /// In this status.
    pub fn with_status(self, status: JobStatus) -> Self {
        self.and(Field::Status, status.to_string(), Test::Filter(Filter::StatusIn(vec![status])))
    }

    /// With this priority.
    pub fn with_priority(self, priority: u16) -> Self {
        self.and(Field::Priority, priority.to_string(), Test::Priority(priority))
    }

    /// Looks for the jobs.
    ///
    /// # Errors
    ///
    /// When they are not there, or the backend fails.
    pub async fn check<B: Inspect + ?Sized>(mut self, backend: &B) -> Result<(), Mismatch> {
        if self.0.kind == Kind::Executed && !self.0.conditions.iter().any(|condition| condition.field == Field::Status)
        {
            self = self.with_status(JobStatus::Complete);
        }
        let filters = self.0.conditions.iter().filter_map(|condition| match &condition.test {
            Test::Filter(filter) => Some(filter.clone()),
            _ => None,
        });
        let found = backend.query(&Filter::All(filters.collect()), usize::MAX).await.map_err(Mismatch::backend)?;
        let matching: Vec<JobRow> = found.into_iter().filter(|row| self.is_met_by(row)).collect();
        let is_met = match (self.0.kind, self.0.count) {
            (Kind::Refuted, _) => matching.is_empty(),
            (_, Some(count)) => matching.len() == count,
            (_, None) => !matching.is_empty(),
        };
        if is_met {
            return Ok(());
        }
        let all = backend.query(&Filter::All(Vec::new()), usize::MAX).await.map_err(Mismatch::backend)?;
        Err(Mismatch::new(&self.0, &matching, &all))
    }

    fn is_met_by(&self, row: &JobRow) -> bool {
        self.0.conditions.iter().all(|condition| condition.is_met_by(row))
    }
}

impl fmt::Debug for Expectation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let conditions: Vec<_> =
            self.0.conditions.iter().map(|condition| (condition.field, &condition.wanted)).collect();
        f.debug_struct("Expectation")
            .field("kind", &self.0.kind)
            .field("count", &self.0.count)
            .field("conditions", &conditions)
            .finish()
    }
}

#[track_caller]
fn encode(value: &(impl Serialize + ?Sized)) -> Json {
    Json::of(value).unwrap_or_else(|error| panic!("the expected value does not encode as JSON: {error}"))
}
