//! Looking, now and then, for stored jobs that no living node runs: those of a function that was renamed, or of a library
//! that the linker left out. Nobody else would say a word about them.
//!
//! Every node looks a second after it has joined or its executors have changed, and then once a minute, and says what it
//! finds once. The look is one statement, beside the claims.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use futures::FutureExt;
use tokio::sync::watch;

use super::{outage::Outage, supervise::supervise};
use crate::{
    backend::Survey,
    context::Environment,
    model::{ExecutorName, NodeId, Result, Unserved},
};

/// How long after a change the node looks, so that executors that are added one by one are all known.
const DELAY: Duration = Duration::from_secs(1);

/// How often it looks; less often only where the node polls less often.
const INTERVAL: Duration = Duration::from_secs(60);

/// What the node is at present, and which executors it runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Presence {
    pub(super) node: Option<NodeId>,
    pub(super) executors: BTreeSet<ExecutorName>,
}

/// Looks again and again, until it is dropped.
pub(super) async fn look(
    environment: Environment,
    presence: watch::Receiver<Presence>,
    poll: Duration,
    outage: Outage,
) {
    let Some(survey) = environment.backend.survey() else { return };
    let said = Mutex::default();
    supervise(outage, || step(&environment, survey, presence.clone(), &said, poll.max(INTERVAL)).boxed()).await;
}

async fn step(
    environment: &Environment,
    survey: &dyn Survey,
    mut presence: watch::Receiver<Presence>,
    said: &Mutex<BTreeSet<ExecutorName>>,
    interval: Duration,
) -> Result<()> {
    environment.clock.sleep(DELAY).await;
    let Presence { node, executors } = presence.borrow_and_update().clone();
    if let Some(node) = node {
        let executors: Vec<_> = executors.into_iter().collect();
        say(&survey.unserved(node, &executors).await?, said);
    }
    tokio::select! {
        biased;
        changed = presence.changed() => match changed {
            Ok(()) => {}
            // The dispatcher has ended, and with it the node.
            Err(_) => std::future::pending().await,
        },
        () = environment.clock.sleep(interval) => {}
    }
    Ok(())
}

/// Says what was not said at the last look.
fn say(unserved: &[Unserved], said: &Mutex<BTreeSet<ExecutorName>>) {
    let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
    for Unserved { executor, jobs } in unserved.iter().filter(|unserved| !said.contains(&unserved.executor)) {
        let count = match *jobs {
            1 => "1 job waits".to_owned(),
            Unserved::MOST_JOBS => format!("{jobs} or more jobs wait"),
            jobs => format!("{jobs} jobs wait"),
        };
        tracing::warn!(job.executor = %executor, jobs, "{count} for `{executor}`, which no live node runs");
    }
    *said = unserved.iter().map(|unserved| unserved.executor.clone()).collect();
}
