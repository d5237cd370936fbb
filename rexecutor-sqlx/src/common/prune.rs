//! Whose jobs a pruner means.

use rexecutor::{backend::BackendError, job::ExecutorName, pruner::PruneScope};

/// Executors, and whether they are those meant or those spared.
pub(crate) struct Meant {
    pub(crate) executors: Vec<String>,
    pub(crate) are_meant: bool,
}

impl Meant {
    /// Those of a scope.
    ///
    /// # Errors
    ///
    /// When the scope is of a newer version of rexecutor: to take it for everybody's would delete too much.
    pub(crate) fn by(scope: &PruneScope) -> Result<Self, BackendError> {
        let names = |names: &[ExecutorName]| names.iter().map(ToString::to_string).collect();
        match scope {
            // All but none.
            PruneScope::All => Ok(Self { executors: Vec::new(), are_meant: false }),
            PruneScope::Only(executors) => Ok(Self { executors: names(executors), are_meant: true }),
            PruneScope::Except(executors) => Ok(Self { executors: names(executors), are_meant: false }),
            scope => Err(unknown("scope", scope)),
        }
    }
}

/// What is said of a rule or a scope that this version does not know.
pub(crate) fn unknown(what: &str, value: &dyn std::fmt::Debug) -> BackendError {
    BackendError::message(format!(
        "the {what} {value:?} for pruning is newer than this backend: update `rexecutor-sqlx`"
    ))
}
