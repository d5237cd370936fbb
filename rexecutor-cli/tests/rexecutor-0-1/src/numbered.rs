//! Many jobs with numbers as data: odd ones are due in an hour, and every tenth one fails and is retried in an hour.

use std::fmt;

use chrono::TimeDelta;
use rexecutor::{
    backend::{Backend, Query},
    prelude::*,
};
use rexecutor_sqlx::RexecutorPgBackend;
use tokio::io::{AsyncBufReadExt, BufReader};

pub(crate) struct Numbered;

#[derive(Debug)]
struct EveryTenth;

impl fmt::Display for EveryTenth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("every tenth")
    }
}

impl std::error::Error for EveryTenth {}

impl ExecutionError for EveryTenth {
    fn error_type(&self) -> &'static str {
        "every_tenth"
    }
}

#[async_trait::async_trait]
impl Executor for Numbered {
    type Data = u64;
    type Metadata = ();
    const NAME: &'static str = "numbered";
    const MAX_CONCURRENCY: Option<usize> = Some(4);

    async fn execute(job: Job<u64, ()>) -> ExecutionResult {
        println!("{}", job.data);
        if job.data.is_multiple_of(10) { EveryTenth.into() } else { ExecutionResult::Done }
    }

    fn backoff(_: &Job<u64, ()>) -> TimeDelta {
        TimeDelta::hours(1)
    }
}

pub(crate) async fn enqueue(backend: &RexecutorPgBackend, first: u64, count: u64) {
    for number in first..first + count {
        let job = Numbered::builder().with_data(number);
        let job = if number % 2 == 1 { job.schedule_in(TimeDelta::hours(1)) } else { job };
        job.enqueue_to_backend(backend).await.unwrap();
    }
}

pub(crate) async fn run(backend: &RexecutorPgBackend) {
    let node = Rexecutor::new(backend.clone()).with_executor::<Numbered>();
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await.unwrap() {
        let (first, count) = line.split_once(' ').unwrap();
        enqueue(backend, first.parse().unwrap(), count.parse().unwrap()).await;
        println!("enqueued");
    }
    node.graceful_shutdown();
    // It does not wait for those that run.
    while !backend.query(Query::StatusEqual(JobStatus::Executing)).await.unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
}
