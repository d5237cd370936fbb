//! The same operations on `PgBackend` and on the in-memory backend, which is the oracle: every answer and every row is
//! the same.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use rexecutor::{
    backend::{
        Backend, Demand, Due, Failure, Filter, JobChange, NewJob, Node, Outcome, ScheduleKey, Settlement, Unique,
        memory::InMemoryBackend,
    },
    job::{
        ErrorType, ExecutorName, JobId, JobStatus, Lease, NodeId,
        uniqueness_criteria::{Replace, Resolution, Statuses, UniqueKey},
    },
    pruner::{PruneRule, PruneScope, PruneSpec},
};
use rexecutor_testing::TestClock;

use crate::support::in_schema;

#[derive(Debug, Clone)]
enum Step {
    Enqueue(Vec<NewJob>),
    Schedules(Vec<u8>),
    Tick(u8, i64, Vec<NewJob>),
    Claim(i64, Vec<(u8, usize)>),
    Settle(Vec<(i64, i64, Outcome)>),
    Join(u64),
    Heartbeat(i64),
    Leave(i64),
    Rescue,
    Prune(PruneSpec, usize),
    Query(Filter, usize),
    Cancel(u8, i64),
    Rerun(u8, i64),
    Update(u8, i64, NewJob, i64),
    Advance(i64),
}

fn name(number: u8) -> ExecutorName {
    ["mail", "Ünïcode", "z"][usize::from(number) % 3].into()
}

fn at(seconds: i64) -> DateTime<Utc> {
    TestClock::START + TimeDelta::seconds(seconds) + TimeDelta::microseconds(7)
}

fn statuses() -> impl Strategy<Value = Vec<JobStatus>> {
    prop::sample::subsequence(JobStatus::ALL.to_vec(), 0..=6)
}

fn unique() -> impl Strategy<Value = Unique> {
    let replace = (any::<[bool; 6]>(), statuses()).prop_map(|(fields, statuses)| {
        let mut replace = if fields[0] { Replace::priority() } else { Replace::tags() };
        for (wanted, and) in fields.into_iter().zip([
            Replace::and_priority,
            Replace::and_data,
            Replace::and_metadata,
            Replace::and_scheduled_at,
            Replace::and_max_attempts,
            Replace::and_tags,
        ]) {
            replace = if wanted { and(replace) } else { replace };
        }
        replace.for_statuses(&statuses)
    });
    let resolution = prop_oneof![Just(Resolution::Ignore), replace.prop_map(Resolution::Replace)];
    (0_u8..3, prop::option::of(1_i64..40), statuses(), resolution).prop_map(|(key, within, statuses, on_conflict)| {
        Unique {
            key: UniqueKey([key; 16]),
            within: within.map(TimeDelta::seconds),
            statuses: Statuses::of(&statuses),
            on_conflict,
        }
    })
}

fn new_job() -> impl Strategy<Value = NewJob> {
    let due = prop_oneof![
        4 => Just(Due::Now),
        1 => (0_i64..30).prop_map(|seconds| Due::In(TimeDelta::seconds(seconds))),
        1 => Just(Due::In(TimeDelta::days(365_000 * 20))),
        1 => (-30_i64..30).prop_map(|seconds| Due::At(at(seconds))),
    ];
    let data =
        prop::sample::select(vec!["{}", "1", "1.0", "1e400", r#"{"b":1,"a":"é\u0001"}"#, r#"{ "a":"é\u0001","b":1}"#]);
    let tags = prop::collection::vec(prop::sample::select(vec!["a", "b \"x\" \\", "{}", "ü"]), 0..3);
    let metadata = prop::option::of(prop::sample::select(vec!["null", "[1]"]));
    (0_u8..3, data, metadata, 1_u16..4, 0_u16..3, tags, due, prop::option::weighted(0.3, unique())).prop_map(
        |(executor, data, metadata, max_attempts, priority, tags, due, unique)| NewJob {
            executor: name(executor),
            data: data.to_owned(),
            metadata: metadata.map(ToOwned::to_owned),
            max_attempts,
            priority,
            tags: tags.into_iter().map(ToOwned::to_owned).collect(),
            due,
            unique,
        },
    )
}

fn outcome() -> impl Strategy<Value = Outcome> {
    let error = || Failure { error_type: ErrorType::Other("io: \"é\"".to_owned()), details: "a\nb\0".to_owned() };
    let delay = (0_i64..20).prop_map(TimeDelta::seconds);
    prop_oneof![
        4 => any::<bool>().prop_map(|keep| Outcome::Complete { keep }),
        2 => delay.clone().prop_map(move |delay| Outcome::Retry { delay, error: error() }),
        1 => Just(Outcome::Discard { error: error() }),
        1 => Just(Outcome::Cancel { reason: "because".to_owned() }),
        1 => delay.prop_map(|delay| Outcome::Snooze { delay }),
        1 => Just(Outcome::GiveBack),
    ]
}

fn prune() -> impl Strategy<Value = PruneSpec> {
    let status = prop::sample::select(vec![JobStatus::Complete, JobStatus::Cancelled, JobStatus::Discarded]);
    let rule = prop_oneof![
        (0_i64..40).prop_map(|seconds| PruneRule::MaxAge(TimeDelta::seconds(seconds))),
        Just(PruneRule::MaxAge(TimeDelta::MAX)),
        (0_u32..4).prop_map(PruneRule::MaxLength),
    ];
    let names = prop::collection::vec((0_u8..3).prop_map(name), 0..3);
    let executors = prop_oneof![
        Just(PruneScope::All),
        names.clone().prop_map(PruneScope::Only),
        names.prop_map(PruneScope::Except)
    ];
    (status, rule, executors).prop_map(|(status, rule, executors)| PruneSpec { status, rule, executors })
}

fn filter() -> impl Strategy<Value = Filter> {
    let tags = || prop::collection::vec(prop::sample::select(vec!["a".to_owned(), "ü".to_owned()]), 0..3);
    let value = || {
        prop::sample::select(vec![
            serde_json::json!(1),
            serde_json::json!({"a": "é\u{1}", "b": 1}),
            serde_json::Value::Null,
        ])
    };
    let instant = || {
        prop_oneof![
            (-40_i64..40).prop_map(at),
            (-40_i64..40).prop_map(|seconds| at(seconds) + TimeDelta::nanoseconds(500)),
            Just(DateTime::<Utc>::MIN_UTC),
            Just(DateTime::<Utc>::MAX_UTC),
        ]
    };
    let delta = || prop_oneof![(-40_i64..40).prop_map(TimeDelta::seconds), Just(TimeDelta::MAX), Just(TimeDelta::MIN)];
    let leaf = prop_oneof![
        (0_u8..3).prop_map(|executor| Filter::Executor(name(executor))),
        value().prop_map(Filter::Data),
        value().prop_map(Filter::Metadata),
        prop::collection::vec((0_i64..20).prop_map(JobId::from), 0..5).prop_map(Filter::IdIn),
        statuses().prop_map(Filter::StatusIn),
        tags().prop_map(Filter::TagsAllOf),
        tags().prop_map(Filter::TagsOneOf),
        instant().prop_map(Filter::ScheduledBefore),
        instant().prop_map(Filter::ScheduledAfter),
        instant().prop_map(Filter::ScheduledAt),
        delta().prop_map(Filter::ScheduledOlderThan),
        delta().prop_map(Filter::ScheduledWithinTheLast),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Filter::All),
            prop::collection::vec(inner.clone(), 0..3).prop_map(Filter::Any),
            inner.prop_map(|filter| Filter::Not(Box::new(filter))),
        ]
    })
}

fn step() -> impl Strategy<Value = Step> {
    let jobs = || prop::collection::vec(new_job(), 0..6);
    let id = || 1_i64..20;
    prop_oneof![
        4 => jobs().prop_map(Step::Enqueue),
        1 => prop::collection::vec(0_u8..3, 0..3).prop_map(Step::Schedules),
        1 => (0_u8..3, 0_i64..40, jobs()).prop_map(|(key, at, jobs)| Step::Tick(key, at, jobs)),
        // Each executor once: the slots of a node are counted by executor.
        5 => (1_i64..4, prop::sample::subsequence(vec![0_u8, 1, 2], 0..=3), prop::collection::vec(1_usize..4, 3))
            .prop_map(|(node, executors, free)| Step::Claim(node, executors.into_iter().zip(free).collect())),
        5 => prop::collection::vec((id(), 0_i64..4, outcome()), 0..5).prop_map(Step::Settle),
        2 => (0_u64..30).prop_map(Step::Join),
        1 => (1_i64..4).prop_map(Step::Heartbeat),
        1 => (1_i64..4).prop_map(Step::Leave),
        1 => Just(Step::Rescue),
        1 => (prune(), 0_usize..4).prop_map(|(spec, limit)| Step::Prune(spec, limit)),
        2 => (filter(), 0_usize..12).prop_map(|(filter, limit)| Step::Query(filter, limit)),
        1 => (0_u8..3, id()).prop_map(|(executor, id)| Step::Cancel(executor, id)),
        1 => (0_u8..3, id()).prop_map(|(executor, id)| Step::Rerun(executor, id)),
        1 => (0_u8..3, id(), new_job(), -20_i64..20).prop_map(|(executor, id, job, at)| Step::Update(executor, id, job, at)),
        2 => (0_i64..25).prop_map(Step::Advance),
    ]
}

/// The answer, in words that can be compared.
async fn take(backend: &dyn Backend, step: Step) -> String {
    match step {
        Step::Enqueue(jobs) => format!("{:?}", backend.enqueue(jobs).await),
        Step::Schedules(keys) => {
            let keys: Vec<_> = keys.into_iter().map(|key| ScheduleKey(key.to_string())).collect();
            format!("{:?}", backend.schedules(&keys).await)
        }
        Step::Tick(key, seconds, jobs) => {
            format!("{:?}", backend.tick(&ScheduleKey(key.to_string()), at(seconds), jobs).await)
        }
        Step::Claim(node, asked) => {
            let slots: Vec<_> =
                asked.into_iter().map(|(executor, free)| Demand { executor: name(executor), free }).collect();
            format!("{:?}", backend.claim(NodeId(node), &slots).await)
        }
        Step::Settle(runs) => {
            let settlement = |(id, lease, outcome)| Settlement { id: JobId::from(id), lease: Lease(lease), outcome };
            format!("{:?}", backend.settle(&runs.into_iter().map(settlement).collect::<Vec<_>>()).await)
        }
        Step::Join(timeout) => {
            format!("{:?}", backend.join(&Node { label: "é".to_owned(), timeout: Duration::from_secs(timeout) }).await)
        }
        Step::Heartbeat(node) => format!("{:?}", backend.heartbeat(NodeId(node)).await),
        Step::Leave(node) => format!("{:?}", backend.leave(NodeId(node)).await),
        Step::Rescue => format!("{:?}", backend.rescue().await),
        Step::Prune(spec, limit) => format!("{:?}", backend.prune(&spec, limit).await),
        Step::Query(filter, limit) => format!("{:?}", backend.query(&filter, limit).await),
        Step::Cancel(executor, id) => {
            format!("{:?}", backend.cancel(&name(executor), JobId::from(id), "asked".to_owned()).await)
        }
        Step::Rerun(executor, id) => format!("{:?}", backend.rerun(&name(executor), JobId::from(id)).await),
        Step::Update(executor, id, job, seconds) => {
            let NewJob { data, metadata, max_attempts, priority, tags, .. } = job;
            let change = JobChange { data, metadata, max_attempts, priority, tags, scheduled_at: at(seconds) };
            format!("{:?}", backend.update(&name(executor), JobId::from(id), change).await)
        }
        Step::Advance(_) => String::new(),
    }
}

async fn compare(steps: Vec<Step>) {
    in_schema(async |world| {
        let oracle = Arc::new(InMemoryBackend::new().with_clock(world.clock.clone()));
        for (number, step) in steps.into_iter().enumerate() {
            if let Step::Advance(seconds) = step {
                world.clock.advance(TimeDelta::seconds(seconds)).await;
                continue;
            }
            let expected = take(&oracle, step.clone()).await;
            assert_eq!(take(&world.backend, step.clone()).await, expected, "answer to step {number}: {step:?}");
            let all = || Step::Query(Filter::All(vec![]), usize::MAX);
            assert_eq!(take(&world.backend, all()).await, take(&oracle, all()).await, "after step {number}: {step:?}");
        }
    })
    .await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_answer_and_every_row_is_that_of_the_in_memory_backend(steps in prop::collection::vec(step(), 1..50)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(compare(steps));
    }
}
