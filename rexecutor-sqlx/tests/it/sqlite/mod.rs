//! What [`SqliteBackend`] promises, beyond what every backend does.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod batches;
mod claims;
mod closing;
mod completes;
mod conformance;
mod damage;
mod enqueues;
mod events;
mod files;
mod guide;
mod open;
mod outcomes;
mod outputs;
mod processes;
mod room;
#[cfg(unix)]
mod signals;
mod snoozes;
#[cfg(feature = "schema")]
mod stored;
mod watches;

use std::time::Duration;

use rexecutor::{
    backend::{
        Claim, Claimed, Demand, Enqueue, Enqueued, Filter, Inspect, JobRow, Maintain, NewJob, Node, Outcome, Settlement,
    },
    job::{JobId, NodeId},
};
use rexecutor_sqlx::SqliteBackend;
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};

/// A file in a folder that is deleted with this value.
struct File {
    folder: tempfile::TempDir,
}

impl File {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("jobs.db")
    }

    async fn open(&self) -> SqliteBackend {
        SqliteBackend::open(self.path()).await.unwrap()
    }

    /// A connection like another process's.
    async fn connect(&self) -> SqliteConnection {
        SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(self.path())).await.unwrap()
    }
}

fn job(executor: &'static str) -> NewJob {
    NewJob::new(executor, "1").with_max_attempts(3)
}

fn demand(executor: &'static str, free: usize) -> Demand {
    Demand::new(executor, free)
}

async fn enqueue_one(backend: &SqliteBackend, job: NewJob) -> Enqueued {
    backend.enqueue(vec![job]).await.unwrap()[0]
}

async fn join(backend: &SqliteBackend) -> NodeId {
    backend.join(&Node::new("test", Duration::from_secs(60))).await.unwrap()
}

async fn claim(backend: &SqliteBackend, node: NodeId, executor: &'static str, free: usize) -> Claimed {
    backend.claim(node, [demand(executor, free)].into()).await.unwrap()
}

async fn all(backend: &SqliteBackend) -> Vec<JobRow> {
    backend.query(&Filter::All(Vec::new()), usize::MAX).await.unwrap()
}

fn ids(jobs: &[JobRow]) -> Vec<JobId> {
    jobs.iter().map(|job| job.id).collect()
}

fn end(job: &JobRow, outcome: Outcome) -> Settlement {
    Settlement::new(job.id, job.lease, outcome)
}
