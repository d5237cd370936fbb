//! When the file is open: from the start until nobody is left to ask, but not while the nodes of this process have left and
//! nothing is asked. So a program whose node has left leaves no log beside the file, though something still holds the
//! backend.

use std::sync::Arc;

use rexecutor::backend::BackendError;

use super::{
    core::Core,
    error::OpenError,
    request::{Arrival, Inbox, Request},
};

/// Serves until nobody is left to ask.
pub(super) async fn serve(mut core: Core, open: impl AsyncFn() -> Result<Core, OpenError>, mut inbox: Inbox) {
    let mut round = Vec::new();
    // Whoever waits for the file to be closed learns of it when the answers are dropped.
    while let Some(answers) = core.serve(&mut inbox, round).await {
        drop(answers);
        (core, round) = match open_again(&open, &mut inbox).await {
            Some(opened) => opened,
            None => return,
        };
    }
}

/// Waits for a request that needs the file, and opens it.
async fn open_again(
    open: &impl AsyncFn() -> Result<Core, OpenError>,
    inbox: &mut Inbox,
) -> Option<(Core, Vec<Arrival>)> {
    let mut round = Vec::new();
    while inbox.wait(&mut round).await {
        round.extend(std::iter::from_fn(|| inbox.urgent()).map(|step| step.map(Request::Step)));
        round.retain(|arrival: &Arrival| arrival.request.needs_the_file());
        if round.is_empty() {
            continue;
        }
        match open().await {
            Ok(core) => return Some((core, round)),
            Err(error) => {
                let error = Arc::new(error);
                for arrival in round.drain(..) {
                    arrival.request.refuse(|| not_opened(&error)).await;
                }
            }
        }
    }
    None
}

fn not_opened(error: &Arc<OpenError>) -> BackendError {
    const WHAT: &str = "the SQLite file could not be opened again";
    match error.is_transient() {
        true => BackendError::transient(WHAT, error.clone()),
        false => BackendError::permanent(WHAT, error.clone()),
    }
}
