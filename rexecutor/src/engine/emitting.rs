//! Storing what the node's jobs stream: at once, and then ten times a second at most, whatever they do; sooner where a run that has ended
//! waits for it.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use futures::FutureExt;

use super::{outage::Outage, supervise::supervise};
use crate::{backend::streams, context::Environment, model::Result};

/// How long after one statement the next one goes out at the earliest.
const PAUSE: Duration = Duration::from_millis(100);

/// How often what belongs to jobs that are gone is deleted, by nodes whose jobs stream something.
const SWEEP: Duration = Duration::from_secs(3600);

/// Stores what jobs stream, until it is dropped.
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
    environment.emitter.news().await;
    let is_stored = environment.emitter.store(&*environment.backend).await?;
    if is_stored && sweeps.swap(false, Ordering::Relaxed) {
        streams(&*environment.backend)?.sweep_streams().await?;
    }
    tokio::select! {
        biased;
        () = environment.emitter.hurry() => {}
        () = environment.clock.sleep(PAUSE) => {}
    }
    Ok(())
}
