//! Deleting finished jobs in small batches, so that no statement locks much or lasts long.

use futures::future::try_join_all;

use crate::{
    context::Environment,
    model::{PruneSpec, Result},
};

/// How many jobs go at once.
const BATCH: usize = 1_000;

/// Deletes all that the specs name, `at_once` specs at a time.
pub(super) async fn prune(environment: &Environment, specs: &[PruneSpec], at_once: usize) -> Result<()> {
    for specs in specs.chunks(at_once.max(1)) {
        try_join_all(specs.iter().map(|spec| prune_one(environment, spec))).await?;
    }
    Ok(())
}

async fn prune_one(environment: &Environment, spec: &PruneSpec) -> Result<()> {
    let mut total = 0;
    loop {
        let count = environment.backend.prune(spec, BATCH).await?;
        total += count;
        if count < BATCH {
            tracing::debug!(total, status = %spec.status, "finished jobs were pruned");
            return Ok(());
        }
    }
}
