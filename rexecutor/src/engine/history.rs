//! Storing how the node's runs went: one statement in five seconds at most, and none while nothing ends.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use futures::FutureExt;

use super::{outage::Outage, supervise::supervise};
use crate::{
    backend::history,
    clock::Clock,
    context::Environment,
    model::{BackendError, HistoryStep, Result},
};

/// How long what has ended waits to be stored, and how long after one statement the next one goes out at the earliest.
const PAUSE: Duration = Duration::from_secs(5);

/// How often what is old is rolled up, by nodes whose runs end.
const ROLL_UP: Duration = Duration::from_secs(3600);

/// For how long a node that ends tries to store the rest.
const LAST_TRY: Duration = Duration::from_secs(2);

/// Stores how runs went, until it is dropped.
pub(super) async fn store(environment: Environment, outage: Outage) {
    let due = Mutex::new(RollUps { at: environment.clock.elapsed(), left: Vec::new() });
    supervise(outage, || step(&environment, &due).boxed()).await;
}

/// Which steps are to be rolled up.
struct RollUps {
    /// When to look at all of them again.
    at: Duration,
    /// Those of the present look.
    left: Vec<HistoryStep>,
}

impl RollUps {
    fn next(&mut self, now: Duration) -> Option<HistoryStep> {
        if now >= self.at {
            self.at = now.saturating_add(ROLL_UP);
            // From the end: what a step gives to the next one is a part of that when its turn comes.
            self.left = HistoryStep::ALL.iter().rev().copied().collect();
        }
        self.left.last().copied()
    }
}

/// On a task of its own: a call that is under way when the node ends is waited for, and not made again.
async fn store_now(environment: &Environment) -> Result<()> {
    let environment = environment.clone();
    let store = async move { environment.recorder.store(&*environment.backend, || environment.clock.elapsed()).await };
    let stored = tokio::spawn(store).await;
    stored.unwrap_or_else(|error| Err(BackendError::message(format!("storing the history: {error}"))))
}

async fn step(environment: &Environment, due: &Mutex<RollUps>) -> Result<()> {
    environment.recorder.news().await;
    environment.clock.sleep(PAUSE).await;
    store_now(environment).await?;
    let lock = || due.lock().unwrap_or_else(PoisonError::into_inner);
    let next = lock().next(environment.clock.elapsed());
    if let Some(next) = next {
        environment.clock.sleep(PAUSE).await;
        let has_more = history(&*environment.backend)?.roll_up(next).await?;
        if !has_more {
            lock().left.pop();
            let is_done = lock().left.is_empty();
            prune_audit_log(environment, is_done).await?;
        }
    }
    Ok(())
}

/// Deletes what the audit log has kept for long enough, once all steps are rolled up: there may be nobody who records anything, which does
/// the same.
async fn prune_audit_log(environment: &Environment, is_due: bool) -> Result<()> {
    match environment.backend.audit_log().filter(|_| is_due) {
        Some(audit_log) => audit_log.prune_audit().await.map(drop),
        None => Ok(()),
    }
}

/// Stores what is left once nothing runs any more.
pub(super) async fn store_last(environment: &Environment) {
    if environment.backend.history().is_none() {
        return;
    }
    tokio::select! {
        biased;
        stored = environment.recorder.store(&*environment.backend, || environment.clock.elapsed()) => {
            if let Err(error) = stored {
                tracing::debug!(error = &error as &dyn std::error::Error, "the last of the history is lost");
            }
        }
        () = environment.clock.sleep(LAST_TRY) => {}
    }
}
