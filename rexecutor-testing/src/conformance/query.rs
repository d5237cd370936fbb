//! `Inspect::query`.

use chrono::TimeDelta;
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use rexecutor::{
    backend::{Due, Filter, Json, Outcome},
    job::{JobId, JobStatus, NodeId},
};

use super::harness::{COMPLETE, Harness, ids, job, retry};

/// Trap 33: `a AND b OR c` without parentheses returns another executor's jobs.
pub async fn trap_33_conditions_keep_to_their_parentheses(t: &Harness) {
    let mine = t.enqueue(job("mail")).await;
    t.enqueue(job("other")).await;
    let either = Filter::Any(vec![Filter::Data(json("1")), Filter::StatusIn(vec![JobStatus::Scheduled])]);
    let filter = Filter::All(vec![Filter::Executor("mail".into()), either]);
    assert_eq!(ids(&t.query(filter).await), [mine]);
}

/// An empty list matches none, and an empty condition all: neither is a mistake in SQL.
pub async fn an_empty_list_is_none_and_an_empty_condition_is_all(t: &Harness) {
    t.enqueue_all(vec![job("mail"); 3]).await;
    let count = async |filter| t.query(filter).await.len();
    assert_eq!(count(Filter::IdIn(Vec::new())).await, 0);
    assert_eq!(count(Filter::StatusIn(Vec::new())).await, 0);
    assert_eq!(count(Filter::TagsOneOf(Vec::new())).await, 0);
    assert_eq!(count(Filter::Any(Vec::new())).await, 0);
    assert_eq!(count(Filter::TagsAllOf(Vec::new())).await, 3);
    assert_eq!(count(Filter::All(Vec::new())).await, 3);
    assert_eq!(count(Filter::Not(Box::new(Filter::All(Vec::new())))).await, 0);
    assert_eq!(t.backend.query(&Filter::All(Vec::new()), 2).await.expect("jobs can be queried").len(), 2);
    assert_eq!(t.backend.query(&Filter::All(Vec::new()), 0).await.expect("jobs can be queried").len(), 0);
}

/// Case 24: numbers of more than 64 bits are compared in full, wherever they stand.
pub async fn case_24_data_are_compared_in_full(t: &Harness) {
    let stored = ["340282366920938463463374607431768211455", r#"{"b":[1180591620717411303424],"a":0.1}"#];
    let other = ["340282366920938463463374607431768211454", r#"{"a":0.1,"b":[1180591620717411303425]}"#];
    let same = [stored[0], r#"{ "a": 0.1, "b": [ 1180591620717411303424 ] }"#];
    for (place, data) in stored.into_iter().enumerate() {
        let job = job("mail").with_data(data.to_owned()).with_metadata(Some(data.to_owned()));
        let id = t.enqueue(job).await;
        for filter in [Filter::Data, Filter::Metadata] {
            assert_eq!(ids(&t.query(filter(json(same[place]))).await), [id], "{data}");
            assert_eq!(ids(&t.query(filter(json(other[place]))).await), [], "{data}");
        }
    }
}

/// Case 30: long chains of conditions took the process down, or were too deep for SQLite alone.
pub async fn case_30_chains_of_thousands_are_answered_and_longer_ones_refused(t: &Harness) {
    let first = t.enqueue(job("mail").with_data("0".to_owned()).with_tags(vec!["2999".to_owned()])).await;
    t.enqueue(job("mail").with_data("\"no\"".to_owned())).await;
    let data = |number: i64| Filter::Data(serde_json::json!(number).into());
    let late = |number: i64| Filter::ScheduledBefore(t.now() - TimeDelta::microseconds(number));
    let tag = |number: i64| Filter::TagsAllOf(vec![number.to_string()]);
    let chain = |length: i64, one: &dyn Fn(i64) -> Filter| (0..length).map(one).reduce(Filter::or).expect("some");
    assert_eq!(ids(&t.query(chain(3_000, &data)).await), [first]);
    assert_eq!(ids(&t.query(chain(3_000, &late)).await), []);
    assert_eq!(ids(&t.query(chain(3_000, &tag)).await), [first]);
    let neither = (0..3_000).map(|number| late(number).negated()).reduce(Filter::and).expect("some");
    assert_eq!(t.query(neither).await.len(), 2);
    let deepest = |depth: usize| {
        (1..depth).fold(tag(2999), |inner, nth| match nth % 3 {
            0 => inner.and(late(-1)),
            1 => inner.or(late(1)),
            _ => inner.negated(),
        })
    };
    let expected = if deepest(100).matches(&t.row(first).await, t.now()) { vec![first] } else { Vec::new() };
    assert_eq!(ids(&t.query(deepest(100).and(Filter::IdIn(vec![first]))).await), expected);
    for refused in [chain(20_000, &data), deepest(200)] {
        let error = t.backend.query(&refused, 1).await.expect_err("it is too long or too deep");
        let source = std::error::Error::source(&error).expect("it has a reason").to_string();
        assert!(!error.is_transient() && source.starts_with("a query "), "{source}");
    }
}

/// Case 30: the ends of time are ages and instants like any other.
pub async fn case_30_extreme_ages_and_instants_are_compared(t: &Harness) {
    for due in [Due::Now, Due::In(TimeDelta::days(365_000))] {
        t.enqueue(job("mail").with_due(due)).await;
    }
    let count = async |filter| t.query(filter).await.len();
    for (age, older) in [(TimeDelta::MIN, 2), (TimeDelta::MAX, 0), (TimeDelta::days(-365_001), 2)] {
        assert_eq!(count(Filter::ScheduledOlderThan(age)).await, older, "{age}");
        assert_eq!(count(Filter::ScheduledWithinTheLast(age)).await, 2 - older, "{age}");
    }
    for (at, before) in [(chrono::DateTime::<chrono::Utc>::MIN_UTC, 0), (chrono::DateTime::<chrono::Utc>::MAX_UTC, 2)] {
        assert_eq!(count(Filter::ScheduledBefore(at)).await, before, "{at}");
        assert_eq!(count(Filter::ScheduledAfter(at)).await, 2 - before, "{at}");
        assert_eq!(count(Filter::ScheduledAt(at)).await, 0, "{at}");
    }
}

/// Every condition, nested at random, means what [`Filter::matches`] says.
pub async fn every_condition_means_what_the_reference_says(t: &Harness) {
    populate(t).await;
    let all = t.all().await;
    let mut runner = TestRunner::deterministic();
    let strategy = filters(t);
    for _ in 0..300 {
        let filter = strategy.new_tree(&mut runner).expect("filters can be made").current();
        let expected: Vec<_> = all.iter().filter(|row| filter.matches(row, t.now())).map(|row| row.id).collect();
        assert_eq!(ids(&t.query(filter.clone()).await), expected, "{filter:?}");
    }
}

/// The last two are one number as doubles.
const DATA: [&str; 8] = [
    "1",
    "1.0",
    r#"{"a":1,"b":[null,true]}"#,
    r#"{"b":[null,true],"a":1}"#,
    "\"1\"",
    "null",
    "340282366920938463463374607431768211455",
    "340282366920938463463374607431768211454",
];

/// Texts to look for: in data, in errors, in what an error is stored as, and such as a database may take for something else.
const TEXTS: [&str; 12] = ["", "1", "\"", "b\":[", "it broke", "It", "oops", "\n", "attempt", "%", "'", "a\0b"];

fn json(text: &str) -> Json {
    text.parse().expect("it is JSON")
}

const TAGS: [&str; 4] = ["a", "b", "a b", "%'\""];

pub(super) async fn populate(t: &Harness) {
    for n in 0_i16..60 {
        let number = usize::from(n.unsigned_abs());
        let tags = TAGS.iter().take(number % 5).map(|tag| (*tag).to_owned()).collect();
        let new = job(["mail", "other"][number % 2])
            .with_data(DATA[number % 8].to_owned())
            .with_metadata((number % 4 > 0).then(|| DATA[number % 4].to_owned()))
            .with_tags(tags)
            .with_priority([0, 2][number % 3 / 2])
            .with_due(Due::At(t.now() + TimeDelta::microseconds(i64::from(n) - 30)));
        t.enqueue(new).await;
    }
    t.wait(1).await;
    let node = t.join().await;
    let ends = [COMPLETE, retry(5), Outcome::cancel("no")];
    for (run, outcome) in t.claim(node, "mail", 12).await.into_iter().zip(ends.into_iter().cycle()).skip(2) {
        assert!(t.settle(&run, outcome).await);
    }
}

pub(super) fn filters(t: &Harness) -> impl Strategy<Value = Filter> {
    let start = t.now() - TimeDelta::seconds(1);
    let instant = (-40_000_i64..40_000).prop_map(move |nanos| start + TimeDelta::nanoseconds(nanos));
    let whole = (-40_i64..40).prop_map(move |micros| start + TimeDelta::microseconds(micros));
    let instant = prop_oneof![instant, whole];
    let end = t.now();
    let moments = (-3_i64..3).prop_map(move |nanos| end + TimeDelta::nanoseconds(nanos * 500));
    let value = prop::sample::select(DATA.to_vec()).prop_map(json);
    let tags = prop::collection::vec(prop::sample::select(TAGS.to_vec()).prop_map(str::to_owned), 0..3);
    let age = (999_900_i64..1_000_100).prop_map(TimeDelta::microseconds);
    let leaf = prop_oneof![
        prop::sample::select(vec!["mail", "other", "nobody"]).prop_map(|name| Filter::Executor(name.into())),
        value.clone().prop_map(Filter::Data),
        value.prop_map(Filter::Metadata),
        prop::collection::vec((0_i64..70).prop_map(JobId::from), 0..9).prop_map(Filter::IdIn),
        prop::sample::subsequence(JobStatus::ALL.to_vec(), 0..4).prop_map(Filter::StatusIn),
        tags.clone().prop_map(Filter::TagsAllOf),
        tags.prop_map(Filter::TagsOneOf),
        instant.clone().prop_map(Filter::ScheduledBefore),
        instant.clone().prop_map(Filter::ScheduledAfter),
        instant.clone().prop_map(Filter::ScheduledAt),
        instant.clone().prop_map(Filter::InsertedBefore),
        instant.clone().prop_map(Filter::InsertedAfter),
        moments.clone().prop_map(Filter::FinishedBefore),
        moments.prop_map(Filter::FinishedAfter),
        (0_u16..3).prop_map(Filter::Priority),
        (0_i64..4).prop_map(|node| Filter::Node(NodeId(node))),
        prop::sample::select(TEXTS.to_vec()).prop_map(|text| Filter::DataContains(text.to_owned())),
        prop::sample::select(TEXTS.to_vec()).prop_map(|text| Filter::ErrorContains(text.to_owned())),
        age.clone().prop_map(Filter::ScheduledOlderThan),
        age.prop_map(Filter::ScheduledWithinTheLast),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Filter::All),
            prop::collection::vec(inner.clone(), 0..4).prop_map(Filter::Any),
            inner.prop_map(|filter| Filter::Not(Box::new(filter))),
        ]
    })
}
