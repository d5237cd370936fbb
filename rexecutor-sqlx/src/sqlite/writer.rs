//! The one connection that writes, and the thread that owns it.

use rexecutor::backend::Result;
use tokio::sync::oneshot;

use super::{
    core::{Commit, Core},
    error::{OpenError, backend_error, stopped},
    request::{Call, Request, Requests, Step},
    serve::serve,
    work::Work,
};
use crate::common::log;

/// The way to the thread. When the last one is dropped, the thread finishes its work, closes the file and ends.
#[derive(Debug)]
pub(super) struct Writer {
    requests: Requests,
    /// Answers once the file is closed.
    closed: oneshot::Receiver<()>,
}

impl Writer {
    /// Starts the thread, which opens the connection by calling `open`.
    pub(super) async fn start(
        open: impl AsyncFn() -> Result<Core, OpenError> + Send + 'static,
    ) -> Result<Self, OpenError> {
        let (requests, inbox) = Requests::channel();
        let (opened, is_open) = oneshot::channel();
        let (finished, closed) = oneshot::channel();
        let failed = |source: std::io::Error| OpenError::Failed { path: "a new thread".into(), source: source.into() };
        // The runtime belongs to the thread: the caller's may have no timer, or end before the backend does.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().map_err(failed)?;
        let log = log();
        let work = move || {
            // What the thread logs goes where the log of this task goes.
            let _log = log.as_ref().map(tracing::dispatcher::set_default);
            runtime.block_on(async {
                match open().await {
                    Ok(core) => {
                        // An error means that nobody waits any more; then the inbox has ended, too.
                        let _ = opened.send(Ok(()));
                        serve(core, open, inbox).await;
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

    pub(super) fn requests(&self) -> &Requests {
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
        self.run(in_transaction(commit, step)).await
    }

    /// … before everything that waits: at the end of the transaction that is under way.
    pub(super) async fn write_at_once<T: Send + 'static>(
        &self,
        commit: Commit,
        step: impl AsyncFnOnce(&mut Work<'_>) -> Result<T, sqlx::Error> + Send + 'static,
    ) -> Result<T> {
        self.run_at_once(in_transaction(commit, step)).await
    }

    /// Runs a step outside a transaction.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        step: impl AsyncFnOnce(&mut Core) -> Result<T, sqlx::Error> + Send + 'static,
    ) -> Result<T> {
        let (answer, answered) = oneshot::channel();
        self.requests.send(Request::Step(answering(step, answer)))?;
        answered.await.map_err(|_| stopped())?
    }

    /// … before everything that waits.
    pub(super) async fn run_at_once<T: Send + 'static>(
        &self,
        step: impl AsyncFnOnce(&mut Core) -> Result<T, sqlx::Error> + Send + 'static,
    ) -> Result<T> {
        let (answer, answered) = oneshot::channel();
        self.requests.send_urgent(answering(step, answer))?;
        answered.await.map_err(|_| stopped())?
    }

    /// … unless the file is not open; then there is no answer.
    pub(super) async fn peek<T: Send + 'static>(
        &self,
        step: impl AsyncFnOnce(&mut Core) -> Result<T, sqlx::Error> + Send + 'static,
    ) -> Result<Option<T>> {
        let (answer, answered) = oneshot::channel();
        self.requests.send(Request::Peek(answering(step, answer)))?;
        answered.await.ok().transpose()
    }

    /// Closes the file until something is asked, if the last node of this process has left; returns once that is done.
    pub(super) async fn rest(&self) {
        let (answer, answered) = oneshot::channel();
        if self.requests.send(Request::Rest(answer)).is_ok() {
            // It is an error either way.
            let _ = answered.await;
        }
    }

    /// Hands in items that may share a transaction with those of other callers.
    pub(super) async fn share<I, O>(&self, items: I, request: fn(Call<I, O>) -> Request) -> Result<Vec<O>> {
        let (answer, answered) = oneshot::channel();
        self.requests.send(request(Call { items, answer }))?;
        answered.await.map_err(|_| stopped())?
    }
}

/// A step in a transaction of its own.
fn in_transaction<T>(
    commit: Commit,
    step: impl AsyncFnOnce(&mut Work<'_>) -> Result<T, sqlx::Error> + Send + 'static,
) -> impl AsyncFnOnce(&mut Core) -> Result<T, sqlx::Error> + Send + 'static {
    let step = async |work: &mut Work<'_>| {
        work.open().await?;
        step(work).await
    };
    async move |core: &mut Core| core.transact(commit, step).await
}

/// A step whose answer goes there.
fn answering<T: Send + 'static>(
    step: impl AsyncFnOnce(&mut Core) -> Result<T, sqlx::Error> + Send + 'static,
    answer: oneshot::Sender<Result<T>>,
) -> Step {
    Box::new(move |core| {
        Box::pin(async move {
            let result = match core {
                Ok(core) => step(core).await.map_err(backend_error),
                Err(error) => Err(error),
            };
            // An error means that nobody waits any more.
            let _ = answer.send(result);
        })
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rexecutor::backend::{Maintain, Node};

    use super::*;
    use crate::SqliteBackend;

    #[tokio::test]
    async fn case_12_a_heartbeat_waits_for_nothing_but_what_is_under_way() {
        let backend = SqliteBackend::in_memory().await.unwrap();
        let node = backend.join(&Node::new("test", Duration::from_secs(60))).await.unwrap();
        let step = || {
            let (begun, begins) = oneshot::channel();
            let (go, wait) = oneshot::channel::<()>();
            let step = backend.0.writer.run(async move |_: &mut Core| {
                let _ = begun.send(());
                wait.await.unwrap();
                Ok(())
            });
            (Box::pin(step), begins, go)
        };
        let ((first, begins, go_first), (second, _, go_second), (third, _, go_third)) = (step(), step(), step());
        let heartbeat = async {
            begins.await.unwrap();
            // Each ends only when what was asked for while the one before was under way is done.
            let mut beat = backend.heartbeat(node);
            assert!(futures::poll!(&mut beat).is_pending());
            go_first.send(()).unwrap();
            assert!(beat.await.unwrap().member);
            let mut rescue = backend.rescue(&[]);
            assert!(futures::poll!(&mut rescue).is_pending());
            go_second.send(()).unwrap();
            assert_eq!(rescue.await.unwrap(), 0);
            go_third.send(()).unwrap();
        };
        let (first, second, third, ()) = tokio::join!(biased; first, second, third, heartbeat);
        first.and(second).and(third).unwrap();
    }
}
