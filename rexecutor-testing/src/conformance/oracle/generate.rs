//! Calls at random.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use rexecutor::{
    backend::{Deadline, Due, Failure, Filter, Headers, Json, KeyChange, Marks, NewJob, Outcome, Pause, Scope, Unique},
    job::{
        ErrorType, ExecutorName, FlowId, JobId, JobStatus,
        uniqueness_criteria::{Debounce, Replace, Resolution, Statuses, UniqueKey},
    },
    pruner::{PruneRule, PruneScope, PruneSpec},
};

use super::call::{Call, Change, End, Target};
use crate::TestClock;

const EXECUTORS: [&str; 3] = ["mail", "Ünïcode", "re\"port'"];
const TAGS: [&str; 6] = ["a", "b\"'\\", "é\u{1}", "", "{}", "b \"x\""];

/// Data that are different as text, and some of them equal as JSON.
const JSON: [&str; 9] = [
    "null",
    "1",
    "1.0",
    "1e400",
    "\"a\"",
    r#"{"b":[1,2],"a":null}"#,
    r#"{ "a":null,"b":[1,2]}"#,
    "\"\\\\u0000 \\\" é\"",
    r#"{"a":"é\u0001"}"#,
];

pub(super) fn call() -> impl Strategy<Value = Call> {
    let jobs = || prop::collection::vec(new_job(), 0..6);
    let node = || 1_i64..5;
    // An executor stands in a claim once.
    let executors = prop::sample::subsequence(EXECUTORS.map(ExecutorName::from).to_vec(), 0..=3);
    let demands = (executors, prop::collection::vec(1_usize..4, 3));
    let demands = demands.prop_map(|(executors, limits)| executors.into_iter().zip(limits).collect());
    let end = (0_usize..25, 0_u8..20, outcome()).prop_map(|(pick, luck, outcome)| End { pick, luck, outcome });
    prop_oneof![
        5 => jobs().prop_map(Call::Enqueue),
        1 => prop::collection::vec(0_u8..3, 0..3).prop_map(Call::Schedules),
        1 => (0_u8..3, 0_i64..90, prop::option::of(0_i64..90), jobs())
            .prop_map(|(schedule, seconds, local, jobs)| Call::Tick { schedule, seconds, local, jobs }),
        1 => (0_u8..3, 0_i64..9, 0_i64..90).prop_map(|(schedule, from, to)| Call::Rewind { schedule, from, to }),
        2 => (0_u64..90).prop_map(|timeout| Call::Join { timeout }),
        1 => node().prop_map(|node| Call::Heartbeat { node }),
        1 => node().prop_map(|node| Call::Leave { node }),
        6 => (node(), demands).prop_map(|(node, demands)| Call::Claim { node, demands }),
        6 => prop::collection::vec(end, 0..5).prop_map(Call::Settle),
        1 => prop::collection::vec((node(), 0_i64..3), 0..3).prop_map(Call::Rescue),
        1 => (prune_spec(), 0_usize..4).prop_map(|(spec, limit)| Call::Prune(spec, limit)),
        2 => (filter(), 0_usize..12).prop_map(|(filter, limit)| Call::Query(filter, limit)),
        2 => (target(), text()).prop_map(|(target, reason)| Call::Cancel(target, reason)),
        2 => target().prop_map(Call::Rerun),
        2 => target().prop_map(Call::Release),
        1 => (target(), new_job(), instant(), key_change()).prop_map(|(target, job, scheduled_at, key)| {
            Call::Update(target, Box::new(Change { job, scheduled_at, key }))
        }),
        1 => (scope(), text(), prop::option::of(instant()))
            .prop_map(|(scope, reason, until)| Call::Pause(scope, Pause::new(reason.replace('\0', "")).until(until))),
        1 => scope().prop_map(Call::Resume),
        1 => Just(Call::Paused),
        3 => (0_i64..30_000_000).prop_map(Call::Advance),
    ]
}

/// An executor more often than the cluster, in whose pauses nothing happens.
fn scope() -> impl Strategy<Value = Scope> {
    prop_oneof![3 => executor().prop_map(Scope::Executor), 1 => Just(Scope::Cluster)]
}

fn executor() -> impl Strategy<Value = ExecutorName> {
    prop::sample::select(&EXECUTORS[..]).prop_map(ExecutorName::from)
}

fn target() -> impl Strategy<Value = Target> {
    (executor(), 0_usize..25).prop_map(|(executor, pick)| Target { executor, pick })
}

fn text() -> impl Strategy<Value = String> {
    prop::sample::select(&["", "broken pipe", "\"quoted' \\ \n\t", "日本 \u{1f600}"][..]).prop_map(str::to_owned)
}

fn json() -> impl Strategy<Value = String> {
    prop::sample::select(&JSON[..]).prop_map(str::to_owned)
}

fn tags() -> impl Strategy<Value = Vec<String>> {
    prop::sample::subsequence(TAGS.map(str::to_owned).to_vec(), 0..=2)
}

/// Around the start, to the microsecond.
fn instant() -> impl Strategy<Value = DateTime<Utc>> {
    (-90_000_000_i64..90_000_000).prop_map(|micros| TestClock::START + TimeDelta::microseconds(micros))
}

fn due() -> impl Strategy<Value = Due> {
    prop_oneof![
        6 => Just(Due::Now),
        2 => (0_i64..90).prop_map(|seconds| Due::In(TimeDelta::seconds(seconds))),
        1 => Just(Due::In(TimeDelta::days(365_000 * 20))),
        2 => instant().prop_map(Due::At),
    ]
}

fn statuses(sizes: std::ops::RangeInclusive<usize>) -> impl Strategy<Value = Vec<JobStatus>> {
    prop::sample::subsequence(JobStatus::ALL.to_vec(), sizes)
}

fn replace() -> impl Strategy<Value = Replace> {
    let all = JobStatus::ALL.len();
    (any::<[bool; 6]>(), statuses(0..=all)).prop_map(|(fields, statuses)| {
        let more = [
            Replace::and_priority,
            Replace::and_data,
            Replace::and_metadata,
            Replace::and_scheduled_at,
            Replace::and_max_attempts,
            Replace::and_tags,
        ];
        let first = if fields[0] { Replace::priority() } else { Replace::tags() };
        let and = |replace, (wanted, and): (bool, fn(Replace) -> Replace)| if wanted { and(replace) } else { replace };
        fields.into_iter().zip(more).fold(first, and).for_statuses(&statuses)
    })
}

fn unique() -> impl Strategy<Value = Unique> {
    let debounce = (0_i64..20, 0_i64..60)
        .prop_map(|(within, longest)| Debounce::new(TimeDelta::seconds(within), TimeDelta::seconds(longest)));
    let on_conflict = prop_oneof![
        Just(Resolution::Ignore),
        replace().prop_map(Resolution::Replace),
        debounce.prop_map(Resolution::Debounce)
    ];
    let within = prop::option::of((1_i64..60).prop_map(TimeDelta::seconds));
    let all = JobStatus::ALL.len();
    (0_u8..3, within, statuses(0..=all), on_conflict).prop_map(|(key, within, statuses, on_conflict)| {
        let unique = Unique::new(UniqueKey([key; 16]), Statuses::of(&statuses));
        unique.with_within(within).with_on_conflict(on_conflict)
    })
}

fn key_change() -> impl Strategy<Value = KeyChange> {
    prop_oneof![Just(KeyChange::Keep), Just(KeyChange::Remove), unique().prop_map(KeyChange::Set)]
}

type Extras = (Headers, Option<String>, Option<FlowId>, Option<Deadline>, Option<DateTime<Utc>>);

/// What few jobs have.
fn extras() -> impl Strategy<Value = Extras> {
    let header = (prop::sample::select(&["traceparent", "é\"", ""][..]), text());
    let headers = prop::collection::vec(header, 0..3).prop_map(|headers| headers.into_iter().collect());
    let deadline = prop_oneof![
        (0_i64..90).prop_map(|seconds| Deadline::In(TimeDelta::seconds(seconds))),
        instant().prop_map(Deadline::At),
    ];
    let flow = prop::option::of((1_i64..4).prop_map(FlowId));
    (headers, prop::option::of(text()), flow, prop::option::of(deadline), prop::option::of(instant()))
}

fn new_job() -> impl Strategy<Value = NewJob> {
    let priority = prop_oneof![0_u16..3, Just(u16::MAX)];
    let blocked = prop::bool::weighted(0.15);
    let plain = (executor(), json(), prop::option::of(json()), 1_u16..4, priority, tags(), due(), blocked);
    let plain = plain.prop_map(|(executor, data, metadata, max_attempts, priority, tags, due, blocked)| {
        let job = NewJob::new(executor, data).with_metadata(metadata).with_max_attempts(max_attempts);
        job.with_priority(priority).with_tags(tags).with_due(due).with_blocked(blocked)
    });
    (plain, prop::option::weighted(0.3, unique()), prop::option::weighted(0.2, extras())).prop_map(
        |(job, unique, extras)| {
            let (headers, group_key, flow, deadline, tick_at) = extras.unwrap_or_default();
            let job = job.with_unique(unique).with_headers(headers).with_group_key(group_key);
            job.with_flow(flow).with_deadline(deadline).with_tick_at(tick_at)
        },
    )
}

fn failure() -> impl Strategy<Value = Failure> {
    (text(), text()).prop_map(|(kind, details)| Failure::new(ErrorType::from(kind), details))
}

fn outcome() -> impl Strategy<Value = Outcome> {
    let delay = || (0_i64..40).prop_map(TimeDelta::seconds);
    prop_oneof![
        4 => any::<bool>().prop_map(Outcome::complete),
        1 => json().prop_map(Outcome::complete_with),
        3 => (delay(), failure()).prop_map(|(delay, error)| Outcome::retry(delay, error)),
        1 => failure().prop_map(Outcome::discard),
        1 => text().prop_map(Outcome::cancel),
        1 => delay().prop_map(Outcome::snooze),
        1 => (delay(), failure()).prop_map(|(delay, error)| Outcome::defer(delay, error)),
        2 => (prop::option::of(instant()), any::<bool>())
            .prop_map(|(until, for_signal)| Outcome::suspend(until, for_signal)),
        1 => Just(Outcome::GiveBack),
    ]
}

fn prune_spec() -> impl Strategy<Value = PruneSpec> {
    let finished = [JobStatus::Complete, JobStatus::Cancelled, JobStatus::Discarded];
    let rule = prop_oneof![
        (0_i64..60).prop_map(|seconds| PruneRule::MaxAge(TimeDelta::seconds(seconds))),
        (0_u32..4).prop_map(PruneRule::MaxLength),
    ];
    let some = || prop::collection::vec(executor(), 0..3);
    let executors =
        prop_oneof![Just(PruneScope::All), some().prop_map(PruneScope::Only), some().prop_map(PruneScope::Except)];
    (prop::sample::select(finished.to_vec()), rule, executors)
        .prop_map(|(status, rule, executors)| PruneSpec::new(status, rule, executors))
}

fn filter() -> impl Strategy<Value = Filter> {
    // Some lie between two microseconds, or where no job can be.
    let instant = || {
        prop_oneof![
            4 => instant(),
            2 => (-90_000_i64..90_000).prop_map(|ms| TestClock::START + TimeDelta::nanoseconds(ms * 1_000_500)),
            1 => Just(DateTime::<Utc>::MIN_UTC),
            1 => Just(DateTime::<Utc>::MAX_UTC),
            1 => Just(TestClock::START),
        ]
    };
    let age = || {
        prop_oneof![
            4 => (-60_i64..90).prop_map(TimeDelta::seconds),
            1 => Just(TimeDelta::MAX),
            1 => Just(TimeDelta::MIN),
        ]
    };
    let value = || json().prop_map(|json| json.parse::<Json>().expect("it is JSON"));
    let leaf = prop_oneof![
        executor().prop_map(Filter::Executor),
        value().prop_map(Filter::Data),
        value().prop_map(Filter::Metadata),
        prop::collection::vec(1_i64..20, 0..5).prop_map(|ids| Filter::IdIn(ids.into_iter().map(JobId::from).collect())),
        statuses(0..=3).prop_map(Filter::StatusIn),
        (0_u32..4).prop_map(|bits| Filter::Marked(Marks::from_stored(Some(bits)))),
        tags().prop_map(Filter::TagsAllOf),
        tags().prop_map(Filter::TagsOneOf),
        instant().prop_map(Filter::ScheduledBefore),
        instant().prop_map(Filter::ScheduledAfter),
        instant().prop_map(Filter::ScheduledAt),
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
