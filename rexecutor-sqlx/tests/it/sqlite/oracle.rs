//! The in-memory backend, which calls the life cycle's functions and nothing else, against SQLite: the same operations
//! at the same times must give the same answers and the same rows.

use std::time::Duration;

use proptest::{
    prelude::*,
    test_runner::{RngAlgorithm, TestRng, TestRunner},
};
use rexecutor::{
    TimeDelta,
    backend::{
        Backend, Demand, Due, Failure, Filter, JobChange, JobRow, NewJob, Node, Outcome, ScheduleKey, Settlement,
        Unique, memory::InMemoryBackend,
    },
    clock::Clock,
    job::{
        ErrorType, ExecutorName, JobId, JobStatus, Lease, NodeId,
        uniqueness_criteria::{Replace, Resolution, Statuses, UniqueKey},
    },
    pruner::{PruneRule, PruneScope, PruneSpec},
};
use rexecutor_sqlx::SqliteOptions;
use rexecutor_testing::TestClock;

#[derive(Debug, Clone)]
enum Operation {
    Enqueue(Vec<NewJob>),
    Tick {
        schedule: u8,
        at: u8,
        jobs: Vec<NewJob>,
    },
    Schedules,
    Join {
        timeout: u64,
    },
    Heartbeat {
        node: i64,
    },
    Leave {
        node: i64,
    },
    Claim {
        node: i64,
        slots: Vec<Demand>,
    },
    /// Which run ends, whether it is one that there is, and how.
    Settle(Vec<(usize, u8, Outcome)>),
    Rescue,
    Prune(PruneSpec, usize),
    Cancel {
        executor: ExecutorName,
        job: i64,
        reason: String,
    },
    Rerun {
        executor: ExecutorName,
        job: i64,
    },
    Update {
        executor: ExecutorName,
        job: i64,
        change: JobChange,
    },
    Query(Filter, usize),
    Advance(u64),
}

const EXECUTORS: [&str; 3] = ["mail", "resize", "ré\"port'"];
const TAGS: [&str; 4] = ["a", "b\"'\\", "é\u{1}", ""];

fn executor() -> impl Strategy<Value = ExecutorName> {
    prop::sample::select(&EXECUTORS[..]).prop_map(ExecutorName::from)
}

fn text() -> impl Strategy<Value = String> {
    prop::sample::select(&["", "broken pipe", "\"quoted' \\ \n\t", "日本 \u{1f600}", "nul \0 inside"][..])
        .prop_map(str::to_owned)
}

fn json() -> impl Strategy<Value = String> {
    let values =
        ["null", "1", "1.0", "\"a\"", "{\"b\":[1,2],\"a\":null}", "{\"a\":null,\"b\":[1,2]}", "\"\\\\u0000 \\\" é\""];
    prop::sample::select(values.to_vec()).prop_map(str::to_owned)
}

fn tags() -> impl Strategy<Value = Vec<String>> {
    prop::sample::subsequence(TAGS.map(str::to_owned).to_vec(), 0..=2)
}

fn due() -> impl Strategy<Value = Due> {
    let start = TestClock::new().now();
    prop_oneof![
        Just(Due::Now),
        (0..90_i64).prop_map(|seconds| Due::In(TimeDelta::seconds(seconds))),
        (-90_000_000..90_000_000_i64).prop_map(move |micros| Due::At(start + TimeDelta::microseconds(micros))),
    ]
}

fn statuses() -> impl Strategy<Value = Statuses> {
    prop::sample::subsequence(JobStatus::ALL.to_vec(), 0..=6).prop_map(|statuses| Statuses::of(&statuses))
}

fn replace() -> impl Strategy<Value = Replace> {
    let all = Replace::priority().and_data().and_metadata().and_tags();
    let fields = [Replace::scheduled_at(), Replace::priority(), Replace::max_attempts(), all];
    let statuses = prop::sample::subsequence(JobStatus::ALL.to_vec(), 1..=6);
    (prop::sample::select(fields.to_vec()), statuses).prop_map(|(replace, statuses)| replace.for_statuses(&statuses))
}

fn unique() -> impl Strategy<Value = Unique> {
    let on_conflict = prop_oneof![Just(Resolution::Ignore), replace().prop_map(Resolution::Replace)];
    let within = prop::option::of((1..60_i64).prop_map(TimeDelta::seconds));
    (0..3_u8, within, statuses(), on_conflict).prop_map(|(key, within, statuses, on_conflict)| Unique {
        key: UniqueKey([key; 16]),
        within,
        statuses,
        on_conflict,
    })
}

fn new_job() -> impl Strategy<Value = NewJob> {
    let metadata = prop::option::of(json());
    let unique = prop::option::weighted(0.3, unique());
    let priority = prop_oneof![0..3_u16, Just(u16::MAX)];
    (executor(), json(), metadata, 1..4_u16, priority, tags(), due(), unique).prop_map(
        |(executor, data, metadata, max_attempts, priority, tags, due, unique)| NewJob {
            executor,
            data,
            metadata,
            max_attempts,
            priority,
            tags,
            due,
            unique,
        },
    )
}

fn failure() -> impl Strategy<Value = Failure> {
    (text(), text()).prop_map(|(kind, details)| Failure { error_type: ErrorType::from(kind), details })
}

fn outcome() -> impl Strategy<Value = Outcome> {
    let delay = || (0..40_i64).prop_map(TimeDelta::seconds);
    prop_oneof![
        4 => any::<bool>().prop_map(|keep| Outcome::Complete { keep }),
        3 => (delay(), failure()).prop_map(|(delay, error)| Outcome::Retry { delay, error }),
        1 => failure().prop_map(|error| Outcome::Discard { error }),
        1 => text().prop_map(|reason| Outcome::Cancel { reason }),
        1 => delay().prop_map(|delay| Outcome::Snooze { delay }),
        1 => Just(Outcome::GiveBack),
    ]
}

fn prune_spec() -> impl Strategy<Value = PruneSpec> {
    let finished = [JobStatus::Complete, JobStatus::Cancelled, JobStatus::Discarded];
    let rule = prop_oneof![
        (0..60_i64).prop_map(|seconds| PruneRule::MaxAge(TimeDelta::seconds(seconds))),
        (0..4_u32).prop_map(PruneRule::MaxLength),
    ];
    let some = || prop::collection::vec(executor(), 0..3);
    let executors =
        prop_oneof![Just(PruneScope::All), some().prop_map(PruneScope::Only), some().prop_map(PruneScope::Except)];
    (prop::sample::select(finished.to_vec()), rule, executors).prop_map(|(status, rule, executors)| PruneSpec {
        status,
        rule,
        executors,
    })
}

fn change() -> impl Strategy<Value = JobChange> {
    let start = TestClock::new().now();
    (json(), prop::option::of(json()), 1..4_u16, 0..3_u16, tags(), 0..90_i64).prop_map(
        move |(data, metadata, max_attempts, priority, tags, seconds)| JobChange {
            data,
            metadata,
            max_attempts,
            priority,
            tags,
            scheduled_at: start + TimeDelta::seconds(seconds),
        },
    )
}

fn filter() -> impl Strategy<Value = Filter> {
    let start = TestClock::new().now();
    // Some lie between two microseconds.
    let instant = move || (-90_000..90_000_i64).prop_map(move |ms| start + TimeDelta::nanoseconds(ms * 1_000_500));
    let age = || (-60..90_i64).prop_map(TimeDelta::seconds);
    let leaf = prop_oneof![
        executor().prop_map(Filter::Executor),
        json().prop_map(|json| Filter::Data(serde_json::from_str(&json).unwrap())),
        json().prop_map(|json| Filter::Metadata(serde_json::from_str(&json).unwrap())),
        prop::collection::vec(1..20_i64, 0..5).prop_map(|ids| Filter::IdIn(ids.into_iter().map(JobId::from).collect())),
        prop::sample::subsequence(JobStatus::ALL.to_vec(), 0..=3).prop_map(Filter::StatusIn),
        tags().prop_map(Filter::TagsAllOf),
        tags().prop_map(Filter::TagsOneOf),
        instant().prop_map(Filter::ScheduledBefore),
        instant().prop_map(Filter::ScheduledAfter),
        instant().prop_map(Filter::ScheduledAt),
        Just(Filter::ScheduledAt(start)),
        age().prop_map(Filter::ScheduledOlderThan),
        age().prop_map(Filter::ScheduledWithinTheLast),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Filter::All),
            prop::collection::vec(inner.clone(), 0..3).prop_map(Filter::Any),
            inner.prop_map(|filter| Filter::Not(Box::new(filter))),
        ]
    })
}

fn operation() -> impl Strategy<Value = Operation> {
    use Operation::*;
    let jobs = |count| prop::collection::vec(new_job(), count);
    let slots = (executor(), 1..4_usize).prop_map(|(executor, free)| Demand { executor, free });
    // An executor stands in a claim once.
    let slots = prop::collection::vec(slots, 1..4).prop_map(|mut slots| {
        let mut seen = std::collections::BTreeSet::new();
        slots.retain(|slot| seen.insert(slot.executor.clone()));
        slots
    });
    let ends = prop::collection::vec((0..25_usize, 0..20_u8, outcome()), 1..5);
    let job = || 1..25_i64;
    prop_oneof![
        5 => jobs(0..5).prop_map(Enqueue),
        1 => (0..2_u8, 0..90_u8, jobs(0..3)).prop_map(|(schedule, at, jobs)| Tick { schedule, at, jobs }),
        1 => Just(Schedules),
        2 => (0..90_u64).prop_map(|timeout| Join { timeout }),
        1 => (1..6_i64).prop_map(|node| Heartbeat { node }),
        1 => (1..6_i64).prop_map(|node| Leave { node }),
        6 => (1..4_i64, slots).prop_map(|(node, slots)| Claim { node, slots }),
        6 => ends.prop_map(Settle),
        1 => Just(Rescue),
        1 => (prune_spec(), 0..4_usize).prop_map(|(spec, limit)| Prune(spec, limit)),
        2 => (executor(), job(), text()).prop_map(|(executor, job, reason)| Cancel { executor, job, reason }),
        2 => (executor(), job()).prop_map(|(executor, job)| Rerun { executor, job }),
        1 => (executor(), job(), change()).prop_map(|(executor, job, change)| Update { executor, job, change }),
        2 => (filter(), 0..10_usize).prop_map(|(filter, limit)| Query(filter, limit)),
        3 => (0..30_000_000_u64).prop_map(Advance),
    ]
}

/// A job to change by hand: nearly always one that there is, with its own executor.
fn target(rows: &[JobRow], executor: ExecutorName, job: i64) -> (ExecutorName, JobId) {
    let place = usize::try_from(job).unwrap() % rows.len().max(1);
    let stored = rows.get(place).filter(|_| job % 8 > 0).map(|row| (row.executor.clone(), row.id));
    stored.unwrap_or((executor, JobId::from(job)))
}

/// Carries out an operation; the answer in words.
async fn apply(backend: &dyn Backend, operation: Operation, rows: &[JobRow]) -> String {
    use Operation::*;
    match operation {
        Enqueue(jobs) => format!("{:?}", backend.enqueue(jobs).await),
        Tick { schedule, at, jobs } => {
            let at = TestClock::new().now() + TimeDelta::seconds(at.into());
            format!("{:?}", backend.tick(&ScheduleKey(format!("s{schedule}")), at, jobs).await)
        }
        Schedules => format!("{:?}", backend.schedules(&["s1", "s0"].map(|key| ScheduleKey(key.to_owned()))).await),
        Join { timeout } => {
            format!(
                "{:?}",
                backend.join(&Node { label: "é\"".to_owned(), timeout: Duration::from_secs(timeout) }).await
            )
        }
        Heartbeat { node } => format!("{:?}", backend.heartbeat(NodeId(node)).await),
        Leave { node } => format!("{:?}", backend.leave(NodeId(node)).await),
        Claim { node, slots } => format!("{:?}", backend.claim(NodeId(node), &slots).await),
        Settle(ends) => {
            // Nearly all end a run that there is: the statement for those is another than for the rest.
            let runs: Vec<_> = rows.iter().filter(|job| job.status == JobStatus::Executing).collect();
            let settlement = |(pick, luck, outcome): &(usize, u8, Outcome)| {
                let run = runs.get(pick % runs.len().max(1)).map(|job| (job.id, job.lease));
                let (id, Lease(lease)) =
                    run.filter(|_| *luck > 0).unwrap_or((JobId::from(i64::from(*luck) + 1), Lease(1)));
                let lease = Lease(if *luck == 1 { lease - 1 } else { lease });
                Settlement { id, lease, outcome: outcome.clone() }
            };
            let settlements: Vec<_> = ends.iter().map(settlement).collect();
            format!("{:?}", backend.settle(&settlements).await)
        }
        Rescue => format!("{:?}", backend.rescue().await),
        Prune(spec, limit) => format!("{:?}", backend.prune(&spec, limit).await),
        Cancel { executor, job, reason } => {
            let (executor, job) = target(rows, executor, job);
            format!("{:?}", backend.cancel(&executor, job, reason).await)
        }
        Rerun { executor, job } => {
            let (executor, job) = target(rows, executor, job);
            format!("{:?}", backend.rerun(&executor, job).await)
        }
        Update { executor, job, change } => {
            let (executor, job) = target(rows, executor, job);
            format!("{:?}", backend.update(&executor, job, change).await)
        }
        Query(filter, limit) => format!("{:?}", backend.query(&filter, limit).await),
        Advance(_) => String::new(),
    }
}

async fn check(operations: Vec<Operation>, path: &std::path::Path) {
    let clock = TestClock::new();
    let memory = InMemoryBackend::new().with_clock(clock.clone());
    let sqlite = SqliteOptions::new().clock(clock.clone()).open(path).await.unwrap();
    let all = Filter::All(Vec::new());
    for operation in operations {
        if let Operation::Advance(micros) = operation {
            clock.advance(TimeDelta::microseconds(i64::try_from(micros).unwrap())).await;
            continue;
        }
        let leases = rexecutor::backend::Inspect::query(&memory, &all, usize::MAX).await.unwrap();
        let expected = apply(&memory, operation.clone(), &leases).await;
        let answer = apply(&sqlite, operation.clone(), &leases).await;
        assert_eq!(answer, expected, "the answer to {operation:?}");
        let expected = rexecutor::backend::Inspect::query(&memory, &all, usize::MAX).await.unwrap();
        let rows = rexecutor::backend::Inspect::query(&sqlite, &all, usize::MAX).await.unwrap();
        assert_eq!(rows, expected, "the rows after {operation:?}");
    }
    sqlite.close().await;
}

fn check_all(cases: u32, path: impl Fn() -> (std::path::PathBuf, Option<tempfile::TempDir>)) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let config =
        ProptestConfig { cases, max_shrink_iters: 300, failure_persistence: None, ..ProptestConfig::default() };
    let strategy = prop::collection::vec(operation(), 1..60);
    let test = |operations| {
        let (path, _folder) = path();
        runtime.block_on(check(operations, &path));
        Ok(())
    };
    // The same cases each time: a failure that comes and goes is nobody's.
    let random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    TestRunner::new_with_rng(config, random).run(&strategy, test).unwrap();
}

#[test]
fn a_database_in_memory_does_what_the_life_cycle_says() {
    check_all(120, || (":memory:".into(), None));
}

#[test]
fn a_file_does_what_the_life_cycle_says() {
    check_all(15, || {
        let folder = tempfile::tempdir().unwrap();
        (folder.path().join("jobs.db"), Some(folder))
    });
}
