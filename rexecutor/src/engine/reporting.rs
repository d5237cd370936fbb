//! Storing what the node's jobs say of themselves: at once, and then four times a second at most, whatever they do.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use futures::FutureExt;

use super::{outage::Outage, supervise::supervise};
use crate::{backend::reports, context::Environment, model::Result};

/// How long after one statement the next one goes out at the earliest.
const PAUSE: Duration = Duration::from_millis(250);

/// How often what belongs to jobs that are gone is deleted, by nodes whose jobs say something.
const SWEEP: Duration = Duration::from_secs(3600);

/// For how long a node that ends tries to store the rest.
const LAST_TRY: Duration = Duration::from_secs(2);

/// Stores what jobs say, until it is dropped.
pub(super) async fn store(environment: Environment, outage: Outage) {
    let sweeps = AtomicBool::new(true);
    let mut sweep_at = Duration::ZERO;
    supervise(outage, || {
        let now = environment.clock.elapsed();
        if now >= sweep_at {
            sweep_at = now.saturating_add(SWEEP);
            sweeps.store(true, Ordering::Relaxed);
        }
        step(&environment, &sweeps).boxed()
    })
    .await;
}

async fn step(environment: &Environment, sweeps: &AtomicBool) -> Result<()> {
    environment.reporter.news().await;
    let is_stored = environment.reporter.store(&*environment.backend).await?;
    if is_stored && sweeps.swap(false, Ordering::Relaxed) {
        reports(&*environment.backend)?.sweep().await?;
    }
    environment.clock.sleep(PAUSE).await;
    Ok(())
}

/// Stores what is left once nothing runs any more.
pub(super) async fn store_last(environment: &Environment) {
    tokio::select! {
        biased;
        stored = environment.reporter.store(&*environment.backend) => {
            if let Err(error) = stored {
                tracing::debug!(error = &error as &dyn std::error::Error, "the last progress of jobs is lost");
            }
        }
        () = environment.clock.sleep(LAST_TRY) => {}
    }
}
