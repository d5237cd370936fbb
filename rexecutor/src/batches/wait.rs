//! Waiting for a batch.

use std::{future::IntoFuture, sync::Arc, time::Duration};

use futures::future::BoxFuture;

use super::{error::BatchError, handle::BatchHandle};
use crate::{
    backend::Backend,
    clock::{Clock, SystemClock},
    model::BatchSummary,
    results::FlowNews,
};

/// How long until a backend that failed is asked again.
const ASK_AGAIN: Duration = Duration::from_millis(200);

/// A wait for a batch, which begins when it is awaited; [`BatchHandle::wait`] makes it.
///
/// # Cancel safety
///
/// When the future is dropped nothing happens to the batch.
#[must_use = "nothing is waited for until it is awaited"]
#[derive(Debug)]
pub struct BatchWait {
    batch: BatchHandle,
    limit: Option<Duration>,
}

impl BatchWait {
    pub(super) fn new(batch: BatchHandle) -> Self {
        Self { batch, limit: None }
    }

    /// For this long at most; then it gives [`BatchError::TimedOut`], and the batch goes on. The default is: until the batch has finished. An
    /// outage of the backend is waited out.
    pub fn within(self, limit: Duration) -> Self {
        Self { limit: Some(limit), ..self }
    }

    async fn run(self) -> Result<BatchSummary, BatchError> {
        let Self { batch, limit } = self;
        let backend = batch.backend()?;
        let time = limit.map(|limit| (limit, SystemClock.sleep(limit)));
        match time {
            None => end_of(&batch, &backend).await,
            Some((limit, time)) => tokio::select! {
                biased;
                end = end_of(&batch, &backend) => end,
                () = time => Err(BatchError::TimedOut { batch: batch.id(), limit }),
            },
        }
    }
}

async fn end_of(batch: &BatchHandle, backend: &Arc<dyn Backend>) -> Result<BatchSummary, BatchError> {
    loop {
        // Before the look: an end after it is heard.
        let news = FlowNews::of(backend)?;
        match batch.state(&**backend).await {
            Ok(state) => match state.flow.end() {
                Some(end) => return Ok(end.clone()),
                None => news.listen().await,
            },
            Err(error) if error.is_transient() => SystemClock.sleep(ASK_AGAIN).await,
            Err(error) => return Err(error),
        }
    }
}

impl IntoFuture for BatchWait {
    type Output = Result<BatchSummary, BatchError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}
