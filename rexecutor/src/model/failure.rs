//! What is recorded of an attempt that failed.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A failed attempt, as stored with its job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct JobError {
    /// The attempt that failed, counted from 1.
    pub attempt: u16,
    /// What kind of failure it was.
    pub error_type: ErrorType,
    /// What went wrong, with the causes behind it.
    pub details: String,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
}

impl JobError {
    /// What is recorded of this attempt.
    pub fn new(attempt: u16, failure: Failure, recorded_at: DateTime<Utc>) -> Self {
        let Failure { error_type, details } = failure;
        Self { attempt, error_type, details, recorded_at }
    }

    /// Whether this text stands in its type or its details.
    pub(super) fn mentions(&self, text: &str) -> bool {
        self.details.contains(text) || self.error_type.as_str().contains(text)
    }
}

/// What kind of failure ended an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
#[non_exhaustive]
pub enum ErrorType {
    /// The job panicked.
    Panic,
    /// The job ran longer than [`Executor::timeout`](crate::executor::Executor::timeout) allows.
    Timeout,
    /// The stored data or metadata no longer decode as the executor's types.
    Decode,
    /// What the job gave cannot be stored as its [output](crate::executor::HasOutput): it does not encode, or is too large.
    Output,
    /// The job's [deadline](crate::job::builder::JobBuilder::deadline_in) has passed.
    DeadlinePassed,
    /// The node that ran the job died, or lost its place in the cluster.
    NodeLost,
    /// An error of the job's own: the name that
    /// [`ExecutionError::error_type`](crate::executor::ExecutionError::error_type) gave.
    Other(String),
}

impl ErrorType {
    /// The word that is stored.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Panic => "panic",
            Self::Timeout => "timeout",
            Self::Decode => "decode",
            Self::Output => "output",
            Self::DeadlinePassed => "deadline_passed",
            Self::NodeLost => "node_lost",
            Self::Other(name) => name,
        }
    }
}

impl From<String> for ErrorType {
    fn from(name: String) -> Self {
        match name.as_str() {
            "panic" => Self::Panic,
            "timeout" => Self::Timeout,
            "decode" => Self::Decode,
            "output" => Self::Output,
            "deadline_passed" => Self::DeadlinePassed,
            "node_lost" => Self::NodeLost,
            _ => Self::Other(name),
        }
    }
}

impl From<ErrorType> for String {
    fn from(error_type: ErrorType) -> Self {
        match error_type {
            ErrorType::Other(name) => name,
            known => known.as_str().to_owned(),
        }
    }
}

impl fmt::Display for ErrorType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What went wrong in a run.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// What kind of failure.
    pub error_type: ErrorType,
    /// What happened, with the causes behind it.
    pub details: String,
}

impl Failure {
    /// A failure of this kind.
    pub fn new(error_type: ErrorType, details: impl Into<String>) -> Self {
        Self { error_type, details: details.into() }
    }
}
