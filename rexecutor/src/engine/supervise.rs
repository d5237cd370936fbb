//! Loops that must not end.

use std::panic::AssertUnwindSafe;

use futures::{FutureExt, future::BoxFuture};

use super::outage::Outage;
use crate::model::{BackendError, Result};

/// Runs `step` again and again, after a pause if it failed or panicked, for as long as the future is polled.
pub(super) async fn supervise<'a>(mut outage: Outage, mut step: impl FnMut() -> BoxFuture<'a, Result<()>>) {
    loop {
        match AssertUnwindSafe(async { step().await }).catch_unwind().await {
            Ok(Ok(())) => outage.is_over(),
            Ok(Err(error)) => outage.failed(&error).await,
            Err(_) => outage.failed(&BackendError::message(format!("{} panicked", outage.what()))).await,
        }
    }
}
