//! Deadlines: what a backend does about jobs that wait past theirs. What runs is the engine's to stop.

use chrono::TimeDelta;
use rexecutor::{
    backend::{Deadline, Due, NewJob},
    job::{ErrorType, JobStatus},
};

use super::harness::{COMPLETE, Harness, ids, job, retry};

/// A job with a deadline so many seconds from now.
fn until(seconds: i64) -> NewJob {
    job("mail").with_deadline(Deadline::In(TimeDelta::seconds(seconds)))
}

impl Harness {
    /// Looks for what has been left behind; nothing of it was lost with a node.
    async fn expire(&self) {
        assert_eq!(self.backend.rescue(&[]).await.expect("jobs can be rescued"), 0);
    }

    async fn is_expired(&self, id: rexecutor::job::JobId) -> bool {
        let row = self.row(id).await;
        let last = row.errors.last().map(|error| error.error_type.clone());
        row.status == JobStatus::Discarded
            && row.discarded_at == Some(self.now())
            && last == Some(ErrorType::DeadlinePassed)
    }
}

/// Whatever a job waits for, it is discarded at its deadline, and not before; those without one, and with a later one, stay.
pub async fn a_job_that_waits_past_its_deadline_is_discarded(t: &Harness) {
    let due = t.enqueue(until(60)).await;
    let later = t.enqueue(until(60).with_due(Due::In(TimeDelta::seconds(30)))).await;
    let blocked = t.enqueue(until(60).with_blocked(true)).await;
    let (longer, endless) = (t.enqueue(until(90)).await, t.enqueue(job("mail")).await);
    let node = t.join().await;
    let failed = t.enqueue(until(60).with_executor("print")).await;
    let run = t.claim(node, "print", 1).await.remove(0);
    assert!(t.settle(&run, retry(3_600)).await);
    t.wait(59).await;
    assert!(t.backend.heartbeat(node).await.expect("heartbeats work").member);
    t.expire().await;
    for id in [due, later, blocked, failed] {
        assert!(t.row(id).await.discarded_at.is_none());
    }
    t.wait(1).await;
    t.expire().await;
    for id in [due, later, blocked, failed] {
        assert!(t.is_expired(id).await, "{:?}", t.row(id).await);
    }
    assert_eq!(t.row(failed).await.errors.len(), 2, "what it failed of before is kept");
    let node = t.join().await;
    assert_eq!(ids(&t.claim(node, "mail", 9).await), [longer, endless]);
}

/// Who runs the job stops it; a rescue is only for what waits.
pub async fn a_job_that_runs_past_its_deadline_is_left_to_its_node(t: &Harness) {
    let run = t.running(until(5)).await;
    assert_eq!(run.deadline(), Some(t.now() + TimeDelta::seconds(5)), "the claim tells it");
    t.wait(6).await;
    t.expire().await;
    assert_eq!(t.row(run.id).await.status, JobStatus::Executing);
    assert!(t.settle(&run, COMPLETE).await);
    t.wait(60).await;
    t.expire().await;
    assert_eq!(t.row(run.id).await.status, JobStatus::Complete, "what is finished stays so");
}

/// A job that is lost with its node past its deadline is discarded at once: no attempt follows.
pub async fn a_job_that_is_lost_past_its_deadline_is_discarded(t: &Harness) {
    let run = t.running(until(5)).await;
    t.wait(60).await;
    let node = run.node.expect("it is claimed");
    assert_eq!(t.declare_dead(&[node]).await, 1);
    assert!(t.is_expired(run.id).await);
    let errors: Vec<ErrorType> = t.row(run.id).await.errors.into_iter().map(|error| error.error_type).collect();
    assert_eq!(errors, [ErrorType::NodeLost, ErrorType::DeadlinePassed]);
}

/// A rerun forgets a deadline that has passed, and keeps one that has not.
pub async fn a_rerun_forgets_a_deadline_that_has_passed(t: &Harness) {
    let id = t.enqueue(until(60)).await;
    t.backend.rerun(&"mail".into(), id).await.expect("a job that waits can be rerun");
    assert_eq!(t.row(id).await.deadline(), Some(t.now() + TimeDelta::seconds(60)));
    t.wait(60).await;
    t.expire().await;
    assert!(t.is_expired(id).await);
    t.backend.rerun(&"mail".into(), id).await.expect("a discarded job can be rerun");
    t.wait(60).await;
    t.expire().await;
    let row = t.row(id).await;
    assert_eq!((row.status, row.deadline()), (JobStatus::Scheduled, None));
    assert_eq!(ids(&t.claim(t.join().await, "mail", 1).await), [id]);
}

/// However many wait, all are found in one call.
pub async fn a_thousand_jobs_miss_their_deadline_at_once(t: &Harness) {
    t.enqueue_all((0..1_200).map(|_| until(1)).collect()).await;
    t.wait(1).await;
    t.expire().await;
    assert!(t.all().await.iter().all(|row| row.status == JobStatus::Discarded && row.errors.len() == 1));
}
