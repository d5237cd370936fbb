//! Why jobs of 0.1 were not moved.

use rexecutor::backend::BackendError;

/// Why jobs of rexecutor 0.1 were not moved, or not all of them. What was moved until then stays moved, and the same call resumes it.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The backend is on SQLite, where 0.1 had no tables.
    #[error(
        "this is an SQLite database, and rexecutor 0.1 kept jobs in PostgreSQL alone: name the database that it uses"
    )]
    NotPostgres,
    /// There is no table of 0.1.
    #[error(
        "there is no table `{schema}.rexecutor_jobs` in this database: name the database that rexecutor 0.1 uses, or the schema with \
         `--from-schema` (`Import01::from_schema`)"
    )]
    NoTable {
        /// The schema that was looked in.
        schema: String,
    },
    /// The table is not as 0.1.1 makes it.
    #[error("the table `{schema}.rexecutor_jobs` is not that of rexecutor 0.1.1: {problem}")]
    OtherTable {
        /// Its schema.
        schema: String,
        /// What is different.
        problem: String,
    },
    /// This role may not do with the tables what is needed to move jobs.
    #[error("the role `{role}` may not move the jobs of `{schema}.rexecutor_jobs`: an administrator is to run: {sql}")]
    NoRights {
        /// The schema of the table.
        schema: String,
        /// The role that is connected.
        role: String,
        /// The statements that grant what it lacks.
        sql: String,
    },
    /// Programs of 0.1 are connected.
    #[error(
        "{} of rexecutor 0.1 {} connected: {}: stop all of them, also those that only enqueue, or move the jobs that wait with `--live` \
         (`Import01::live`)",
        if sessions.len() == 1 { "a program" } else { "programs" },
        if sessions.len() == 1 { "is" } else { "are" },
        sessions.join(", ")
    )]
    ProgramsAlive {
        /// The sessions that listen for its jobs.
        sessions: Vec<String>,
    },
    /// This role may not see what other sessions do.
    #[error(
        "this role may not see what {} of other roles do in this database, so programs of rexecutor 0.1 may run: connect as their role or as \
         one that is granted `pg_read_all_stats`, or, if they are stopped, say so with `--stopped` (`Import01::assume_stopped`)",
        if *sessions == 1 { "1 session".to_owned() } else { format!("{sessions} sessions") }
    )]
    Hidden {
        /// How many sessions.
        sessions: usize,
    },
    /// The database failed.
    #[error(transparent)]
    Backend(#[from] BackendError),
}

rexecutor::debug_as_sentence!(ImportError);

impl ImportError {
    /// Whether the same call may succeed later without anybody having done anything.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Backend(error) if error.is_transient())
    }
}

pub(crate) type Result<T, E = ImportError> = std::result::Result<T, E>;
