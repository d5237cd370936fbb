//! The names under which an executor's jobs are stored: its own, and former ones.

use crate::{
    backend::Inspect,
    executing::Executor,
    model::{ExecutorName, Filter, JobId, Result},
};

/// Which jobs are of this executor.
pub(crate) fn stored<E: Executor>() -> Filter {
    let names = std::iter::once(E::NAME).chain(E::ALIASES.iter().copied());
    match E::ALIASES {
        [] => Filter::Executor(E::NAME.into()),
        _ => Filter::Any(names.map(|name| Filter::Executor(name.into())).collect()),
    }
}

/// Under which name this job is stored. Only where there are former names, it is looked up.
pub(crate) async fn name_of<E: Executor, B: Inspect + ?Sized>(job: JobId, backend: &B) -> Result<ExecutorName> {
    if E::ALIASES.is_empty() {
        return Ok(E::NAME.into());
    }
    let found = backend.query(&stored::<E>().and(Filter::IdIn(vec![job])), 1).await?.pop();
    Ok(found.map_or_else(|| E::NAME.into(), |row| row.executor))
}
