//! What a test expects of the jobs in a backend.

use std::fmt::Write;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;

use crate::{
    backend::{Filter, Inspect, JobRow},
    executor::Executor,
    job::{ExecutorName, JobStatus},
};

/// What a test expects of the jobs in a backend: [`assert_enqueued!`](crate::assert_enqueued) writes it.
#[derive(Debug, Default)]
#[must_use]
pub struct Expectation {
    count: Option<usize>,
    /// Each condition, and what it says.
    conditions: Vec<(String, Filter)>,
    priority: Option<u16>,
}

impl Expectation {
    /// One job at least.
    pub fn some() -> Self {
        Self::default()
    }

    /// So many jobs, no fewer and no more.
    pub fn exactly(count: usize) -> Self {
        Self { count: Some(count), ..Self::default() }
    }

    fn and(mut self, words: String, filter: Filter) -> Self {
        self.conditions.push((words, filter));
        self
    }

    /// Of this executor.
    pub fn for_executor<E: Executor>(self) -> Self {
        self.and(format!("executor: {}", E::NAME), Filter::Executor(ExecutorName::from(E::NAME)))
    }

    /// With these data.
    ///
    /// # Panics
    ///
    /// When they do not encode as JSON.
    #[track_caller]
    pub fn with_data(self, data: &(impl Serialize + ?Sized)) -> Self {
        let data = encode(data);
        self.and(format!("data: {data}"), Filter::Data(data))
    }

    /// With these metadata.
    ///
    /// # Panics
    ///
    /// When they do not encode as JSON.
    #[track_caller]
    pub fn with_metadata(self, metadata: &(impl Serialize + ?Sized)) -> Self {
        let metadata = encode(metadata);
        self.and(format!("metadata: {metadata}"), Filter::Metadata(metadata))
    }

    /// With all of these tags.
    pub fn tagged_with<T: AsRef<str>>(self, tags: &[T]) -> Self {
        let tags: Vec<String> = tags.iter().map(|tag| tag.as_ref().to_owned()).collect();
        self.and(format!("tags: {tags:?}"), Filter::TagsAllOf(tags))
    }

    /// Due at this instant.
    pub fn scheduled_at(self, at: DateTime<Utc>) -> Self {
        self.and(format!("due at {at}"), Filter::ScheduledAt(at))
    }

    /// Due after this instant.
    pub fn scheduled_after(self, at: DateTime<Utc>) -> Self {
        self.and(format!("due after {at}"), Filter::ScheduledAfter(at))
    }

    /// Due before this instant.
    pub fn scheduled_before(self, at: DateTime<Utc>) -> Self {
        self.and(format!("due before {at}"), Filter::ScheduledBefore(at))
    }

    /// In this status.
    pub fn with_status(self, status: JobStatus) -> Self {
        self.and(format!("status: {status}"), Filter::StatusIn(vec![status]))
    }

    /// With this priority.
    pub fn with_priority(mut self, priority: u16) -> Self {
        self.priority = Some(priority);
        self
    }

    /// Looks for the jobs.
    ///
    /// # Panics
    ///
    /// When they are not there, or the backend fails.
    pub async fn check<B: Inspect + ?Sized>(self, backend: &B) {
        let everything = Filter::All(Vec::new());
        let matching = Filter::All(self.conditions.iter().map(|(_, filter)| filter.clone()).collect());
        let found = match backend.query(&matching, usize::MAX).await {
            Ok(found) => {
                found.into_iter().filter(|row| self.priority.is_none_or(|priority| row.priority == priority)).count()
            }
            Err(error) => panic!("{}", crate::engine::chain(&error)),
        };
        if self.count.map_or(found > 0, |count| found == count) {
            return;
        }
        let all = backend.query(&everything, 100).await.unwrap_or_default();
        panic!("{}", self.failure(found, &all));
    }

    fn failure(&self, found: usize, all: &[JobRow]) -> String {
        let wanted = match self.count {
            Some(count) => format!("expected exactly {count} matching, found {found}"),
            None => "expected at least one matching job, found none".to_owned(),
        };
        let mut text = format!("{wanted}\nexpected:\n");
        let priority = self.priority.map(|priority| format!("priority: {priority}"));
        for words in self.conditions.iter().map(|(words, _)| words).chain(&priority) {
            let _ = writeln!(text, "  {words}");
        }
        let _ = writeln!(text, "enqueued:");
        for row in all {
            let JobRow { id, executor, status, data, tags, priority, scheduled_at, .. } = row;
            let _ = writeln!(
                text,
                "  {id}: {executor}, {status}, priority {priority}, due at {scheduled_at}, data {data}, tags {tags:?}"
            );
        }
        if all.is_empty() {
            let _ = writeln!(text, "  nothing");
        }
        text
    }
}

#[track_caller]
fn encode(value: &(impl Serialize + ?Sized)) -> Value {
    serde_json::to_value(value).unwrap_or_else(|error| panic!("the expected value does not encode as JSON: {error}"))
}
