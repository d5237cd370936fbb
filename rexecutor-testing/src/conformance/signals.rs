//! Signals: sent to a job before it waits, while it waits, and while its run ends.

use chrono::TimeDelta;
use futures::future::join_all;
use rexecutor::{
    backend::{AmendError, JobRow, Outcome, Signalled, StepAction, StepRow},
    job::{JobId, JobStatus},
};

use super::harness::{COMPLETE, Harness, job, retry};

impl Harness {
    async fn signal(&self, job: JobId, name: &str, value: &str) -> Signalled {
        self.log().signal(&"mail".into(), job, name, value.to_owned()).await.expect("signals can be sent")
    }

    async fn await_signal(&self, run: &JobRow, limit: Option<i64>) -> StepRow {
        let wait = StepAction::Wait(limit.map(TimeDelta::seconds));
        self.record_step(run, "approval", 0, wait).await.expect("the run holds the lease")
    }

    /// A job whose run has ended because it waits.
    pub(super) async fn waiting_for_signal(&self, limit: Option<i64>) -> JobId {
        let run = self.running(job("mail")).await;
        let row = self.await_signal(&run, limit).await;
        assert!(!row.is_done());
        assert!(self.settle(&run, Outcome::suspend(row.until, true)).await);
        run.id
    }
}

/// Before the job has begun, and while it waits for something else.
pub async fn case_15_8_a_signal_that_comes_before_the_wait_is_found(t: &Harness) {
    let id = t.enqueue(job("mail")).await;
    assert_eq!(t.signal(id, "approval", "\"yes\"").await, Signalled::Stored);
    let run = t.again(id).await;
    assert!(t.settle(&run, retry(0)).await);
    let run = t.again(id).await;
    for limit in [Some(5), None] {
        let row = t.await_signal(&run, limit).await;
        assert_eq!((row.output.as_deref(), row.place), (Some("\"yes\""), Some(0)));
        assert!(row.is_done());
    }
    assert!(t.settle(&run, COMPLETE).await);
}

/// One that waits for ever is blocked, one that waits for a while is due at the limit; a signal makes both due now.
pub async fn case_15_8_a_signal_makes_a_job_due_that_waits_for_ever_or_for_a_while(t: &Harness) {
    let (blocked, limited, over) =
        (t.waiting_for_signal(None).await, t.waiting_for_signal(Some(60)).await, t.waiting_for_signal(Some(60)).await);
    assert_eq!(t.row(blocked).await.status, JobStatus::Blocked);
    assert_eq!(t.row(limited).await.scheduled_at, t.now() + TimeDelta::seconds(60));
    t.wait(59).await;
    assert!(!t.is_claimable(blocked).await && !t.is_claimable(limited).await);
    for id in [blocked, limited] {
        assert_eq!(t.signal(id, "approval", "1").await, Signalled::Stored);
        let row = t.row(id).await;
        assert_eq!((row.status, row.attempt, row.scheduled_at), (JobStatus::Scheduled, 0, t.now()));
        let run = t.again(id).await;
        assert_eq!(t.await_signal(&run, Some(60)).await.output.as_deref(), Some("1"));
        assert!(t.settle(&run, COMPLETE).await);
    }
    t.wait(1).await;
    let run = t.again(over).await;
    let row = t.await_signal(&run, Some(60)).await;
    assert_eq!((row.is_done(), row.output), (true, None), "its time is over");
}

/// The run has looked and found nothing; the signal comes; only then is the end of the run stored.
pub async fn case_15_8_a_signal_between_the_look_of_a_run_and_its_end_is_not_missed(t: &Harness) {
    for limit in [Some(3_600), None] {
        let run = t.running(job("mail")).await;
        let row = t.await_signal(&run, limit).await;
        assert_eq!(t.signal(run.id, "approval", "1").await, Signalled::Stored);
        assert_eq!(t.row(run.id).await.status, JobStatus::Executing);
        assert!(t.settle(&run, Outcome::suspend(row.until, true)).await);
        let second = t.again(run.id).await;
        assert_eq!(t.await_signal(&second, limit).await.output.as_deref(), Some("1"));
        // What it has seen does not make it look again.
        assert!(t.settle(&second, Outcome::suspend(Some(t.now() + TimeDelta::hours(1)), true)).await);
        assert!(!t.is_claimable(run.id).await);
    }
}

/// Sending it again, as a web hook does, changes nothing; at the limit it is too late, also before the job has looked.
pub async fn case_15_8_the_first_signal_stands_and_a_late_one_is_told(t: &Harness) {
    let id = t.waiting_for_signal(Some(60)).await;
    assert_eq!(t.signal(id, "approval", "1").await, Signalled::Stored);
    assert_eq!(t.signal(id, "approval", "2").await, Signalled::AlreadyThere);
    let run = t.again(id).await;
    assert_eq!(t.await_signal(&run, Some(60)).await.output.as_deref(), Some("1"));
    assert_eq!(t.signal(id, "approval", "2").await, Signalled::AlreadyThere);
    assert!(t.settle(&run, COMPLETE).await);

    let id = t.waiting_for_signal(Some(60)).await;
    t.wait(60).await;
    assert_eq!(t.signal(id, "approval", "1").await, Signalled::TooLate);
    let run = t.again(id).await;
    assert_eq!(t.await_signal(&run, Some(60)).await.output, None);
    assert_eq!(t.signal(id, "approval", "1").await, Signalled::TooLate);
}

/// Nor is one that waits for its retry.
pub async fn case_15_8_a_sleeping_job_is_not_woken(t: &Harness) {
    let run = t.running(job("mail")).await;
    assert!(t.settle(&run, Outcome::suspend(Some(t.now() + TimeDelta::hours(1)), false)).await);
    assert_eq!(t.signal(run.id, "approval", "1").await, Signalled::Stored);
    assert!(!t.is_claimable(run.id).await);
    let run = t.running(job("mail")).await;
    assert!(t.settle(&run, retry(3_600)).await);
    assert_eq!(t.signal(run.id, "approval", "1").await, Signalled::Stored);
    assert!(!t.is_claimable(run.id).await);
}

/// They are refused, and nothing is stored.
pub async fn case_15_8_a_finished_job_and_another_executors_take_no_signal(t: &Harness) {
    let id = t.waiting_for_signal(None).await;
    let other = t.log().signal(&"print".into(), id, "approval", "1".to_owned()).await;
    assert!(matches!(other, Err(AmendError::NotFound(_))), "{other:?}");
    t.backend.cancel(&"mail".into(), id, "never mind".to_owned()).await.expect("it can be cancelled");
    let refused = t.log().signal(&"mail".into(), id, "approval", "1".to_owned()).await;
    assert!(matches!(refused, Err(AmendError::Refused { verb: "signalled", .. })), "{refused:?}");
    assert!(t.steps(id).await.iter().all(|step| step.output.is_none()));
}

/// The job has the value of that one.
pub async fn case_15_8_of_sixteen_senders_one_is_first(t: &Harness) {
    let id = t.waiting_for_signal(None).await;
    let send = async |value: usize| (value, t.signal(id, "approval", &value.to_string()).await);
    let answers = join_all((0..16).map(send)).await;
    let first: Vec<usize> =
        answers.iter().filter(|(_, it)| *it == Signalled::Stored).map(|(value, _)| *value).collect();
    assert_eq!(first.len(), 1, "{answers:?}");
    let run = t.again(id).await;
    assert_eq!(t.await_signal(&run, None).await.output, Some(first[0].to_string()));
}
