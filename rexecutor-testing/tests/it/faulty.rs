//! What a faulty backend does to the calls that it is told to spoil.

use std::{sync::Arc, time::Duration};

use rexecutor::{
    backend::{
        AmendError, Backend, Demand, Enqueue, Filter, Inspect, Maintain, NewJob, Node, Outcome, Settle, Settlement,
        memory::InMemoryBackend,
    },
    clock::Clock,
    job::{JobId, NodeId},
};
use rexecutor_testing::{Fault, Faulty, Operation, TestClock};

fn faulty() -> (TestClock, Arc<Faulty<InMemoryBackend>>) {
    let clock = TestClock::new();
    let memory = InMemoryBackend::new().with_clock(clock.clone());
    (clock.clone(), Arc::new(Faulty::new(memory).with_clock(clock)))
}

fn job() -> NewJob {
    NewJob::new("mail", "1").with_max_attempts(3)
}

async fn stored(backend: &Faulty<InMemoryBackend>) -> usize {
    backend.inner().query(&Filter::All(Vec::new()), usize::MAX).await.unwrap().len()
}

async fn join(backend: &impl Backend) -> NodeId {
    backend.join(&Node::new("test", Duration::from_secs(10))).await.unwrap()
}

async fn claim(backend: &impl Backend, node: NodeId, free: usize) -> rexecutor::backend::Result<Vec<Settlement>> {
    let claimed = backend.claim(node, [Demand::new("mail", free)].into()).await?;
    let done = |id, lease| Settlement::new(id, lease, Outcome::complete(true));
    Ok(claimed.jobs.iter().map(|job| done(job.id, job.lease)).collect())
}

#[tokio::test]
async fn an_error_keeps_the_call_from_the_backend_and_a_lost_answer_does_not() {
    let (_, backend) = faulty();
    backend.inject(Fault::error().on([Operation::Enqueue]).times(1));
    backend.inject(Fault::permanent_error().on([Operation::Enqueue]).nth(1));
    backend.inject(Fault::lost_answer().on([Operation::Enqueue]).nth(1));
    let error = backend.enqueue(vec![job()]).await.unwrap_err();
    assert_eq!((error.is_transient(), error.to_string().as_str()), (true, "injected: Enqueue fails"));
    assert!(!backend.enqueue(vec![job()]).await.unwrap_err().is_transient());
    assert_eq!(stored(&backend).await, 0);
    assert!(backend.enqueue(vec![job()]).await.unwrap_err().is_transient());
    assert_eq!(stored(&backend).await, 1, "only the answer was lost");
    backend.enqueue(vec![job()]).await.unwrap();
    assert_eq!(backend.calls(Operation::Enqueue), 4);
}

#[tokio::test]
async fn the_nth_call_is_met_and_the_others_are_spared() {
    let (_, backend) = faulty();
    backend.inject(Fault::error().on([Operation::Enqueue, Operation::Query]).nth(3));
    let mut failed = Vec::new();
    for call in 1..=5 {
        let failing = match call % 2 {
            0 => backend.enqueue(vec![job()]).await.is_err(),
            _ => backend.query(&Filter::All(Vec::new()), 1).await.is_err(),
        };
        backend.rescue(&[]).await.unwrap();
        failed.push(failing);
    }
    assert_eq!(failed, [false, false, true, false, false]);
}

#[tokio::test]
async fn a_probability_meets_as_many_as_it_says_and_a_seed_the_same_ones() {
    let met = async |seed| {
        let (_, backend) = faulty();
        backend.inject(Fault::error().on([Operation::Rescue]).with_probability(0.3, seed));
        let mut met = Vec::new();
        for _ in 0..1_000 {
            met.push(backend.rescue(&[]).await.is_err());
        }
        met
    };
    let first = met(1).await;
    assert_eq!(first, met(1).await);
    assert_ne!(first, met(2).await);
    let share = first.iter().filter(|met| **met).count();
    assert!((250..350).contains(&share), "{share} of 1,000");
}

#[tokio::test]
async fn a_delay_comes_before_the_work_and_a_late_answer_after_it() {
    for (fault, before) in [(Fault::delay(Duration::from_secs(5)), 0), (Fault::late_answer(Duration::from_secs(5)), 1)]
    {
        let (clock, backend) = faulty();
        backend.inject(fault);
        let call = backend.clone();
        let call = tokio::spawn(async move { call.enqueue(vec![job()]).await });
        clock.advance(chrono::TimeDelta::seconds(4)).await;
        assert_eq!((stored(&backend).await, call.is_finished()), (before, false));
        call.await_after(&clock).await;
        assert_eq!(stored(&backend).await, 1);
        assert_eq!((clock.now() - TestClock::START).num_seconds(), 5);
    }
}

trait AwaitAfter {
    async fn await_after(self, clock: &TestClock);
}

impl<T> AwaitAfter for tokio::task::JoinHandle<rexecutor::backend::Result<T>> {
    async fn await_after(self, clock: &TestClock) {
        clock.to_next_due().await;
        self.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_cut_batch_is_done_in_part() {
    let (_, backend) = faulty();
    backend.enqueue(vec![job(); 10]).await.unwrap();
    let node = join(&backend).await;
    backend.inject(Fault::cut(4));
    let done = claim(&backend, node, 10).await.unwrap();
    assert_eq!(done.len(), 4);
    assert_eq!(claim(&backend, node, 2).await.unwrap().len(), 2, "fewer than the cut are not cut");
    backend.heal();
    backend.inject(Fault::cut(3));
    assert!(backend.settle(done.clone().into()).await.unwrap_err().is_transient());
    let left: Vec<JobId> = backend.heartbeat(node).await.unwrap().runs.into_iter().map(|(id, _)| id).collect();
    assert_eq!(left.len(), 3, "one of the four, and the two others");
    assert!(left.contains(&done[3].id));
    backend.settle(done[..3].into()).await.unwrap();
    backend.enqueue(vec![job(); 10]).await.unwrap();
}

#[tokio::test]
async fn a_refusal_passes_and_a_fault_is_an_error_of_the_backend() {
    let (_, backend) = faulty();
    let (mail, nobody) = ("mail".into(), JobId::from(7));
    assert!(matches!(backend.rerun(&mail, nobody).await, Err(AmendError::NotFound(_))));
    backend.inject(Fault::error());
    assert!(matches!(backend.rerun(&mail, nobody).await, Err(AmendError::Backend(_))));
    backend.heal();
    assert!(matches!(backend.cancel(&mail, nobody, String::new()).await, Err(AmendError::NotFound(_))));
}
