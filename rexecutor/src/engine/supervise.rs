//! Loops that must not end.

use std::{panic::AssertUnwindSafe, sync::Arc};

use futures::{FutureExt, future::BoxFuture};

use super::outage::Outage;
use crate::{
    backend::{BackendError, Result},
    clock::Clock,
};

/// Runs `step` again and again, after a pause if it failed or panicked, for as long as the future is polled.
pub(super) async fn supervise<'a>(
    clock: Arc<dyn Clock>,
    what: &'static str,
    mut step: impl FnMut() -> BoxFuture<'a, Result<()>>,
) {
    let mut outage = Outage::new(clock, what);
    loop {
        match AssertUnwindSafe(async { step().await }).catch_unwind().await {
            Ok(Ok(())) => outage.is_over(),
            Ok(Err(error)) => outage.failed(&error).await,
            Err(_) => outage.failed(&BackendError::message(format!("{what} panicked"))).await,
        }
    }
}
