//! What the cases say things with.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use rexecutor::{
    backend::{
        Backend, Claimed, Demand, Enqueued, Failure, Filter, JobRow, Member, NewJob, Node, Outcome, Settlement, Unique,
    },
    clock::Clock,
    job::{ErrorType, JobId, Lease, NodeId},
};

use crate::TestClock;

/// A backend, and maybe something that has to live as long as it.
pub trait Guarded {
    /// What has to live as long.
    type Guard;

    /// Takes the two apart.
    fn split(self) -> (Arc<dyn Backend>, Self::Guard);
}

impl<B: Backend> Guarded for B {
    type Guard = ();

    fn split(self) -> (Arc<dyn Backend>, ()) {
        (Arc::new(self), ())
    }
}

/// A backend, and what has to live as long as it: the guard of a temporary folder, say.
#[derive(Debug)]
pub struct With<B, G>(pub B, pub G);

impl<B: Backend, G> Guarded for With<B, G> {
    type Guard = G;

    fn split(self) -> (Arc<dyn Backend>, G) {
        (Arc::new(self.0), self.1)
    }
}

/// A new, empty backend, its clock, and words for the cases.
#[derive(Debug, Clone)]
pub struct Harness {
    pub(super) backend: Arc<dyn Backend>,
    pub(super) clock: TestClock,
}

/// How long the nodes of the cases may be silent.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);

impl Harness {
    pub(super) fn new(backend: Arc<dyn Backend>, clock: TestClock) -> Self {
        Self { backend, clock }
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub(super) async fn enqueue(&self, job: NewJob) -> JobId {
        self.enqueue_all(vec![job]).await[0].id()
    }

    pub(super) async fn enqueue_all(&self, jobs: Vec<NewJob>) -> Vec<Enqueued> {
        self.backend.enqueue(jobs).await.expect("jobs can be enqueued")
    }

    pub(super) async fn join(&self) -> NodeId {
        let node = Node::new("a node", TIMEOUT);
        self.backend.join(&node).await.expect("a node can join")
    }

    /// A member as it was last heard, if it is one.
    pub(super) async fn member(&self, node: NodeId) -> Option<Member> {
        let looking = self.join().await;
        let heartbeat = self.backend.heartbeat(looking).await.expect("heartbeats work");
        self.backend.leave(looking).await.expect("a node can leave");
        heartbeat.others.into_iter().find(|member| member.node == node)
    }

    /// Takes nodes for dead, as they are now; returns how many jobs were rescued.
    pub(super) async fn declare_dead(&self, nodes: &[NodeId]) -> usize {
        let mut dead = Vec::new();
        for node in nodes {
            dead.push(self.member(*node).await.expect("it is a member"));
        }
        self.backend.rescue(&dead).await.expect("rescue works")
    }

    pub(super) async fn claim(&self, node: NodeId, executor: &'static str, free: usize) -> Vec<JobRow> {
        self.claim_from(node, &[(executor, free)]).await.jobs
    }

    pub(super) async fn claim_from(&self, node: NodeId, demands: &[(&'static str, usize)]) -> Claimed {
        let demands = demands.iter().map(|(executor, limit)| Demand::new(*executor, *limit)).collect();
        self.backend.claim(node, demands).await.expect("jobs can be claimed")
    }

    /// Enqueues a job, and claims it for a new node.
    pub(super) async fn running(&self, job: NewJob) -> JobRow {
        let (executor, id) = (job.executor.clone(), self.enqueue(job).await);
        let node = self.join().await;
        let claimed =
            self.backend.claim(node, [Demand::new(executor, 1_000)].into()).await.expect("jobs can be claimed");
        claimed.jobs.into_iter().find(|job| job.id == id).expect("the job is claimed")
    }

    /// Settles a run; says whether it was accepted.
    pub(super) async fn settle(&self, run: &JobRow, outcome: Outcome) -> bool {
        self.settle_as(run.id, run.lease, outcome).await
    }

    pub(super) async fn settle_as(&self, id: JobId, lease: Lease, outcome: Outcome) -> bool {
        self.backend
            .settle([Settlement::new(id, lease, outcome)].into())
            .await
            .expect("outcomes can be stored")
            .is_empty()
    }

    pub(super) async fn find(&self, id: JobId) -> Option<JobRow> {
        self.query(Filter::IdIn(vec![id])).await.pop()
    }

    pub(super) async fn row(&self, id: JobId) -> JobRow {
        self.find(id).await.expect("the job is stored")
    }

    pub(super) async fn query(&self, filter: Filter) -> Vec<JobRow> {
        self.backend.query(&filter, usize::MAX).await.expect("jobs can be queried")
    }

    pub(super) async fn all(&self) -> Vec<JobRow> {
        self.query(Filter::All(Vec::new())).await
    }

    pub(super) async fn wait(&self, seconds: i64) {
        self.clock.advance(TimeDelta::seconds(seconds)).await;
    }
}

/// A job of an executor, due now, with three attempts.
pub(super) fn job(executor: &'static str) -> NewJob {
    NewJob::new(executor, "1").with_max_attempts(3)
}

pub(super) fn unique(job: NewJob, unique: Unique) -> NewJob {
    job.with_unique(unique)
}

pub(super) fn failure(details: &str) -> Failure {
    Failure::new(ErrorType::Other("oops".to_owned()), details)
}

pub(super) fn retry(seconds: i64) -> Outcome {
    Outcome::retry(TimeDelta::seconds(seconds), failure("it broke"))
}

pub(super) const COMPLETE: Outcome = Outcome::complete(true);

pub(super) fn ids(jobs: &[JobRow]) -> Vec<JobId> {
    jobs.iter().map(|job| job.id).collect()
}
