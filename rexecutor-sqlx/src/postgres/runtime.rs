//! Connections of a runtime that has ended: they look alive, and fail at their first use.
//!
//! A program may have a runtime for each call. Once a second one has asked, connections are made on a runtime of ours, which
//! lasts as long as the backend, and those that were made before are not used any more.

use std::{
    io,
    sync::{Arc, OnceLock},
    time::Duration,
};

use futures::future::BoxFuture;
use rexecutor::clock::{Clock, SystemClock};
use tokio::runtime::{Builder, Handle, Id, Runtime};

use super::backend::Database;

/// The runtimes that have asked.
#[derive(Debug, Clone, Default)]
pub(super) struct Runtimes(Arc<Seen>);

#[derive(Debug, Default)]
struct Seen {
    first: OnceLock<Id>,
    own: OnceLock<Own>,
}

/// A runtime of ours.
#[derive(Debug)]
struct Own {
    /// `None`: the system has no thread for it.
    runtime: Option<Runtime>,
    since: Duration,
}

impl Own {
    fn start() -> Self {
        let runtime =
            Builder::new_multi_thread().worker_threads(1).thread_name("rexecutor-postgres").enable_all().build();
        Self { runtime: runtime.ok(), since: SystemClock.elapsed() }
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Without waiting: this may be a task of a runtime.
            runtime.shutdown_background();
        }
    }
}

impl Runtimes {
    /// Notes the present one; whether it is the first that is not the only one.
    fn note(&self) -> bool {
        match Handle::try_current() {
            Ok(handle) if *self.0.first.get_or_init(|| handle.id()) != handle.id() && self.0.own.get().is_none() => {
                self.0.own.set(Own::start()).is_ok()
            }
            _ => false,
        }
    }

    /// Whether a connection that is so old may be that of a runtime which has ended.
    pub(super) fn may_have_ended(&self, age: Duration) -> bool {
        self.0.own.get().is_some_and(|own| SystemClock.elapsed().saturating_sub(own.since) <= age)
    }
}

impl Database {
    /// Takes a connection of the pool by `work`, on a runtime that does not end before the backend does.
    ///
    /// The work is in a box: every call would carry the size of connecting around.
    pub(super) async fn taken<T: Send + 'static>(&self, work: BoxFuture<'static, sqlx::Result<T>>) -> sqlx::Result<T> {
        let Some(runtime) = self.runtimes.0.own.get().and_then(|own| own.runtime.as_ref()) else { return work.await };
        let mut taking = Taking(runtime.spawn(work));
        (&mut taking.0).await.unwrap_or_else(|error| Err(sqlx::Error::Io(io::Error::other(error))))
    }

    /// To be called before a connection is taken.
    pub(super) fn enter_runtime(&self) {
        if self.runtimes.note() {
            drop(self.connections.release_all());
        }
    }
}

/// It ends with whoever waits for it.
struct Taking<T>(tokio::task::JoinHandle<T>);

impl<T> Drop for Taking<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
