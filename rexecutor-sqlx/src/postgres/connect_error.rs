//! Why a database cannot be used, and what to do about it.

use sqlx::postgres::PgConnectOptions;

use super::{
    error::{Cause, code, code_of, is_transient},
    pooled::is_pooled,
};

/// Why a database cannot be used.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The address is not a URL, or one of its parts is wrong.
    #[error("the address of the database is not valid: write `postgres://user:password@host:5432/database`")]
    Address(#[source] Cause),
    /// The address is not one of PostgreSQL.
    #[error(
        "the address of a PostgreSQL database begins with `postgres://` or `postgresql://`, and this one with \
         `{scheme}:`: write `postgres://user:password@host:5432/database`"
    )]
    Scheme {
        /// How the address begins.
        scheme: String,
    },
    /// The host is unknown, or nothing answers there.
    #[error("no PostgreSQL server answers at `{server}`: check the host, the port, and that the server runs")]
    Unreachable {
        /// The host and the port, or the socket.
        server: String,
        /// What the operating system says.
        source: Cause,
    },
    /// An encrypted connection could not be made.
    #[error(
        "no encrypted connection could be made: check `sslmode` in the database's address and the server's certificate, \
         and that one of the features `tls-rustls`, `tls-rustls-native-roots` and `tls-native-tls` of rexecutor-sqlx is on"
    )]
    Tls(#[source] Cause),
    /// The user is unknown, the password is wrong, or the server does not let this user in from here.
    #[error(
        "the server refuses the user or the password: check both in the database's address, and the server's `pg_hba.conf`"
    )]
    Refused(#[source] Cause),
    /// The connection leads to a pooler, and that was not said.
    #[error("{}", super::pooled::REMEDY)]
    Pooled(#[source] Cause),
    /// All connections that the server, the database or the role may have are in use.
    #[error(
        "the server takes no more connections: close some, use fewer with `PgOptions::max_connections`, or raise the limit \
         (`max_connections` of the server, `CONNECTION LIMIT` of the database or the role)"
    )]
    TooManyConnections(#[source] Cause),
    /// The server is starting, stopping, or recovering from a crash.
    #[error("the server takes no connections at the moment: it is starting, stopping or recovering; try again soon")]
    NotReady(#[source] Cause),
    /// No connection of the pool was free in time.
    #[error(
        "no connection of the pool was free in time: raise its `max_connections`, or keep connections for a shorter time"
    )]
    PoolBusy(#[source] Cause),
    /// The connection was lost.
    #[error("the connection to the server was lost: connect again")]
    Lost(#[source] Cause),
    /// There is no such database.
    #[error("the database does not exist: create it with `createdb`, or correct its name in the address")]
    NoDatabase(#[source] Cause),
    /// The server takes no writes: a standby, or a primary set so.
    #[error(
        "the server is read-only, and jobs are written: connect to the primary, or turn `default_transaction_read_only` off \
         in its configuration"
    )]
    ReadOnly,
    /// The server takes writes, but transactions of this role, database or client are read-only by default.
    #[error("transactions are read-only by default here, and jobs are written: run\n{sql}")]
    ReadOnlyByDefault {
        /// What is to be run.
        sql: String,
    },
    /// The role may not use the tables, or row security hides their rows from it.
    #[error("the role may not use the tables: let an administrator run\n{sql}")]
    MissingGrants {
        /// What an administrator is to run.
        sql: String,
    },
    /// The schema has tables, and no record of who made them, as after a restore of a part.
    #[error(
        "the schema {schema} has a table `jobs`, but its table `migrations` does not say by which version: restore the whole \
         schema, or use another one with `PgOptions::schema`"
    )]
    UnknownTables {
        /// The schema, quoted.
        schema: String,
    },
    /// The database's encoding lacks most characters that jobs may hold.
    #[error(
        "the database is encoded in {encoding}, and jobs hold any character: create one with `CREATE DATABASE name ENCODING \
         'UTF8' TEMPLATE template0;`"
    )]
    Encoding {
        /// The encoding.
        encoding: String,
    },
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

rexecutor::debug_as_sentence!(ConnectError);

impl ConnectError {
    /// What has happened while a connection was made.
    pub(super) fn connecting(error: sqlx::Error, options: &PgConnectOptions) -> Self {
        match error {
            sqlx::Error::Io(source) => Self::Unreachable { server: server(options), source: source.into() },
            error => Self::new(error),
        }
    }

    /// What has happened on a connection of the pool.
    pub(super) fn new(error: sqlx::Error) -> Self {
        match (&error, code(&error).as_deref()) {
            _ if is_pooled(&error) => Self::Pooled(error.into()),
            (sqlx::Error::Configuration(_), _) => Self::Address(error.into()),
            (sqlx::Error::Io(_), _) => Self::Lost(error.into()),
            (sqlx::Error::PoolTimedOut, _) => Self::PoolBusy(error.into()),
            (sqlx::Error::Tls(_), _) => Self::Tls(error.into()),
            (_, Some("28P01" | "28000")) => Self::Refused(error.into()),
            (_, Some("3D000")) => Self::NoDatabase(error.into()),
            (_, Some("53300")) => Self::TooManyConnections(error.into()),
            (_, Some("57P03")) => Self::NotReady(error.into()),
            (_, Some("25006")) => Self::ReadOnly,
            _ => Self::Database(error.into()),
        }
    }
}

impl ConnectError {
    /// Whether connecting again may succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::TooManyConnections(_)
            | Self::NotReady(_)
            | Self::PoolBusy(_)
            | Self::Lost(_)
            | Self::ReadOnly => true,
            Self::Database(cause) => cause.downcast_ref().is_some_and(is_transient),
            Self::Address(_)
            | Self::Scheme { .. }
            | Self::Tls(_)
            | Self::Refused(_)
            | Self::Pooled(_)
            | Self::NoDatabase(_)
            | Self::Encoding { .. }
            | Self::Schema { .. }
            | Self::NoPermission { .. }
            | Self::NotMigrated { .. }
            | Self::ReadOnlyByDefault { .. }
            | Self::MissingGrants { .. }
            | Self::UnknownTables { .. }
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

/// Where the server is, for people.
pub(super) fn server(options: &PgConnectOptions) -> String {
    match options.get_socket() {
        Some(socket) => socket.display().to_string(),
        None => format!("{}:{}", options.get_host(), options.get_port()),
    }
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
}
