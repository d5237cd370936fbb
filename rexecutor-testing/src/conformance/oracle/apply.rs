//! Making a call to one of the two backends, and its answer in words that can be compared.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use rexecutor::{
    backend::{Backend, Demand, Enqueued, Filter, JobRow, Member, Node, ScheduleKey, Settlement, Tick},
    job::{JobId, Lease, NodeId},
};

use super::call::{Call, Target};
use crate::{TestClock, conformance::harness::job};

/// One of the two backends. The numbers of its jobs and nodes may start anywhere; here they are as if they began at 1.
pub(super) struct Side {
    backend: Arc<dyn Backend>,
    jobs: i64,
    nodes: i64,
}

impl Side {
    /// Learns where a backend's numbers start.
    pub(super) async fn new(backend: Arc<dyn Backend>) -> Self {
        let jobs = must(backend.enqueue(vec![job("first")]).await)[0].id().as_i64() - 1;
        let nodes = must(backend.join(&Node::new("first", Duration::from_secs(10))).await).0 - 1;
        Self { backend, jobs, nodes }
    }

    /// All rows.
    pub(super) async fn rows(&self) -> Vec<JobRow> {
        self.query(&Filter::All(Vec::new()), usize::MAX).await
    }

    async fn query(&self, filter: &Filter, limit: usize) -> Vec<JobRow> {
        let rows = must(self.backend.query(&self.moved(filter), limit).await);
        rows.into_iter().map(|row| self.shown(row)).collect()
    }

    /// Makes the call; the answer in words. `rows` are those to choose from.
    pub(super) async fn apply(&self, call: &Call, rows: &[JobRow]) -> String {
        let backend = &self.backend;
        match call {
            Call::Enqueue(jobs) => {
                let answers = must(backend.enqueue(jobs.clone()).await).into_iter();
                format!("{:?}", answers.map(|answer| self.answer(answer)).collect::<Vec<_>>())
            }
            Call::Schedules(keys) => {
                let keys: Vec<_> = keys.iter().map(|key| schedule(*key)).collect();
                format!("{:?}", backend.schedules(&keys).await)
            }
            Call::Tick { schedule: key, seconds, local, jobs } => {
                let at = TestClock::START + TimeDelta::seconds(*seconds);
                let local = local.map(|seconds| TestClock::START.naive_utc() + TimeDelta::seconds(seconds));
                let tick = Tick::new(at).with_local(local);
                format!("{:?}", backend.tick(&schedule(*key), tick, jobs.clone()).await)
            }
            Call::Rewind { schedule: key, from, to } => {
                let [from, to] = [from, to].map(|seconds| TestClock::START + TimeDelta::seconds(*seconds));
                format!("{:?}", backend.rewind(&schedule(*key), from, to).await)
            }
            Call::Join { timeout } => {
                let node = must(backend.join(&Node::new("é\"", Duration::from_secs(*timeout))).await);
                format!("{}", node.0 - self.nodes)
            }
            Call::Heartbeat { node } => {
                let heartbeat = must(backend.heartbeat(self.node(*node)).await);
                let runs = |runs: &[(JobId, Lease)]| runs.iter().map(|run| self.run(*run)).collect::<Vec<_>>();
                let others =
                    heartbeat.others.iter().map(|other| (other.node.0 - self.nodes, other.beats, other.timeout));
                let others: Vec<_> = others.collect();
                format!("{} {:?} {:?} {others:?}", heartbeat.member, runs(&heartbeat.runs), runs(&heartbeat.cancelled))
            }
            Call::Leave { node } => format!("{:?}", backend.leave(self.node(*node)).await),
            Call::Claim { node, demands } => {
                let demands = demands.iter().map(|(executor, limit)| Demand::new(executor.clone(), *limit));
                let claimed = must(backend.claim(self.node(*node), demands.collect()).await);
                let jobs: Vec<_> = claimed.jobs.into_iter().map(|row| self.shown(row)).collect();
                format!("{} {:?} {jobs:?}", claimed.member, claimed.next_due_in)
            }
            Call::Settle(ends) => {
                let settlement = |end: &super::call::End| {
                    let (id, lease) = end.among(rows);
                    Settlement::new(self.job(id), lease, end.outcome.clone())
                };
                let mut refused = must(backend.settle(ends.iter().map(settlement).collect()).await);
                refused.sort_unstable();
                format!("{:?}", refused.into_iter().map(|run| self.run(run)).collect::<Vec<_>>())
            }
            Call::Rescue(dead) => {
                let member = |(node, beats): &(i64, i64)| Member::new(self.node(*node), *beats, Duration::ZERO);
                format!("{:?}", backend.rescue(&dead.iter().map(member).collect::<Vec<_>>()).await)
            }
            Call::Prune(spec, limit) => format!("{:?}", backend.prune(spec, *limit).await),
            Call::Query(filter, limit) => format!("{:?}", self.query(filter, *limit).await),
            Call::Cancel(target, reason) => {
                let (executor, job) = self.target(target, rows);
                self.refusal(backend.cancel(&executor, job, reason.clone()).await)
            }
            Call::Rerun(target) => {
                let (executor, job) = self.target(target, rows);
                self.refusal(backend.rerun(&executor, job).await)
            }
            Call::Release(target) => {
                let (executor, job) = self.target(target, rows);
                self.refusal(backend.release(&executor, job).await)
            }
            Call::Update(target, change) => {
                let (executor, job) = self.target(target, rows);
                self.refusal(backend.update(&executor, job, change.to_any()).await)
            }
            Call::Pause(scope, pause) => match backend.control() {
                Some(control) => format!("{:?}", control.pause(scope, pause.clone()).await),
                None => String::new(),
            },
            Call::Resume(scope) => match backend.control() {
                Some(control) => format!("{:?}", control.resume(scope).await),
                None => String::new(),
            },
            Call::Paused => match backend.control() {
                Some(control) => format!("{:?}", control.paused().await),
                None => String::new(),
            },
            Call::Advance(_) => String::new(),
        }
    }

    /// Whether the call is of a capability that the backend need not have, and has not.
    pub(super) fn lacks(&self, call: &Call) -> bool {
        matches!(call, Call::Pause(..) | Call::Resume(_) | Call::Paused) && self.backend.control().is_none()
    }

    fn job(&self, job: JobId) -> JobId {
        JobId::from(job.as_i64().saturating_add(self.jobs))
    }

    fn node(&self, node: i64) -> NodeId {
        NodeId(node + self.nodes)
    }

    fn run(&self, (job, lease): (JobId, Lease)) -> (i64, i64) {
        (job.as_i64() - self.jobs, lease.0)
    }

    fn target(&self, target: &Target, rows: &[JobRow]) -> (rexecutor::job::ExecutorName, JobId) {
        let (executor, job) = target.among(rows);
        (executor, self.job(job))
    }

    fn answer(&self, answer: Enqueued) -> (i64, bool, bool) {
        let is_replaced = matches!(answer, Enqueued::Replaced(_));
        (answer.id().as_i64() - self.jobs, answer.is_duplicate(), is_replaced)
    }

    /// A refusal names the job.
    fn refusal(&self, result: Result<(), rexecutor::backend::AmendError>) -> String {
        use rexecutor::backend::AmendError;
        match result {
            Ok(()) => "done".to_owned(),
            Err(AmendError::NotFound(job)) => format!("{} is not found", job.as_i64() - self.jobs),
            Err(AmendError::Refused { id, status, verb }) => {
                format!("{} is {status} and cannot be {verb}", id.as_i64() - self.jobs)
            }
            Err(AmendError::Duplicate { id, existing, verb }) => {
                format!("{} cannot be {verb} beside {}", id.as_i64() - self.jobs, existing.as_i64() - self.jobs)
            }
            Err(error) => panic!("{error}"),
        }
    }

    fn shown(&self, mut row: JobRow) -> JobRow {
        row.id = JobId::from(row.id.as_i64() - self.jobs);
        row.node = row.node.map(|node| NodeId(node.0 - self.nodes));
        row
    }

    /// The filter with this backend's numbers in it.
    fn moved(&self, filter: &Filter) -> Filter {
        match filter {
            Filter::All(filters) => Filter::All(filters.iter().map(|filter| self.moved(filter)).collect()),
            Filter::Any(filters) => Filter::Any(filters.iter().map(|filter| self.moved(filter)).collect()),
            Filter::Not(filter) => Filter::Not(Box::new(self.moved(filter))),
            Filter::IdIn(ids) => Filter::IdIn(ids.iter().map(|id| self.job(*id)).collect()),
            filter => filter.clone(),
        }
    }
}

fn schedule(key: u8) -> ScheduleKey {
    ScheduleKey(format!("s{key}"))
}

fn must<T, E: std::fmt::Display>(result: Result<T, E>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("a call that can be answered failed: {error}"),
    }
}
