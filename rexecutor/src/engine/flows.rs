//! Looking, now and then, for flows about which nobody has decided: whoever ended the last job died before, or the job's deadline came, or
//! its node died. Whoever ends a job of a flow decides by itself.

use std::time::Duration;

use futures::FutureExt;

use super::{outage::Outage, supervise::supervise};
use crate::{backend::Flows, context::Environment, model::Result};

/// Looks again and again, until it is dropped.
pub(super) async fn sweep(environment: Environment, interval: Duration, outage: Outage) {
    if let Some(flows) = environment.backend.flows() {
        supervise(outage, || step(&environment, flows, interval).boxed()).await;
    }
}

async fn step(environment: &Environment, flows: &dyn Flows, interval: Duration) -> Result<()> {
    environment.clock.sleep(interval).await;
    flows.sweep_flows().await.map(drop)
}
