//! Limits that somebody sets while programs run.

use chrono::{DateTime, Utc};

use super::{cluster_limits::ClusterLimits, error::BackendError, id::ExecutorName, rate::Rate};

/// Limits of an executor that somebody sets while programs run: each of them holds in place of whatever programs declare, stricter or
/// not, until it is reset. Those that are not given stay as programs declare them.
///
/// ```
/// use std::time::Duration;
/// use rexecutor::prelude::*;
///
/// let change = LimitChange::new("the provider asked for it")
///     .by("ann")
///     .cluster_concurrency(2)
///     .rate_limit(Rate::new(10, Duration::from_secs(1)));
/// # drop(change);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LimitChange {
    /// The limits; `None` in each place: as declared.
    pub limits: ClusterLimits,
    /// Why, in words for people.
    pub reason: String,
    /// Who says so, in words for people.
    pub by: Option<String>,
}

impl LimitChange {
    /// Changes nothing yet.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { limits: ClusterLimits::NONE, reason: reason.into(), by: None }
    }

    /// Who says so.
    #[must_use]
    pub fn by(self, by: impl Into<String>) -> Self {
        Self { by: Some(by.into()), ..self }
    }

    /// The most jobs that run at once on all nodes, at least 1. To lift a limit that programs declare, take a large number.
    #[must_use]
    pub fn cluster_concurrency(self, most: usize) -> Self {
        Self { limits: self.limits.with_concurrency(Some(most)), ..self }
    }

    /// How many jobs start in how much time, on all nodes together.
    #[must_use]
    pub fn rate_limit(self, rate: Rate) -> Self {
        Self { limits: self.limits.with_rate(Some(rate)), ..self }
    }

    /// The most jobs of one key that run at once on all nodes, at least 1.
    #[must_use]
    pub fn key_concurrency(self, most: usize) -> Self {
        Self { limits: self.limits.with_per_key(Some(most)), ..self }
    }

    /// How many jobs of one key start in how much time, on all nodes together.
    #[must_use]
    pub fn key_rate_limit(self, rate: Rate) -> Self {
        Self { limits: self.limits.with_key_rate(Some(rate)), ..self }
    }

    /// Refuses what not every backend can store, and what would let no job run.
    ///
    /// # Errors
    ///
    /// When the executor has no name, a text contains U+0000, nothing is changed, a number is 0, or the rate is none.
    pub fn check(&self, executor: &ExecutorName) -> Result<(), BackendError> {
        let ClusterLimits { concurrency, rate, per_key, key_rate, .. } = self.limits;
        let texts =
            [("executor", executor.as_str()), ("reason", &self.reason), ("by", self.by.as_deref().unwrap_or(""))];
        let problem = if executor.as_str().is_empty() {
            "the executor's name is empty".to_owned()
        } else if let Some((field, _)) = texts.into_iter().find(|(_, text)| text.contains('\0')) {
            format!("{field} contains U+0000")
        } else if !self.limits.is_some() {
            "no limit is given: to end the change of an earlier call, reset it".to_owned()
        } else if concurrency == Some(0) || per_key == Some(0) {
            "with a limit of 0 no job would ever run: pause the executor instead".to_owned()
        } else if let Some(problem) = [rate, key_rate].into_iter().flatten().find_map(|rate| rate.check().err()) {
            format!("the rate cannot be kept to: {problem}")
        } else {
            return Ok(());
        };
        Err(BackendError::message(format!("could not set limits: {problem}")))
    }
}

/// Limits that somebody has set.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChangedLimits {
    /// Whose.
    pub executor: ExecutorName,
    /// Since when, by the backend's clock.
    pub since: DateTime<Utc>,
    /// Which, by whom and why.
    pub change: LimitChange,
}

impl ChangedLimits {
    /// What was set at this instant.
    pub fn new(executor: ExecutorName, since: DateTime<Utc>, change: LimitChange) -> Self {
        Self { executor, since, change }
    }
}
