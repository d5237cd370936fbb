//! Executors that are paused.

use chrono::{DateTime, Utc};

use super::{error::BackendError, id::ExecutorName};
use crate::limits;

/// Why no job of an executor is to be claimed, and for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pause {
    /// Why, in words for people.
    pub reason: String,
    /// Who says so, in words for people.
    pub by: Option<String>,
    /// When it ends by itself, by the backend's clock; `None`: it does not.
    pub until: Option<DateTime<Utc>>,
}

impl Pause {
    /// Until somebody resumes the executor.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), by: None, until: None }
    }

    /// Who says so.
    #[must_use]
    pub fn by(self, by: impl Into<String>) -> Self {
        Self { by: Some(by.into()), ..self }
    }

    /// When it ends by itself; `None`: it does not.
    #[must_use]
    pub fn until(self, until: impl Into<Option<DateTime<Utc>>>) -> Self {
        Self { until: until.into(), ..self }
    }

    /// Refuses what not every backend can store.
    ///
    /// # Errors
    ///
    /// When a text contains U+0000, or the end is in no year from 1 to 9999.
    pub fn check(&self, executor: &ExecutorName) -> Result<(), BackendError> {
        let texts =
            [("executor", executor.as_str()), ("reason", &self.reason), ("by", self.by.as_deref().unwrap_or(""))];
        if let Some((field, _)) = texts.into_iter().find(|(_, text)| text.contains('\0')) {
            return Err(BackendError::message(format!("could not pause: {field} contains U+0000")));
        }
        match self.until.filter(|until| !limits::is_storable(*until)) {
            Some(until) => {
                Err(BackendError::message(format!("could not pause: until {until} is not in the years 1 to 9999")))
            }
            None => Ok(()),
        }
    }

    /// Whether it keeps jobs from being claimed at `now`.
    pub fn holds(&self, now: DateTime<Utc>) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// An executor that is paused.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Paused {
    /// Whose jobs are not claimed.
    pub executor: ExecutorName,
    /// Since when, by the backend's clock.
    pub since: DateTime<Utc>,
    /// Why, and for how long.
    pub pause: Pause,
}

impl Paused {
    /// An executor that was paused at this instant.
    pub fn new(executor: ExecutorName, since: DateTime<Utc>, pause: Pause) -> Self {
        Self { executor, since, pause }
    }
}

impl From<&str> for Pause {
    fn from(reason: &str) -> Self {
        Self::new(reason)
    }
}

impl From<String> for Pause {
    fn from(reason: String) -> Self {
        Self::new(reason)
    }
}
