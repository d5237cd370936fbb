//! What is recorded of an attempt that failed.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A failed attempt, as stored with its job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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

/// What kind of failure ended an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
#[non_exhaustive]
pub enum ErrorType {
    /// The job panicked.
    Panic,
    /// The job ran longer than [`Executor::timeout`](crate::executor::Executor::timeout) allows.
    Timeout,
    /// The job was cancelled.
    Cancelled,
    /// The stored data or metadata no longer decode as the executor's types.
    Decode,
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
            Self::Cancelled => "cancelled",
            Self::Decode => "decode",
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
            "cancelled" => Self::Cancelled,
            "decode" => Self::Decode,
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
