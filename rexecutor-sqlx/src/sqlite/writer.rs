//! The one connection that writes, and the thread that owns it.

use rexecutor::backend::Result;
use tokio::sync::{mpsc, oneshot};

use super::{
    core::{Call, Commit, Core, Request, Step},
    error::{OpenError, backend_error, stopped},
    work::Work,
};

/// The way to the thread. When the last one is dropped, the thread finishes its work, closes the file and ends.
#[derive(Debug)]
pub(super) struct Writer {
    requests: mpsc::UnboundedSender<Request>,
    /// Answers once the file is closed.
    closed: oneshot::Receiver<()>,
}

impl Writer {
    /// Starts the thread, which opens the connection by calling `open`.
    pub(super) async fn start(
        open: impl AsyncFnOnce() -> Result<Core, OpenError> + Send + 'static,
    ) -> Result<Self, OpenError> {
        let (requests, inbox) = mpsc::unbounded_channel();
        let (opened, is_open) = oneshot::channel();
        let (finished, closed) = oneshot::channel();
        let failed = |source: std::io::Error| OpenError::Failed { path: "a new thread".into(), source: source.into() };
        // The runtime belongs to the thread: the caller's may have no timer, or end before the backend does.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().map_err(failed)?;
        let work = move || {
            runtime.block_on(async {
                match open().await {
                    Ok(core) => {
                        // An error means that nobody waits any more; then the inbox has ended, too.
                        let _ = opened.send(Ok(()));
                        core.serve(inbox).await;
                    }
                    Err(error) => drop(opened.send(Err(error))),
                }
            });
            let _ = finished.send(());
        };
        std::thread::Builder::new().name("rexecutor-sqlite".to_owned()).spawn(work).map_err(failed)?;
        is_open.await.unwrap_or_else(|_| Err(failed(std::io::Error::other("the thread ended"))))?;
        Ok(Self { requests, closed })
    }

    pub(super) fn requests(&self) -> &mpsc::UnboundedSender<Request> {
        &self.requests
    }

    pub(super) async fn close(self) {
        drop(self.requests);
        // An error means that the thread is gone, which is as good.
        let _ = self.closed.await;
    }

    /// Runs a step in a transaction of its own.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        commit: Commit,
        step: impl AsyncFnOnce(&mut Work<'_>) -> Result<T, sqlx::Error> + Send + 'static,
    ) -> Result<T> {
        let step = async |work: &mut Work<'_>| {
            work.open().await?;
            step(work).await
        };
        self.run(async move |core: &mut Core| core.transact(commit, step).await).await
    }

    /// Runs a step outside a transaction.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        step: impl AsyncFnOnce(&mut Core) -> Result<T, sqlx::Error> + Send + 'static,
    ) -> Result<T> {
        let (answer, answered) = oneshot::channel();
        let step: Step = Box::new(move |core| {
            Box::pin(async move {
                // An error means that nobody waits any more.
                let _ = answer.send(step(core).await.map_err(backend_error));
            })
        });
        self.requests.send(Request::Step(step)).map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
    }

    /// Hands in items that may share a transaction with those of other callers.
    pub(super) async fn share<I, O>(&self, items: I, request: fn(Call<I, O>) -> Request) -> Result<Vec<O>> {
        let (answer, answered) = oneshot::channel();
        self.requests.send(request(Call { items, answer })).map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
    }
}
