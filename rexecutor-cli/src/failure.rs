//! What goes wrong, and with which exit code the process ends.

use std::{io::Write, process::ExitCode};

use rexecutor::{
    backend::{AmendError, BackendError, flows::FlowError},
    executor::JobsError,
    job::{InvalidJob, builder::EnqueueError},
    schedule::ScheduleError,
    schedules::SchedulesError,
};
use rexecutor_sqlx::{ConnectError, CopyError, ImportError, UrlError};
use rexecutor_web::views::InvalidSearch;
use serde_json::json;

use crate::output::clean;

/// With which code the process ends. 0 is success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Code {
    /// The answer is no: a gate is closed.
    No = 1,
    /// The command line, or what it names, makes no sense.
    Usage = 2,
    /// What is named is not there, or does not allow it.
    Refused = 3,
    /// The database cannot be used.
    Database = 4,
    /// A change of a production database was not confirmed.
    NotConfirmed = 5,
}

/// Why a command has not done what it was to do.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: Code,
    message: String,
}

impl Failure {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Code::Usage, message)
    }

    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Self::new(Code::Refused, message)
    }

    /// Something of the operating system's.
    pub(crate) fn io(error: impl std::fmt::Display) -> Self {
        Self::new(Code::Database, error.to_string())
    }

    /// Without these texts in it.
    pub(crate) fn without(mut self, secrets: &[String]) -> Self {
        for secret in secrets {
            self.message = self.message.replace(secret.as_str(), "…");
        }
        self
    }

    /// With a hint of what to do.
    pub(crate) fn hint(mut self, hint: &str) -> Self {
        self.message = format!("{}\n{hint}", self.message);
        self
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// Says it, and gives the code.
    pub(crate) fn report(self, is_json: bool) -> ExitCode {
        let text = match is_json {
            true => json!({ "error": self.message, "code": self.code as u8 }).to_string(),
            false => format!("error: {}", clean(&self.message)),
        };
        let _ = writeln!(std::io::stderr(), "{text}");
        ExitCode::from(self.code as u8)
    }
}

// The `Debug` of these errors is their sentence with its causes.

impl From<BackendError> for Failure {
    fn from(error: BackendError) -> Self {
        Self::new(Code::Database, format!("{error:?}"))
    }
}

impl From<AmendError> for Failure {
    fn from(error: AmendError) -> Self {
        match error {
            AmendError::Backend(error) => error.into(),
            error => Self::refused(error.to_string()),
        }
    }
}

impl From<FlowError> for Failure {
    fn from(error: FlowError) -> Self {
        match error {
            FlowError::Backend(error) => error.into(),
            error => Self::refused(error.to_string()),
        }
    }
}

impl From<JobsError> for Failure {
    fn from(error: JobsError) -> Self {
        match error {
            JobsError::Amend(error) => error.into(),
            JobsError::Backend(error) => error.into(),
            JobsError::Invalid(error) => error.into(),
            error => Self::usage(format!("{error:?}")),
        }
    }
}

impl From<EnqueueError> for Failure {
    fn from(error: EnqueueError) -> Self {
        match error {
            EnqueueError::QueueFull { .. } => Self::refused(error.to_string()),
            EnqueueError::Backend(error) => error.into(),
            error => Self::usage(format!("{error:?}")),
        }
    }
}

impl From<SchedulesError> for Failure {
    fn from(error: SchedulesError) -> Self {
        match error {
            SchedulesError::NotFound(_) | SchedulesError::Refused(_) => Self::refused(error.to_string()),
            SchedulesError::Backend(error) => error.into(),
            error => Self::usage(format!("{error:?}")),
        }
    }
}

impl From<CopyError> for Failure {
    fn from(error: CopyError) -> Self {
        match error {
            CopyError::Backend(error) => error.into(),
            CopyError::OtherTables { .. } => Self::new(Code::Database, error.to_string()),
            error => Self::refused(error.to_string()),
        }
    }
}

impl From<ImportError> for Failure {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::Backend(error) => error.into(),
            error => Self::refused(error.to_string()),
        }
    }
}

impl From<UrlError> for Failure {
    fn from(error: UrlError) -> Self {
        let code = match &error {
            UrlError::Scheme { .. } | UrlError::Address { .. } | UrlError::Feature { .. } => Code::Usage,
            UrlError::Postgres(ConnectError::Address(_) | ConnectError::Scheme { .. }) => Code::Usage,
            _ => Code::Database,
        };
        Self::new(code, format!("{error:?}"))
    }
}

impl From<InvalidJob> for Failure {
    fn from(error: InvalidJob) -> Self {
        Self::usage(error.to_string())
    }
}

impl From<InvalidSearch> for Failure {
    fn from(error: InvalidSearch) -> Self {
        Self::usage(error.to_string())
    }
}

impl From<ScheduleError> for Failure {
    fn from(error: ScheduleError) -> Self {
        Self::usage(format!("{error:?}"))
    }
}
