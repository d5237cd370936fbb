//! The threads of blocking jobs.

use tokio::{
    runtime::{Builder, Runtime},
    task::JoinHandle,
};

/// Threads that blocking jobs have for themselves: as many as jobs run at once, each kept for some seconds.
///
/// The runtime's own are few, and needed for other things, as for looking up the name of the database's host.
#[derive(Debug)]
pub(crate) struct JobThreads(Option<Runtime>);

impl JobThreads {
    /// At most so many threads, of which none is started yet; `None` where the system cannot have them.
    pub(crate) fn new(most: usize) -> Option<Self> {
        let runtime =
            Builder::new_current_thread().thread_name("rexecutor-job").max_blocking_threads(most.max(1)).build();
        runtime.ok().map(|runtime| Self(Some(runtime)))
    }

    /// Does `work` on one of them.
    pub(crate) fn spawn<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
        match &self.0 {
            Some(runtime) => runtime.spawn_blocking(work),
            None => tokio::task::spawn_blocking(work),
        }
    }
}

impl Drop for JobThreads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            // Without waiting: this may be a task of a runtime.
            runtime.shutdown_background();
        }
    }
}
