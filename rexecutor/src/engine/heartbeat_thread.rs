//! Where a node is kept alive and watched: on a thread and a runtime of its own, where time is real.
//!
//! Jobs may compute for hours, block every thread of the runtime, or wait for each other for ever. None of it keeps this
//! thread from saying that the node lives, and which job it is that blocks.

use std::{future::pending, io, time::Duration};

use tokio::sync::oneshot;

use super::membership::Membership;
use crate::{
    clock::{Clock, SystemClock},
    context::{Environment, Watch},
};

/// How often it is looked whether a job blocks its thread.
const LOOK: Duration = Duration::from_millis(500);

/// After how many looks it is said.
const LOOKS: u32 = 2;

/// Who keeps a node alive.
pub(super) struct Heartbeats {
    /// What the node's own runtime has to keep.
    pub(super) here: Option<Box<Membership>>,
    /// What is kept apart, until this is dropped.
    pub(super) thread: Option<Thread>,
}

impl Heartbeats {
    pub(super) fn of(environment: &Environment, membership: Membership) -> Self {
        let membership = Box::new(membership);
        // On a clock that is told to move, everything happens on one thread, in one order.
        if !environment.clock.is_real() {
            return Self { here: Some(membership), thread: None };
        }
        let is_independent = environment.backend.is_membership_independent();
        let (apart, here) = if is_independent { (Some(membership), None) } else { (None, Some(membership)) };
        let watch = environment.workers.clone().map(Watch::new);
        match Thread::start(apart, watch) {
            Ok(thread) => Self { here, thread: Some(thread) },
            Err((error, apart)) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(
                    error,
                    "no thread for the heartbeat: jobs that block the runtime make the node look dead"
                );
                Self { here: here.or(apart), thread: None }
            }
        }
    }
}

/// The membership, if it is kept on the thread.
type Kept = Option<Box<Membership>>;

/// A thread that keeps a membership, and watches the workers of a node.
pub(super) struct Thread {
    end: oneshot::Sender<()>,
    gone: oneshot::Receiver<()>,
}

impl Thread {
    /// Starts it; gives the membership back if the system has no thread.
    fn start(membership: Kept, watch: Option<Watch>) -> Result<Self, (io::Error, Kept)> {
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return Err((error, membership)),
        };
        let (end, ended) = oneshot::channel();
        let (has_gone, gone) = oneshot::channel();
        // Handed over when there is a thread: what it would hold is lost if there is none.
        let (hand_over, handed) = std::sync::mpsc::sync_channel(1);
        let log = tracing::dispatcher::get_default(Clone::clone);
        let work = move || {
            let Ok(membership) = handed.recv() else { return };
            logging_to(log, || runtime.block_on(keep(membership, watch, ended)));
            // Nothing that a backend has left under way is waited for.
            runtime.shutdown_background();
            drop::<oneshot::Sender<()>>(has_gone);
        };
        match std::thread::Builder::new().name("rexecutor-node".to_owned()).spawn(work) {
            Ok(_) => {
                // It waits for this.
                let _ = hand_over.send(membership);
                Ok(Self { end, gone })
            }
            Err(error) => Err((error, membership)),
        }
    }

    /// Leaves the cluster, and waits until that is done.
    pub(super) async fn end(self) {
        let _ = self.end.send(());
        let _ = self.gone.await;
    }
}

/// Leaves when it is told to; says nothing any more when nobody is left to tell it.
async fn keep(membership: Kept, watch: Option<Watch>, ended: oneshot::Receiver<()>) {
    let mut keeping = Box::pin(async {
        match &membership {
            Some(membership) => membership.keep().await,
            None => pending().await,
        }
    });
    tokio::select! {
        biased;
        is_over = ended => {
            if let (Ok(()), Some(membership)) = (is_over, &membership) {
                membership.end(keeping).await;
            }
        }
        () = &mut keeping => {}
        () = look(watch) => {}
    }
}

/// Names the jobs that block a thread of the runtime.
async fn look(watch: Option<Watch>) {
    let Some(mut watch) = watch else { return pending().await };
    loop {
        SystemClock.sleep(LOOK).await;
        for (id, executor) in watch.look(LOOKS) {
            tracing::warn!(
                job.id = id.as_i64(),
                job.executor = executor,
                "the job blocks a thread of the runtime, and all that waits for it: write `#[job(blocking)]`, or do the work \
                 in `tokio::task::spawn_blocking`"
            );
        }
    }
}

/// What is logged on the thread goes where it goes on the one that has started the node.
fn logging_to(log: tracing::Dispatch, work: impl FnOnce()) {
    match log.is::<tracing::subscriber::NoSubscriber>() {
        true => work(),
        false => tracing::dispatcher::with_default(&log, work),
    }
}
