//! What goes wrong with PostgreSQL, in words.

use rexecutor::backend::BackendError;

/// What lies behind an error: the driver's own.
pub(super) type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a database cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The address is not one.
    #[error("the address of the database is not valid: write `postgres://user:password@host:5432/database`")]
    Address(#[source] Cause),
    /// The host is unknown, or nothing answers there.
    #[error("no PostgreSQL server answers there: check the host, the port, and that the server runs")]
    Unreachable(#[source] Cause),
    /// The user is unknown, or the password is wrong.
    #[error("the server refuses the user or the password: check both in the database's address")]
    Refused(#[source] Cause),
    /// There is no such database.
    #[error("the database does not exist: create it with `createdb`, or correct its name in the address")]
    NoDatabase(#[source] Cause),
    /// The server takes no writes: a standby, or a primary set so.
    #[error("the server is read-only, and jobs are written: connect to the primary")]
    ReadOnly,
    /// The schema's name cannot be used.
    #[error("the schema cannot be named `{name}`: {problem}")]
    Schema {
        /// The name.
        name: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The role may not create the schema or its tables.
    #[error("the role may not create the tables: let an administrator run\n{sql}")]
    NoPermission {
        /// What an administrator is to run.
        sql: String,
        /// What the server says.
        source: Cause,
    },
    /// The tables are not there, or are older than this program, and it was told not to migrate.
    #[error("the tables have schema version {found}, and this program needs {known}: call `run_migrations`")]
    NotMigrated {
        /// The version that is there; 0: none.
        found: i32,
        /// The one that is needed.
        known: i32,
    },
    /// A later version of this crate has migrated the tables, and this one cannot work with them any more.
    #[error(
        "the tables have schema version {found}, which needs programs that know version {oldest} at least; this one \
         knows {known}: update the program"
    )]
    SchemaTooNew {
        /// The version that is there.
        found: i32,
        /// The oldest program that may use it.
        oldest: i32,
        /// What this program knows.
        known: i32,
    },
    /// Nodes that could not work with the new tables are still running.
    #[error(
        "nodes that know schema version {running} are running, and version {version} needs {oldest} at least: stop \
         them first, or update them to a release in between"
    )]
    OldNodes {
        /// The version that was to be reached.
        version: i32,
        /// The oldest program that may use it.
        oldest: i32,
        /// What the oldest running program knows.
        running: i32,
    },
    /// Anything else.
    #[error("could not use the database")]
    Database(#[source] Cause),
}

impl ConnectError {
    pub(super) fn new(error: sqlx::Error) -> Self {
        match (&error, code(&error).as_deref()) {
            (sqlx::Error::Configuration(_), _) => Self::Address(error.into()),
            (sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::Tls(_), _) => {
                Self::Unreachable(error.into())
            }
            (_, Some("28P01" | "28000")) => Self::Refused(error.into()),
            (_, Some("3D000")) => Self::NoDatabase(error.into()),
            (_, Some("25006")) => Self::ReadOnly,
            _ => Self::Database(error.into()),
        }
    }
}

impl ConnectError {
    /// Whether connecting again may succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::ReadOnly => true,
            Self::Database(cause) => cause.downcast_ref().is_some_and(is_transient),
            Self::Address(_)
            | Self::Refused(_)
            | Self::NoDatabase(_)
            | Self::Schema { .. }
            | Self::NoPermission { .. }
            | Self::NotMigrated { .. }
            | Self::SchemaTooNew { .. }
            | Self::OldNodes { .. } => false,
        }
    }

    /// The SQLSTATE of what lies behind it.
    pub(super) fn code(&self) -> Option<String> {
        match self {
            Self::Database(cause) => code_of(cause),
            _ => None,
        }
    }
}

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

/// What could not be done, for [`BackendError`].
pub(super) fn failed(what: &'static str) -> impl Fn(sqlx::Error) -> BackendError {
    move |error| match is_transient(&error) {
        true => BackendError::transient(what, error),
        false => BackendError::permanent(what, error),
    }
}

fn is_transient(error: &sqlx::Error) -> bool {
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
    fn what_passes_by_itself_is_told_apart() {
        let timed_out = || sqlx::Error::PoolTimedOut;
        assert!(ConnectError::new(timed_out()).is_transient());
        assert!(ConnectError::Database(timed_out().into()).is_transient());
        assert!(!ConnectError::Refused(timed_out().into()).is_transient());
        assert!(!ConnectError::Database(sqlx::Error::RowNotFound.into()).is_transient());
    }

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
