//! Why a copy was not made, or not to its end.

use rexecutor::backend::BackendError;

/// Why a database was not copied, or not to its end. What was done until then stays, and the same call resumes it.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum CopyError {
    /// Nodes are alive on the source, or on the target.
    #[error(
        "{} alive on {database}: {}{}",
        if nodes.len() == 1 { "a node is".to_owned() } else { format!("{} nodes are", nodes.len()) },
        nodes.join(", "),
        if *database == "the source" { ": stop them, or move the jobs that wait with `--live` (`DatabaseCopy::live`)" } else { ": stop them" }
    )]
    NodesAlive {
        /// `the source` or `the target`.
        database: &'static str,
        /// Their labels.
        nodes: Vec<String>,
    },
    /// The target has jobs that are not of this source.
    #[error(
        "the target has other jobs: copy to an empty database, or move the jobs that wait with `--live` (`DatabaseCopy::live`)"
    )]
    OtherJobs,
    /// The target is a complete copy of the source already.
    #[error(
        "the target is a complete copy of the source already: copy to an empty database, or move the jobs that were enqueued \
         since with `--live` (`DatabaseCopy::live`)"
    )]
    CopiedAlready,
    /// The target is an incomplete copy of the source, or of another database.
    #[error("the target is an incomplete copy of {}: complete that copy first, without `--live`", if *of_source { "the source" } else { "another database" })]
    Incomplete {
        /// Whether of this source.
        of_source: bool,
    },
    /// Jobs of the source, or of the target, are on their way to a database.
    #[error(
        "{} of {database} {} way to another database: run that copy again, with `--live`, so that {}",
        if *jobs == 1 { "a job".to_owned() } else { format!("{jobs} jobs") },
        if *jobs == 1 { "is on its" } else { "are on their" },
        if *jobs == 1 { "it arrives" } else { "they arrive" }
    )]
    UnderWay {
        /// `the source` or `the target`.
        database: &'static str,
        /// How many.
        jobs: u64,
    },
    /// Source and target are the same database.
    #[error(
        "the source and the target are the same database, or one is a copy of the other's file: name two databases"
    )]
    SameDatabase,
    /// The tables are not those that this program knows.
    #[error(
        "the tables of {database} have version {found}, and this program copies version {known} only: {}",
        if found > known { "update this program" } else { "migrate them" }
    )]
    OtherTables {
        /// `the source` or `the target`.
        database: &'static str,
        /// The version of its tables.
        found: i64,
        /// The version that is known.
        known: i64,
    },
    /// A later copy of the same source has started.
    #[error("another copy of this source has started, and takes over")]
    Overtaken,
    /// A row cannot be stored in the target, or cannot be read in the source.
    #[error("{row}: {problem}: change or delete it in the source, and run the copy again")]
    Row {
        /// Which row.
        row: String,
        /// What is wrong with it.
        problem: String,
    },
    /// What the source and the target have still differs after it was copied several times.
    #[error(
        "{rows} {} of the table `{table}`, because one of the databases is being changed: stop all programs that use them, and run the copy again",
        if *rows == 1 { "row differs" } else { "rows differ" }
    )]
    Changing {
        /// The first table that differs.
        table: &'static str,
        /// How many of its rows.
        rows: u64,
    },
    /// A database failed.
    #[error(transparent)]
    Backend(#[from] BackendError),
}

rexecutor::debug_as_sentence!(CopyError);

impl CopyError {
    /// Whether the same call may succeed later without anybody having done anything.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Backend(error) if error.is_transient())
    }
}

pub(crate) type Result<T, E = CopyError> = std::result::Result<T, E>;
