//! What unique jobs are compared by: what is refused because it could not work, and what becomes of it when a job changes.

use std::collections::{BTreeSet, HashMap, HashSet};

use rexecutor::{
    backend::{self, AmendError},
    clock::Clock,
    executor::JobsError,
    job::builder::EnqueueError,
    node::StartError,
    prelude::*,
};
use serde::{Deserialize, Serialize};

use super::support::World;

#[job(name = "by_data", unique(by = data))]
async fn by_data(_data: HashMap<String, u32>) {}

#[job(name = "by_user", unique(key = |data| data.0))]
async fn by_user(_data: (u32, String)) {}

#[job(name = "sometimes")]
async fn sometimes(_data: u32) {}

/// Unique only for even numbers.
struct Even;

#[async_trait::async_trait]
impl Executor for Even {
    type Data = u32;
    type Metadata = ();
    const NAME: &'static str = "even";

    fn uniqueness(data: &u32) -> Option<UniquenessCriteria<'static>> {
        data.is_multiple_of(2).then(UniquenessCriteria::by_data)
    }

    async fn execute(_: Job<u32, ()>) -> ExecutionResult {
        ExecutionResult::Done
    }
}

fn map(entries: &[(&str, u32)]) -> HashMap<String, u32> {
    entries.iter().map(|(key, value)| ((*key).to_owned(), *value)).collect()
}

async fn stored<E: Executor>(world: &World, id: JobId) -> Job<E::Data, E::Metadata> {
    E::query_jobs_on_backend(Where::id_equals(id), &world.backend).await.unwrap().remove(0)
}

/// Case 31: an update of the data left the key of the old data.
#[tokio::test]
async fn case_31_the_key_of_an_updated_job_is_that_of_its_data() {
    let world = World::new();
    let enqueue = async |data: &[(&str, u32)]| {
        ByData::builder().with_data(map(data)).enqueue_to_backend(&world.backend).await.unwrap()
    };
    let (first, second) = (enqueue(&[("a", 1)]).await.id(), enqueue(&[("a", 2)]).await.id());
    let mut job = stored::<ByData>(&world, second).await;
    job.data = map(&[("a", 1)]);
    let refused = ByData::update_job_on_backend(job, &world.backend).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        format!("job {second} cannot be updated: it is unique, and job {first} has the same key")
    );
    assert!(matches!(refused, JobsError::Amend(AmendError::Duplicate { .. })));
    assert_eq!(stored::<ByData>(&world, second).await.data, map(&[("a", 2)]), "nothing has changed");
    let mut job = stored::<ByData>(&world, second).await;
    job.data = map(&[("b", 3), ("a", 2)]);
    ByData::update_job_on_backend(job, &world.backend).await.unwrap();
    assert_eq!(enqueue(&[("a", 2), ("b", 3)]).await.id(), second, "the new data count");
    assert!(!enqueue(&[("a", 2)]).await.is_duplicate(), "and the old ones do not");
    // A key that is made from the data goes with them, and one whose part of the data stays is the same.
    let user = ByUser::builder().with_data((7, "a".to_owned())).enqueue_to_backend(&world.backend).await.unwrap();
    for (data, is_duplicate) in [((7, "b"), true), ((8, "b"), false)] {
        let mut job = stored::<ByUser>(&world, user.id()).await;
        job.data = (data.0, data.1.to_owned());
        ByUser::update_job_on_backend(job, &world.backend).await.unwrap();
        let again = ByUser::builder().with_data((7, "c".to_owned())).enqueue_to_backend(&world.backend).await.unwrap();
        assert_eq!(again.is_duplicate(), is_duplicate);
    }
}

/// Case 31: data that make a job unique no more take its key away.
#[tokio::test]
async fn case_31_an_update_to_data_that_need_not_be_unique_frees_the_key() {
    let world = World::new();
    let id = Even::builder().with_data(2).enqueue_to_backend(&world.backend).await.unwrap().id();
    let mut job = stored::<Even>(&world, id).await;
    job.data = 3;
    Even::update_job_on_backend(job, &world.backend).await.unwrap();
    assert_eq!(world.row(id).await.unique_key, None);
    assert!(!Even::builder().with_data(2).enqueue_to_backend(&world.backend).await.unwrap().is_duplicate());
}

/// Case 31: criteria that were given when the job was enqueued are not stored, so a key of the data cannot be made anew.
#[tokio::test]
async fn case_31_data_that_are_compared_by_other_criteria_cannot_be_updated() {
    let world = World::new();
    let given = UniquenessCriteria::by_data().for_statuses(&[JobStatus::Scheduled]).and_key("batch");
    let id = Sometimes::builder().with_data(1).unique(given).enqueue_to_backend(&world.backend).await.unwrap().id();
    let mut job = stored::<Sometimes>(&world, id).await;
    job.priority = 3;
    Sometimes::update_job_on_backend(job.clone(), &world.backend).await.unwrap();
    job.data = 2;
    let refused = Sometimes::update_job_on_backend(job, &world.backend).await.unwrap_err();
    assert!(refused.to_string().starts_with("unique: the job is unique by its data, by criteria that"), "{refused}");
    // A key beside the data stays what it is.
    let given = UniquenessCriteria::by_key("nightly").and_executor();
    let id = Sometimes::builder().with_data(1).unique(given).enqueue_to_backend(&world.backend).await.unwrap().id();
    let key = world.row(id).await.unique_key;
    let mut job = stored::<Sometimes>(&world, id).await;
    job.data = 2;
    Sometimes::update_job_on_backend(job, &world.backend).await.unwrap();
    assert_eq!((world.row(id).await.data.as_str(), world.row(id).await.unique_key), ("2", key));
}

/// Case 31: a complete job runs once more when somebody asks for it; beside a live one of its key it does not.
#[tokio::test]
async fn case_31_a_complete_job_is_rerun_but_not_beside_a_live_one_of_its_key() {
    let world = World::new();
    let node = world.node().with_executor::<ByData>().start().await.unwrap();
    let new = || {
        let criteria = UniquenessCriteria::by_data().for_statuses(&[JobStatus::Scheduled]);
        ByData::builder().with_data(map(&[("a", 1)])).unique(criteria)
    };
    let first = new().enqueue_to_backend(&world.backend).await.unwrap().id();
    world.clock.settle().await;
    ByData::rerun_job_on_backend(first, &world.backend).await.unwrap();
    world.clock.settle().await;
    assert_eq!((world.row(first).await.status, world.row(first).await.lease.0), (JobStatus::Complete, 2));
    let second = new().schedule_in(TimeDelta::hours(1)).enqueue_to_backend(&world.backend).await.unwrap().id();
    let refused = ByData::rerun_job_on_backend(first, &world.backend).await.unwrap_err();
    let said = format!("job {first} cannot be rerun: it is unique, and job {second} has the same key");
    assert_eq!(refused.to_string(), said);
    assert_eq!(world.row(first).await.status, JobStatus::Complete);
    node.graceful_shutdown().await;
}

#[derive(Debug, Serialize, Deserialize)]
struct Group {
    members: HashSet<u32>,
}

macro_rules! unique_by_data {
    ($($name:ident, $title:literal, $data:ty;)*) => {
        $(
            struct $name;

            #[async_trait::async_trait]
            impl Executor for $name {
                type Data = $data;
                type Metadata = ();
                const NAME: &'static str = $title;
                const UNIQUENESS_CRITERIA: Option<UniquenessCriteria<'static>> = Some(UniquenessCriteria::by_data());

                async fn execute(_: Job<$data, ()>) -> ExecutionResult {
                    ExecutionResult::Done
                }
            }
        )*
    };
}

unique_by_data! {
    BySet, "by_set", HashMap<String, HashSet<u32>>;
    ByGroup, "by_group", Group;
    ByTree, "by_tree", BTreeSet<u32>;
    ByList, "by_list", Vec<u32>;
}

/// Case 25: equal sets are written in different orders, so that equal data were not unique.
#[test]
fn case_25_data_in_a_random_order_cannot_be_compared() {
    let refused = |error: EnqueueError| {
        let EnqueueError::Invalid(error) = error else { panic!("{error:?}") };
        assert_eq!(error.field(), "unique");
        assert!(error.to_string().contains("use a `BTreeSet`, or compare a key"), "{error}");
    };
    // The name of the type tells.
    refused(BySet::builder().with_data(HashMap::new()).encode().unwrap_err());
    // It does not, so the values must.
    refused(ByGroup::builder().with_data(Group { members: (0..9).collect() }).encode().unwrap_err());
    let compared = ByGroup::builder().with_data(Group { members: (0..9).collect() });
    assert!(compared.unique(UniquenessCriteria::by_key("group")).encode().is_ok(), "a key can be compared");
    assert!(ByGroup::builder().with_data(Group { members: [1].into() }).encode().is_ok(), "one has one order");
    assert!(ByTree::builder().with_data((0..9).collect()).encode().is_ok());
    let lists = [[1, 2], [2, 1]].map(|list| ByList::builder().with_data(list.to_vec()).encode().unwrap());
    assert_ne!(lists[0].unique, lists[1].unique, "the order of a list counts");
}

#[job]
async fn tally(_votes: HashMap<String, u32>) {}

#[job]
async fn invite(_members: HashSet<u32>) {}

#[job]
async fn list(_members: Vec<u32>) {}

/// Case 25: a schedule whose data were a map was another one in each process, so that each had its own ticks.
#[tokio::test]
async fn case_25_a_schedule_is_the_same_whatever_the_order_of_its_data() {
    let world = World::new();
    let mut nodes = Vec::new();
    // Each map and each set has another order, as in another process.
    for _ in 0..8 {
        let votes: HashMap<String, u32> = (0..8).map(|nth| (format!("key {nth}"), nth)).collect();
        let every_minute = || "0 * * * * *".parse().unwrap();
        let node = world.node().with_cron_executor::<Tally>(every_minute(), votes, rexecutor::Tz::UTC);
        let node = node.with_cron_executor::<Invite>(every_minute(), (0..8).collect(), rexecutor::Tz::UTC);
        nodes.push(node.start().await.unwrap());
    }
    world.seconds(5 * 60 + 1).await;
    let rows = world.rows().await;
    for executor in ["tally", "invite"] {
        assert_eq!(rows.iter().filter(|row| row.executor.as_str() == executor).count(), 5, "{executor}");
    }
    for node in nodes {
        node.graceful_shutdown().await;
    }
}

/// Case 25: what is told apart by the order of a list alone would never tick, so it is said.
#[tokio::test]
async fn case_25_two_schedules_that_differ_in_the_order_of_a_list_are_refused() {
    let world = World::new();
    let node = |data: [Vec<u32>; 2]| {
        let add = |node: rexecutor::node::NodeBuilder, data| {
            node.with_cron_executor::<List>("0 * * * * *".parse().unwrap(), data, rexecutor::Tz::UTC)
        };
        data.into_iter().fold(world.node(), add).start()
    };
    let Err(StartError::Invalid(problems)) = node([vec![1, 2], vec![2, 1]]).await else { panic!("it starts") };
    assert!(
        problems[0].contains("have the data [1,2] and [2,1], which differ in nothing but the order"),
        "{problems:?}"
    );
    for data in [[vec![1, 2], vec![1, 2]], [vec![1, 2], vec![1, 3]]] {
        node(data).await.unwrap().graceful_shutdown().await;
    }
}

struct Forgets;
struct Keeps;

#[async_trait::async_trait]
impl Executor for Forgets {
    type Data = ();
    type Metadata = ();
    const NAME: &'static str = "forgets";
    const RETENTION: Retention = Retention::None;

    async fn execute(_: Job<(), ()>) -> ExecutionResult {
        ExecutionResult::Done
    }
}

#[async_trait::async_trait]
impl Executor for Keeps {
    type Data = ();
    type Metadata = ();
    const NAME: &'static str = "keeps";
    const RETENTION: Retention = Retention::For(TimeDelta::minutes(5));

    async fn execute(_: Job<(), ()>) -> ExecutionResult {
        ExecutionResult::Done
    }
}

/// Case 33: complete jobs were deleted before they had ceased to be unique, so that nothing was.
#[test]
fn case_33_jobs_that_are_deleted_too_soon_to_be_unique_are_refused() {
    let within = |minutes| UniquenessCriteria::by_executor().and_within(TimeDelta::minutes(minutes));
    let refused = |error: EnqueueError| {
        let said = error.to_string();
        assert!(said.starts_with("unique: complete jobs are deleted while they are still to be unique"), "{said}");
    };
    refused(Forgets::builder().unique(within(5)).encode().unwrap_err());
    refused(Keeps::builder().unique(within(6)).encode().unwrap_err());
    assert!(Keeps::builder().unique(within(5)).encode().is_ok());
    let live = [JobStatus::Scheduled, JobStatus::Executing, JobStatus::Retryable];
    assert!(Forgets::builder().unique(within(5).for_statuses(&live)).encode().is_ok());
    assert!(
        Forgets::builder().unique(UniquenessCriteria::by_executor()).encode().is_ok(),
        "for as long as it is there"
    );
    let nothing = UniquenessCriteria::by_executor().and_within(TimeDelta::nanoseconds(999));
    assert!(Sometimes::builder().with_data(1).unique(nothing).encode().is_err(), "no time at all");
}

#[job(name = "index", debounce(within = "5s", key = |data| data.0, longest = "12s"))]
async fn index(_data: (u32, String)) {}

#[job(name = "digest", throttle = "1m")]
async fn digest() {}

/// Case 18.8: what the attribute says holds through the builder, and runs on a node.
#[tokio::test]
async fn case_18_8_the_last_call_and_the_first_one_win() {
    let world = World::new();
    let call = async |page: u32, text: &str| {
        let builder = Index::builder().with_data((page, text.to_owned()));
        builder.enqueue_to_backend(&world.backend).await.unwrap()
    };
    let first = call(1, "a").await;
    let other = call(2, "a").await;
    assert_eq!(call(1, "b").await, backend::Enqueued::Replaced(first.id()));
    assert!(!other.is_duplicate());
    let due = stored::<Index>(&world, first.id()).await.scheduled_at;
    assert_eq!(due, world.clock.now() + TimeDelta::seconds(5));
    world.clock.advance(TimeDelta::seconds(3)).await;
    call(1, "c").await;
    let node = Rexecutor::builder().with_backend(world.backend.clone()).with_clock(world.clock.clone());
    let node = node.with_executor::<Index>().start().await.unwrap();
    world.clock.advance(TimeDelta::seconds(5)).await;
    world.clock.settle().await;
    node.graceful_shutdown().await;
    let jobs = Index::query_jobs_on_backend(Where::any(), &world.backend).await.unwrap();
    let ends: Vec<_> = jobs.iter().map(|job| (job.status, job.data.1.as_str())).collect();
    assert_eq!(ends, [(JobStatus::Complete, "c"), (JobStatus::Complete, "a")]);

    let digest = async || Digest::builder().enqueue_to_backend(&world.backend).await.unwrap();
    let first = digest().await;
    assert_eq!(digest().await, backend::Enqueued::Existing(first.id()));
    Digest::cancel_job_on_backend(first.id(), Box::new("no"), &world.backend).await.unwrap();
    assert!(digest().await.is_duplicate(), "however it ends");
    world.clock.advance(TimeDelta::minutes(1)).await;
    assert!(!digest().await.is_duplicate());
    let words = |name: &str| {
        let all = Rexecutor::registered();
        all.iter().find(|job| job.name() == name).unwrap().settings().uniqueness
    };
    assert_eq!(words("digest"), Some("throttle \"1m\""));
    assert!(words("index").unwrap().starts_with("debounce within = \"5s\""));
}
