//! What goes wrong with PostgreSQL, in words.

use std::fmt;

use rexecutor::backend::BackendError;
use sqlx::postgres::PgDatabaseError;

use super::{
    pooled::{REMEDY, is_pooled},
    reach::Gone,
};

/// What lies behind an error: the driver's own.
pub(super) type Cause = Box<dyn std::error::Error + Send + Sync>;

/// The SQLSTATE of a driver's error.
pub(super) fn code_of(cause: &Cause) -> Option<String> {
    cause.downcast_ref().and_then(code)
}

/// The SQLSTATE of an error.
pub(super) fn code(error: &sqlx::Error) -> Option<String> {
    Some(error.as_database_error()?.code()?.into_owned())
}

/// Whether it is the connection that failed, before anything was done on it.
pub(super) fn is_dead_connection(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) => true,
        error => code(error).is_some_and(|code| code.starts_with("57P")),
    }
}

/// An error of the driver's in other words.
#[derive(Debug)]
struct Explained {
    text: String,
    source: sqlx::Error,
}

impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Explained {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// What to say of a number that is given out a second time; `None` for every other error.
fn behind(error: &sqlx::Error) -> Option<String> {
    let error = error.as_database_error()?.try_downcast_ref::<PgDatabaseError>()?;
    let (schema, table) = (error.schema()?, error.table()?);
    if error.code() != "23505"
        || error.constraint() != Some(&format!("{table}_pkey"))
        || !matches!(table, "jobs" | "nodes")
    {
        return None;
    }
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let name = format!("{}.{}", quoted(schema), quoted(table));
    let text = name.replace('\'', "''");
    Some(format!(
        "the sequence of `{name}.id` is behind the largest number that is stored, as after a restore: run\nSELECT \
         setval(pg_get_serial_sequence('{text}', 'id'), (SELECT max(id) FROM {name}));"
    ))
}

/// What could not be done, for [`BackendError`].
pub(super) fn failed(what: &'static str) -> impl Fn(sqlx::Error) -> BackendError {
    move |error| match error {
        // What the driver says about it is said twice.
        sqlx::Error::Io(error) if error.get_ref().is_some_and(|error| error.is::<Gone>()) => {
            BackendError::transient(what, error.into_inner().unwrap_or_else(|| "no connection".into()))
        }
        error if is_pooled(&error) => {
            BackendError::permanent(what, Explained { text: REMEDY.to_owned(), source: error })
        }
        error => match behind(&error) {
            Some(text) => BackendError::permanent(what, Explained { text, source: error }),
            None if is_transient(&error) => BackendError::transient(what, error),
            None => BackendError::permanent(what, error),
        },
    }
}

pub(super) fn is_transient(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_) | sqlx::Error::BeginFailed => true,
        // A connection that ends in the middle of a message.
        sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => true,
        error => code(error).is_some_and(|code| is_transient_code(&code)),
    }
}

/// Connections that failed, transactions that lost against another, resources that ran out, a server that is stopping
/// or has become a standby, and limits of time.
fn is_transient_code(code: &str) -> bool {
    let classes = ["08", "40", "53", "57P"];
    classes.iter().any(|class| code.starts_with(class))
        || matches!(code, "25006" | "25P03" | "55P03" | "57014" | "58000" | "58030")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trap_37_a_server_that_turned_read_only_passes_and_a_broken_statement_does_not() {
        for code in ["08006", "40001", "40P01", "53300", "57P01", "57P03", "25006", "55P03", "57014"] {
            assert!(is_transient_code(code), "{code}");
        }
        for code in ["22021", "42P01", "42501", "23514", "28P01"] {
            assert!(!is_transient_code(code), "{code}");
        }
    }
}
