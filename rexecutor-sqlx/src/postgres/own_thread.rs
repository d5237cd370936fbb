//! Work that goes on whatever the program's own runtime is busy with.

use std::io;

use tokio::{runtime::Builder, sync::oneshot};

use crate::common::log;

/// Does `work` on a thread and a runtime of its own, where no job can block it. It ends with the future that this returns,
/// if that is dropped before.
///
/// What the thread logs goes where this task's log goes.
pub(super) async fn on_own_thread<T, W>(name: &str, work: impl FnOnce() -> W + Send + 'static) -> io::Result<T>
where
    T: Send + 'static,
    W: Future<Output = T>,
{
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let (mut answer, answered) = oneshot::channel();
    let log = log();
    let body = move || {
        let _log = log.as_ref().map(tracing::dispatcher::set_default);
        let done = runtime.block_on(async {
            tokio::select! {
                biased;
                () = answer.closed() => None,
                value = work() => Some(value),
            }
        });
        // A look-up of a host's name may still be under way: nobody waits for it.
        runtime.shutdown_background();
        if let Some(value) = done {
            // An error means that nobody waits any more.
            let _ = answer.send(value);
        }
    };
    std::thread::Builder::new().name(name.to_owned()).spawn(body)?;
    answered.await.map_err(|_| io::Error::other("the thread has panicked"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn it_answers_and_ends_with_the_future() {
        assert_eq!(on_own_thread("answers", async || 7).await.unwrap(), 7);
        let held = Arc::new(());
        let kept = held.clone();
        let (begun, mut begins) = tokio::sync::mpsc::unbounded_channel();
        let waits = on_own_thread("waits", async move || {
            let _kept = kept;
            begun.send(()).unwrap();
            std::future::pending::<()>().await;
        });
        tokio::select! {
            _ = waits => panic!("it has ended"),
            _ = begins.recv() => {}
        }
        // The thread ends by itself; nothing tells when, so look until it has.
        while Arc::strong_count(&held) > 1 {
            tokio::task::yield_now().await;
        }
    }
}
