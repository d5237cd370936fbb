//! Case 28: jobs that one version of a program can read and another one cannot.

use std::time::Duration;

use rexecutor::{
    backend::{Enqueue, Inspect, Marks},
    limits::MAX_DEFERRAL,
    node::NodeBuilder,
    prelude::*,
};
use serde::{Deserialize, Serialize};

use super::support::{Tell, World, tell};

/// What the old version knows of a mail.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OldMail {
    to: String,
}

/// What the new version knows of it.
#[derive(Debug, Serialize, Deserialize)]
struct NewMail {
    to: String,
    subject: String,
}

struct OldNode;
struct NewNode;

#[async_trait::async_trait]
impl Executor for OldNode {
    type Data = OldMail;
    type Metadata = ();
    const NAME: &'static str = "mail";
    const MAX_ATTEMPTS: u16 = 1;

    async fn execute(job: Job<OldMail, ()>) -> ExecutionResult {
        Tell::of(&job).say(format!("old {}", job.data.to));
        ExecutionResult::Done
    }
}

#[async_trait::async_trait]
impl Executor for NewNode {
    type Data = NewMail;
    type Metadata = ();
    const NAME: &'static str = "mail";
    const MAX_ATTEMPTS: u16 = 1;

    async fn execute(job: Job<NewMail, ()>) -> ExecutionResult {
        Tell::of(&job).say(format!("new {}: {}", job.data.to, job.data.subject));
        ExecutionResult::Done
    }
}

/// One that does little beside its jobs, for days to pass quickly.
fn node(world: &World) -> NodeBuilder {
    world.node().with_node_timeout(Duration::from_secs(36_000)).with_poll_interval(Duration::from_secs(36_000))
}

fn new_mail(to: &str) -> NewMail {
    NewMail { to: to.to_owned(), subject: "hello".to_owned() }
}

/// Jobs of the new version, with one attempt, while only a node of the old one runs: none of them is lost.
#[tokio::test]
async fn case_28_jobs_of_a_newer_version_wait_for_a_node_that_can_read_them() {
    let world = World::new();
    let (tell, mut told) = tell();
    let old = node(&world).with_state(tell.clone()).with_executor::<OldNode>().start().await.unwrap();
    for nth in 0..100 {
        let job = NewNode::builder().with_data(new_mail(&nth.to_string()));
        let _ = job.enqueue_to_backend(&world.backend).await.unwrap();
    }
    let _ = OldNode::builder().with_data(OldMail { to: "ada".to_owned() }).enqueue_to_backend(&world.backend).await;
    for _ in 0..60 {
        world.seconds(60).await;
    }
    assert_eq!(told.all(), ["old ada"]);
    for row in &world.rows().await[..100] {
        assert_eq!((row.status, row.attempt, row.marks), (JobStatus::Scheduled, 0, Marks::UNDECODED));
        assert_eq!(row.errors.len(), 1, "it is said once");
        assert_eq!(row.errors[0].error_type, ErrorType::Decode);
        assert!(row.lease.0 < 30, "it was claimed {} times in an hour", row.lease.0);
    }
    let new = node(&world).with_state(tell).with_executor::<NewNode>().start().await.unwrap();
    // While both run, whoever comes first claims them.
    for _ in 0..24 {
        world.seconds(900).await;
    }
    old.graceful_shutdown().await;
    for _ in 0..12 {
        world.seconds(900).await;
    }
    let mut all = told.all();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 100, "each has run");
    assert!(world.rows().await.iter().all(|row| row.status == JobStatus::Complete && row.marks.is_plain()));
    new.graceful_shutdown().await;
}

/// What no version can read is kept with its bytes, and one command brings it back.
#[tokio::test]
async fn case_28_what_nobody_can_read_is_discarded_in_the_end_and_brought_back_by_one_command() {
    let world = World::new();
    let (tell, mut told) = tell();
    let old = node(&world).with_state(tell.clone()).with_executor::<OldNode>().start().await.unwrap();
    let ids = [new_mail("ada"), new_mail("bob")].map(|data| NewNode::builder().with_data(data));
    for job in ids {
        let _ = job.enqueue_to_backend(&world.backend).await.unwrap();
    }
    let hours = MAX_DEFERRAL.num_hours();
    for _ in 0..4 * (hours - 1) {
        world.seconds(900).await;
    }
    assert!(world.rows().await.iter().all(|row| row.status == JobStatus::Scheduled));
    for _ in 0..8 {
        world.seconds(900).await;
    }
    for row in world.rows().await {
        assert_eq!((row.status, row.attempt, row.marks), (JobStatus::Discarded, 1, Marks::UNDECODED));
        assert!(row.data.contains("hello"), "its data are as they were");
    }
    old.graceful_shutdown().await;
    let new = node(&world).with_state(tell).with_executor::<NewNode>().start().await.unwrap();
    assert_eq!(NewNode::rerun_undecoded_jobs_on_backend(&world.backend).await.unwrap(), 2);
    world.clock.settle().await;
    assert_eq!(told.all(), ["new ada: hello", "new bob: hello"]);
    assert_eq!(NewNode::rerun_undecoded_jobs_on_backend(&world.backend).await.unwrap(), 0);
    new.graceful_shutdown().await;
}

/// After a rerun, a job that still cannot be read waits anew.
#[tokio::test]
async fn case_28_a_rerun_gives_it_the_whole_time_again() {
    let world = World::new();
    let old = node(&world).with_executor::<OldNode>().start().await.unwrap();
    let id = NewNode::builder().with_data(new_mail("ada")).enqueue_to_backend(&world.backend).await.unwrap();
    for _ in 0..4 * (MAX_DEFERRAL.num_hours() + 1) {
        world.seconds(900).await;
    }
    assert_eq!(world.row(id).await.status, JobStatus::Discarded);
    world.backend.rerun(&"mail".into(), id.id()).await.unwrap();
    world.seconds(1).await;
    let row = world.row(id).await;
    assert_eq!((row.status, row.errors.len()), (JobStatus::Scheduled, 3));
    assert_eq!(row.scheduled_at - row.attempted_at.unwrap(), TimeDelta::seconds(1));
    old.graceful_shutdown().await;
}

/// One row that does not decode fails no query: the others come, and the rest can be seen.
#[tokio::test]
async fn case_28_a_query_gives_the_jobs_that_decode_and_another_one_the_rest() {
    let world = World::new();
    let old = |to: &str| OldNode::builder().with_data(OldMail { to: to.to_owned() }).encode().unwrap();
    let new = |to: &str| NewNode::builder().with_data(new_mail(to)).encode().unwrap();
    let broken = old("x").with_data("no JSON".to_owned());
    let jobs = vec![old("ada"), new("bob"), broken, old("eve")];
    let answers = world.backend.enqueue(jobs).await.unwrap();
    let jobs = OldNode::query_jobs_on_backend(Where::any(), &world.backend).await.unwrap();
    assert_eq!(jobs.iter().map(|job| job.data.to.as_str()).collect::<Vec<_>>(), ["ada", "eve"]);
    let rest = OldNode::query_undecoded_jobs_on_backend(Where::any(), &world.backend).await.unwrap();
    let rest: Vec<_> = rest.iter().map(|one| (one.row.id, one.error.to_string())).collect();
    let said = |nth: usize| format!("the data of job {} do not decode as `mail` expects", answers[nth].id());
    assert_eq!(rest, [(answers[1].id(), said(1)), (answers[2].id(), said(2))]);
    let waiting = Where::status_equals(JobStatus::Complete);
    assert!(OldNode::query_undecoded_jobs_on_backend(waiting, &world.backend).await.unwrap().is_empty());
}
