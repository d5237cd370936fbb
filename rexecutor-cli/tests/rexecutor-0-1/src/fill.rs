//! Jobs in every status, each of which has come into it as in any program.

use std::{fmt, str::FromStr, time::Duration};

use chrono::{TimeDelta, Utc};
use rexecutor::{
    backend::{Backend, Query},
    prelude::*,
};
use rexecutor_sqlx::RexecutorPgBackend;
use serde::{Deserialize, Serialize};

/// What a job does.
#[derive(Debug, Clone, Serialize, Deserialize)]
enum Does {
    Nothing,
    Fails,
    Panics,
    TakesLong,
    Cancels,
    Snoozes,
    Dies,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Letter {
    to: String,
    does: Does,
}

#[derive(Debug)]
struct NoPaper;

impl fmt::Display for NoPaper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no \"paper\"")
    }
}

impl std::error::Error for NoPaper {}

impl ExecutionError for NoPaper {
    fn error_type(&self) -> &'static str {
        "no_paper"
    }
}

struct Mail;

#[async_trait::async_trait]
impl Executor for Mail {
    type Data = Letter;
    type Metadata = String;
    const NAME: &'static str = "mail";

    async fn execute(job: Job<Letter, String>) -> ExecutionResult {
        match job.data.does {
            Does::Nothing => ExecutionResult::Done,
            Does::Fails => NoPaper.into(),
            Does::Panics => panic!("oh dear"),
            Does::TakesLong | Does::Dies => std::future::pending().await,
            Does::Cancels => ExecutionResult::Cancel { reason: Box::new("she has left") },
            Does::Snoozes => ExecutionResult::Snooze { delay: TimeDelta::hours(1) },
        }
    }

    fn backoff(_: &Job<Letter, String>) -> TimeDelta {
        TimeDelta::hours(1)
    }

    fn timeout(job: &Job<Letter, String>) -> Option<Duration> {
        matches!(job.data.does, Does::TakesLong).then_some(Duration::from_millis(1))
    }
}

/// Nobody runs it here.
struct Report;

#[async_trait::async_trait]
impl Executor for Report {
    type Data = Option<u32>;
    type Metadata = String;
    const NAME: &'static str = "report";
    const MAX_ATTEMPTS: u16 = 3;

    async fn execute(_: Job<Option<u32>, String>) -> ExecutionResult {
        ExecutionResult::Done
    }
}

struct Tick;

#[async_trait::async_trait]
impl Executor for Tick {
    type Data = String;
    type Metadata = ();
    const NAME: &'static str = "tick";

    async fn execute(_: Job<String, ()>) -> ExecutionResult {
        ExecutionResult::Done
    }
}

pub(crate) async fn fill(backend: &RexecutorPgBackend) {
    backend.run_migrations().await.unwrap();
    let letter = |to: &str, does: Does| Mail::builder().with_data(Letter { to: to.to_owned(), does });
    let all = letter("ada", Does::Nothing).with_metadata("by hand".to_owned()).with_tags(vec!["vip", "new"]);
    all.with_priority(3).enqueue_to_backend(backend).await.unwrap();
    for (to, does, max_attempts) in [
        ("retried", Does::Fails, 5),
        ("discarded", Does::Fails, 1),
        ("panicked", Does::Panics, 5),
        ("late", Does::TakesLong, 5),
        ("cancelled", Does::Cancels, 5),
        ("snoozed", Does::Snoozes, 5),
        ("died", Does::Dies, 5),
        ("died for good", Does::Dies, 1),
    ] {
        letter(to, does).with_max_attempts(max_attempts).enqueue_to_backend(backend).await.unwrap();
    }
    let later = letter("later", Does::Nothing).schedule_at(Utc::now() + TimeDelta::days(30));
    later.enqueue_to_backend(backend).await.unwrap();
    // The second one is refused. One with a key would not be: 0.1.1 looks for another hash than it stores.
    for _ in 0..2 {
        let report = Report::builder().with_data(Some(7)).with_priority(1).unique(UniquenessCriteria::by_executor());
        report.enqueue_to_backend(backend).await.unwrap();
    }
    Report::builder().enqueue_to_backend(backend).await.unwrap();
    // One tick, and the next in a year.
    let soon = (Utc::now() + TimeDelta::seconds(2)).format("%-S %-M %-H %-d %-m *").to_string();
    let schedule = cron::Schedule::from_str(&soon).unwrap();
    let node = Rexecutor::new(backend.clone()).with_executor::<Mail>().with_executor::<Tick>();
    let ticking = Rexecutor::new(backend.clone()).with_cron_executor::<Tick>(schedule, "tock".to_owned());
    let count = async |executor, status| {
        let query = Query::And(vec![Query::ExecutorEqual(executor), Query::StatusEqual(status)]);
        backend.query(query).await.unwrap().len()
    };
    let is_done = async || {
        count("tick", JobStatus::Complete).await == 1
            && count("mail", JobStatus::Complete).await == 1
            && count("mail", JobStatus::Retryable).await == 3
            && count("mail", JobStatus::Discarded).await == 1
            && count("mail", JobStatus::Cancelled).await == 1
            && count("mail", JobStatus::Executing).await == 2
            && count("mail", JobStatus::Scheduled).await == 2
    };
    while !is_done().await {
        tokio::task::yield_now().await;
    }
    ticking.graceful_shutdown();
    node.graceful_shutdown();
}
