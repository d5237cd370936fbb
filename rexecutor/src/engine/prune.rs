//! Deleting finished jobs in small batches, so that no statement locks much or lasts long.
//!
//! A task of its own does it: the ticker, which says when, must not wait for what may take minutes.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures::future::try_join_all;
use tokio::sync::Notify;

use crate::{
    context::Environment,
    model::{BackendError, PruneSpec, Result, ScheduleKey},
};

/// How many jobs are deleted by one statement.
const BATCH: usize = 1_000;

/// What is to be pruned, in the order in which it became due.
#[derive(Debug, Default)]
pub(super) struct DuePrunes {
    due: Mutex<VecDeque<DuePrune>>,
    added: Notify,
}

/// What one tick has asked for.
#[derive(Debug, Clone)]
struct DuePrune {
    key: ScheduleKey,
    specs: Arc<[PruneSpec]>,
    /// How many of the specs are worked on at once.
    at_once: usize,
}

impl DuePrunes {
    /// Adds a prune, unless one of the same schedule is waiting or under way: it deletes whatever has become old meanwhile.
    pub(super) fn add(&self, key: &ScheduleKey, specs: &Arc<[PruneSpec]>, at_once: usize) {
        let mut due = self.due();
        if due.iter().all(|prune| prune.key != *key) {
            due.push_back(DuePrune { key: key.clone(), specs: specs.clone(), at_once });
            drop(due);
            self.added.notify_one();
        }
    }

    /// Waits for a prune and does it. After an error that may pass it is still the next one.
    pub(super) async fn prune_next(&self, environment: &Environment) -> Result<()> {
        let first = loop {
            match self.first() {
                Some(first) => break first,
                None => self.added.notified().await,
            }
        };
        let result = prune(environment, &first.specs, first.at_once).await;
        if !result.as_ref().is_err_and(BackendError::is_transient) {
            self.due().pop_front();
        }
        result
    }

    #[cfg(feature = "__testing")]
    pub(super) fn is_empty(&self) -> bool {
        self.due().is_empty()
    }

    fn first(&self) -> Option<DuePrune> {
        self.due().front().cloned()
    }

    fn due(&self) -> MutexGuard<'_, VecDeque<DuePrune>> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Deletes all that the specs name, `at_once` specs at a time.
async fn prune(environment: &Environment, specs: &[PruneSpec], at_once: usize) -> Result<()> {
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
