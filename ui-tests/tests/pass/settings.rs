//! Every argument does what it says.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use rexecutor::{
    executor::Retention,
    middleware::{EnqueueRequest, Extension, Middleware, Next, Run},
    prelude::*,
};

const ATTEMPTS: u16 = 7;
const MOST: usize = 2;

fn slowly(attempt: u16) -> TimeDelta {
    TimeDelta::hours(attempt.into())
}

#[job(
    name = "mail",
    aliases = ["send_mail", "letter"],
    executor = Mail,
    max_attempts = ATTEMPTS,
    max_concurrency = 10,
    cluster_concurrency = 40,
    concurrency(key = |data| data, limit = 3),
    rate_limit = "100/1m",
    burst = 10,
    max_pending = 5_000,
    max_data_bytes = 4_096,
    priority = 2,
    tags = ["a", "b"],
    timeout = "1m30s",
    deadline = "1h",
    blocking,
    backoff = slowly,
    unique(by = executor, within = "5m", statuses = [scheduled], on_conflict = replace(priority, data)),
    retain = "7d",
    rerun = never,
    cron = "0 0 9 * * MON-FRI",
    cron("@daily", timezone = "Asia/Tokyo", data = Some(2)),
    data = Some(1)
)]
async fn everything(data: Option<u8>, context: JobContext) {
    let _ = (data, context);
}

#[job(unique(key = |data| data.0, within = "1h"), concurrency(key = |data| data.1, limit = MOST))]
async fn keyed(data: (u32, String)) {
    drop(data);
}

#[job(debounce = "5s")]
async fn often() {}

#[job(debounce(within = "5s", key = |data| data.0, longest = "1m"))]
async fn edited(data: (u32, String)) {
    drop(data);
}

#[job(throttle = "1m")]
async fn seldom() {}

static STRIPE: Limit = Limit::new("stripe").rate("10/s").burst(2).cluster_concurrency(4);
static DISK: Limit = Limit::new("disk").cluster_concurrency(1);

#[job(limit = STRIPE)]
async fn charge() {}

#[job(limit = [STRIPE, DISK])]
async fn bill() {}

#[job(ordered_by = |data| data.1, priority = 0)]
async fn in_line(data: (u32, String)) {
    drop(data);
}

#[job(ordered_by = |_| (), on_discard = halt, cluster_concurrency = 1)]
async fn in_one_line() {}

static CALLS: Calls = Calls(AtomicU32::new(0));

/// Middleware that counts.
struct Calls(AtomicU32);

#[async_trait::async_trait]
impl Middleware for Calls {
    fn on_enqueue(&self, _job: &mut EnqueueRequest<'_>) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

async fn around(run: Run, next: Next) -> Result<ExecutionResult, String> {
    if run.context().attempt() == 9 { Err("never".to_owned()) } else { Ok(next.run(run).await) }
}

#[job(middleware = around)]
async fn surrounded(Extension(_number): Extension<u32>) {}

#[job(middleware = [CALLS, around])]
async fn counted() {}

fn main() {
    let debounce = |longest| Some(UniquenessCriteria::debounce(TimeDelta::seconds(5), TimeDelta::seconds(longest)));
    assert_eq!(Often::UNIQUENESS_CRITERIA, debounce(50));
    assert_eq!(Edited::uniqueness(&(7, String::new())), debounce(60).map(|criteria| criteria.and_key(&7_u32)));
    assert_eq!(Seldom::UNIQUENESS_CRITERIA, Some(UniquenessCriteria::throttle(TimeDelta::minutes(1))));
    assert_eq!((Mail::NAME, Mail::MAX_ATTEMPTS, Mail::PRIORITY, Mail::TAGS), ("mail", 7, 2, ["a", "b"].as_slice()));
    assert_eq!((Mail::MAX_CONCURRENCY, Mail::MAX_DATA_BYTES, Mail::BLOCKING), (Some(10), 4_096, true));
    assert_eq!(Mail::RERUN, rexecutor::executor::Rerun::Never);
    assert_eq!(Mail::MAX_PENDING, Some(5_000));
    assert_eq!(Mail::CLUSTER_CONCURRENCY, Some(40));
    assert_eq!((Mail::KEY_CONCURRENCY, Keyed::KEY_CONCURRENCY), (Some(3), Some(2)));
    assert_eq!(Keyed::group_key(&(1, "a".to_owned())).unwrap().as_str(), Some("a"));
    assert_eq!((Charge::LIMITS, Bill::LIMITS), ([&STRIPE].as_slice(), [&STRIPE, &DISK].as_slice()));
    assert_eq!(Bill::LIMITS[0].max_rate(), Some(Rate::new(10, Duration::from_secs(1)).with_burst(2)));
    assert_eq!((InLine::ORDERED, InOneLine::ORDERED), (Some(OnDiscard::Skip), Some(OnDiscard::Halt)));
    assert_eq!((Mail::ORDERED, InOneLine::group_key(&()).unwrap().as_str()), (None, Some("null")));
    assert_eq!(InLine::group_key(&(1, "a".to_owned())).unwrap().as_str(), Some("a"));
    assert_eq!(Mail::group_key(&None).unwrap().as_str(), Some("null"));
    assert_eq!(Mail::RATE_LIMIT, Some(Rate::new(100, Duration::from_secs(60)).with_burst(10)));
    assert_eq!(Mail::DEADLINE, Some(TimeDelta::hours(1)));
    assert_eq!(Mail::RETENTION, Retention::For(TimeDelta::days(7)));
    let unique = UniquenessCriteria::by_executor()
        .and_within(TimeDelta::minutes(5))
        .for_statuses(&[JobStatus::Scheduled])
        .on_conflict(Replace::priority().and_data());
    assert_eq!(Mail::UNIQUENESS_CRITERIA, Some(unique));
    let key = |data| Keyed::builder().with_data(data).encode().unwrap().unique.unwrap().key;
    assert_eq!(key((1, "a".to_owned())), key((1, "b".to_owned())));
    assert_ne!(key((1, "a".to_owned())), key((2, "a".to_owned())));
    let registered = Rexecutor::registered();
    let mail = registered.iter().find(|job| job.name() == "mail").unwrap();
    let crons: Vec<_> = mail.crons().iter().map(|cron| (cron.expression(), cron.timezone())).collect();
    assert_eq!(crons, [("0 0 9 * * MON-FRI", "UTC"), ("@daily", "Asia/Tokyo")]);
    let _ = Duration::ZERO;
    assert_eq!([Often::middleware().len(), Surrounded::middleware().len(), Counted::middleware().len()], [0, 1, 2]);
    assert!(Counted::builder().encode().is_ok());
    assert_eq!(CALLS.0.load(Ordering::Relaxed), 1);
}
