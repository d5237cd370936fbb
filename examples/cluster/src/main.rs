//! Four worker processes share the jobs of one PostgreSQL database; one of them is killed in the middle, and every job is
//! done all the same.
//!
//! Run it with `DATABASE_URL=postgres://.. cargo run -p example-cluster`, or with a throwaway server:
//! `scripts/postgres cargo run -p example-cluster`. It works in a schema of its own, `rexecutor_cluster`.

use std::{
    error::Error,
    process::{Child, Command, Stdio},
    time::Duration,
};

use rexecutor::{
    clock::{Clock, SystemClock},
    enqueue_all_to_backend,
    prelude::*,
};
use rexecutor_sqlx::{PgBackend, PgOptions};
use tokio::io::AsyncReadExt;

const JOBS: u32 = 2_000;
const WORKERS: usize = 4;

/// The work: it takes a while.
#[job(max_attempts = 5, max_concurrency = 20)]
async fn crunch(number: u32, context: JobContext) {
    context.clock().sleep(Duration::from_millis(50 + u64::from(number % 50))).await;
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let Ok(url) = std::env::var("DATABASE_URL") else {
        println!("DATABASE_URL is not set. Name a PostgreSQL database in it, or start a throwaway server:");
        println!("    scripts/postgres cargo run -p example-cluster");
        return Ok(());
    };
    let backend = PgOptions::new().schema("rexecutor_cluster").connect(&url).await?;
    match std::env::args().nth(1).as_deref() {
        Some("worker") => work(backend).await,
        _ => supervise(&backend).await,
    }
}

/// A worker: it runs jobs until its parent closes its input.
async fn work(backend: PgBackend) -> Result<(), Box<dyn Error>> {
    let timeout = Duration::from_secs(3); // how soon the others find it to be dead
    let node = Rexecutor::from_registry().with_backend(backend).with_node_timeout(timeout).start().await?;
    tokio::io::stdin().read_to_end(&mut Vec::new()).await?;
    node.graceful_shutdown().await;
    Ok(())
}

async fn supervise(backend: &PgBackend) -> Result<(), Box<dyn Error>> {
    let jobs = (0..JOBS).map(|number| Crunch::builder().with_data(number).encode()).collect::<Result<Vec<_>, _>>()?;
    let ids: Vec<JobId> = enqueue_all_to_backend(jobs, backend).await?.into_iter().map(JobId::from).collect();
    println!("{JOBS} jobs are enqueued");
    let mut workers = (0..WORKERS).map(|_| worker()).collect::<Result<Vec<_>, _>>()?;
    println!("{WORKERS} workers run: {:?}", workers.iter().map(Child::id).collect::<Vec<_>>());

    let done = async |statuses: &[JobStatus]| {
        let query = Where::id_in(&ids).and(Where::status_in(statuses));
        Crunch::query_jobs_on_backend(query, backend).await
    };
    while done(&[JobStatus::Complete]).await?.len() < ids.len() / 4 {
        SystemClock.sleep(Duration::from_millis(100)).await;
    }
    let mut victim = workers.remove(0);
    let killed = victim.kill(); // SIGKILL: it has no time to say anything
    victim.wait()?;
    killed?;
    println!("worker {} was killed while it ran jobs", victim.id());

    let finished = [JobStatus::Complete, JobStatus::Cancelled, JobStatus::Discarded];
    while done(&finished).await?.len() < ids.len() {
        SystemClock.sleep(Duration::from_millis(100)).await;
    }
    for mut worker in workers {
        drop(worker.stdin.take());
        worker.wait()?;
    }
    let complete = done(&[JobStatus::Complete]).await?;
    let rescued = complete.iter().filter(|job| job.errors.iter().any(|error| error.error_type == ErrorType::NodeLost));
    println!(
        "{} of {JOBS} jobs are complete, {} of them rescued from the dead worker",
        complete.len(),
        rescued.count()
    );
    Ok(())
}

fn worker() -> Result<Child, std::io::Error> {
    Command::new(std::env::current_exe()?).arg("worker").stdin(Stdio::piped()).spawn()
}
