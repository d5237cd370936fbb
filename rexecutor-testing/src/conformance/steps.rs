//! Durable steps: what is recorded of them, and what becomes of it.

use chrono::TimeDelta;
use rexecutor::{
    backend::{AmendError, Demand, JobRow, Outcome, StepAction, StepChange, StepKind, StepLog, StepRow, step_log},
    job::{JobId, JobStatus, Lease},
    pruner::{PruneRule, PruneScope, PruneSpec},
};

use super::harness::{COMPLETE, Harness, failure, job, retry};

impl Harness {
    pub(super) fn log(&self) -> &dyn StepLog {
        step_log(&*self.backend).expect("the backend records steps")
    }

    pub(super) async fn record_step(
        &self,
        run: &JobRow,
        name: &str,
        place: u32,
        action: StepAction,
    ) -> Option<StepRow> {
        let change = StepChange::new(name, Some(place), action);
        self.log().step(run.id, run.lease, change).await.expect("steps can be recorded")
    }

    pub(super) async fn steps(&self, job: JobId) -> Vec<StepRow> {
        self.log().steps(job).await.expect("steps can be read")
    }

    /// Claims the job again, which must be due.
    pub(super) async fn again(&self, id: JobId) -> JobRow {
        let node = self.join().await;
        let claimed = self.backend.claim(node, [Demand::new("mail", 1_000)].into()).await.expect("jobs can be claimed");
        claimed.jobs.into_iter().find(|job| job.id == id).expect("the job is due")
    }

    /// Whether the job can be claimed, which gives it back.
    pub(super) async fn is_claimable(&self, id: JobId) -> bool {
        let node = self.join().await;
        let claimed = self.claim(node, "mail", 1_000).await;
        for run in &claimed {
            assert!(self.settle(run, Outcome::GiveBack).await);
        }
        claimed.iter().any(|run| run.id == id)
    }
}

pub(super) fn record(output: &str) -> StepAction {
    StepAction::Record(output.to_owned())
}

fn names(steps: &[StepRow]) -> Vec<&str> {
    steps.iter().map(|step| &*step.name).collect()
}

/// Whoever holds the lease records; the first record of a step stands, and comes back as it was.
pub async fn case_15_7_a_step_is_recorded_once_and_only_under_its_runs_lease(t: &Harness) {
    let run = t.running(job("mail")).await;
    let text = r#"{"é":"\"\\\u0001"}"#;
    let first = t.record_step(&run, "ship é", 1, record(text)).await.expect("the run holds the lease");
    assert_eq!((first.output.as_deref(), first.done_at, first.place), (Some(text), Some(t.now()), Some(1)));
    assert_eq!(
        t.record_step(&run, "ship é", 1, record("2")).await,
        Some(first.clone()),
        "a second record changes nothing"
    );
    let charge = t.record_step(&run, "charge", 0, record("1")).await.expect("the run holds the lease");
    let mut stale = run.clone();
    stale.lease = Lease(run.lease.0 + 1);
    assert_eq!(t.record_step(&stale, "other", 2, record("3")).await, None);
    assert_eq!(t.steps(run.id).await, [charge.clone(), first.clone()], "in the order of their places");

    assert!(t.settle(&run, retry(0)).await);
    assert_eq!(t.record_step(&run, "late", 2, record("3")).await, None, "the run is over");
    let second = t.again(run.id).await;
    assert_eq!(t.record_step(&run, "late", 2, record("3")).await, None, "another one has begun");
    assert!(t.record_step(&second, "late", 2, record("4")).await.is_some());
    assert!(t.settle(&second, COMPLETE).await);
    assert_eq!(names(&t.steps(run.id).await), ["charge", "ship é", "late"]);
}

/// The attempt does not count, the job waits without a slot, and its time counts from the first look.
pub async fn case_15_7_a_job_that_sleeps_comes_back_when_its_time_is_over(t: &Harness) {
    let run = t.running(job("mail")).await;
    let sleep = || StepAction::Sleep(TimeDelta::hours(1));
    let row = t.record_step(&run, "nap", 0, sleep()).await.expect("the run holds the lease");
    assert_eq!((row.until, row.done_at), (Some(t.now() + TimeDelta::hours(1)), None));
    assert!(t.settle(&run, Outcome::suspend(row.until, false)).await);
    let stored = t.row(run.id).await;
    assert_eq!(
        (stored.status, stored.attempt, stored.scheduled_at),
        (JobStatus::Scheduled, 0, row.until.expect("it has one"))
    );
    t.wait(3_599).await;
    assert!(!t.is_claimable(run.id).await);
    t.wait(1).await;
    let second = t.again(run.id).await;
    assert_eq!(second.attempt, 1);
    let over = t.record_step(&second, "nap", 0, sleep()).await.expect("the run holds the lease");
    assert_eq!((over.until, over.done_at), (row.until, Some(t.now())));
    // One that has failed before is retried, and not scheduled.
    assert!(t.settle(&second, retry(0)).await);
    let third = t.again(run.id).await;
    assert!(t.settle(&third, Outcome::suspend(Some(t.now() + TimeDelta::hours(1)), false)).await);
    let stored = t.row(run.id).await;
    assert_eq!((stored.status, stored.attempt), (JobStatus::Retryable, 1));
}

/// However a job is deleted.
pub async fn case_15_7_steps_are_deleted_with_their_job(t: &Harness) {
    let (kept, pruned) = (t.running(job("mail")).await, t.running(job("mail")).await);
    let (unkept, by_hand) = (t.running(job("mail")).await, t.running(job("mail")).await);
    for run in [&kept, &pruned, &unkept, &by_hand] {
        assert!(t.record_step(run, "charge", 0, record("1")).await.is_some());
    }
    assert!(t.settle(&unkept, Outcome::complete(false)).await);
    assert!(t.find(unkept.id).await.is_none() && t.steps(unkept.id).await.is_empty());
    assert!(t.settle(&by_hand, COMPLETE).await);
    t.backend.delete(&"mail".into(), by_hand.id).await.expect("it is complete");
    assert!(t.find(by_hand.id).await.is_none() && t.steps(by_hand.id).await.is_empty());
    assert!(t.settle(&pruned, COMPLETE).await);
    t.wait(100).await;
    assert!(t.settle(&kept, COMPLETE).await);
    let spec = |rule| PruneSpec::new(JobStatus::Complete, rule, PruneScope::All);
    let count = t.backend.prune(&spec(PruneRule::MaxAge(TimeDelta::seconds(50))), 10).await;
    assert_eq!(count.expect("jobs can be pruned"), 1);
    assert!(t.steps(pruned.id).await.is_empty());
    assert_eq!(names(&t.steps(kept.id).await), ["charge"]);
    assert_eq!(t.backend.prune(&spec(PruneRule::MaxLength(0)), 10).await.expect("jobs can be pruned"), 1);
    assert!(t.steps(kept.id).await.is_empty());
}

/// The old job stays as it is; the new one has what was done before the step, and the versions.
pub async fn case_15_7_a_fork_keeps_the_steps_before_and_no_others(t: &Harness) {
    let executor = "mail".into();
    let new = job("mail").with_priority(7).with_tags(vec!["a".to_owned()]).with_metadata("2".to_owned());
    let run = t.running(new.with_group_key("customer 1".to_owned())).await;
    for (place, name) in ["charge", "pack", "ship"].into_iter().enumerate() {
        assert!(t.record_step(&run, name, u32::try_from(place).expect("it is small"), record("1")).await.is_some());
    }
    let version = StepChange::new("new way", None, StepAction::Version(2));
    assert!(t.log().step(run.id, run.lease, version).await.expect("steps can be recorded").is_some());
    let refused = t.log().fork(&executor, run.id, "pack").await;
    assert!(matches!(refused, Err(AmendError::Refused { verb: "forked", .. })), "{refused:?}");
    assert!(t.settle(&run, Outcome::discard(failure("no parcel"))).await);

    let none = t.log().fork(&executor, run.id, "pray").await;
    assert!(matches!(none, Err(AmendError::NoStep { .. })), "{none:?}");
    let other = t.log().fork(&"print".into(), run.id, "pack").await;
    assert!(matches!(other, Err(AmendError::NotFound(_))), "{other:?}");
    let id = t.log().fork(&executor, run.id, "pack").await.expect("it can be forked");
    let (old, fork) = (t.row(run.id).await, t.row(id).await);
    assert_eq!((old.status, t.steps(run.id).await.len()), (JobStatus::Discarded, 4));
    assert_eq!((fork.status, fork.attempt, fork.scheduled_at), (JobStatus::Scheduled, 0, t.now()));
    let given = |row: &JobRow| {
        (
            row.data.clone(),
            row.metadata.clone(),
            row.priority,
            row.tags.clone(),
            row.max_attempts,
            row.extras.group_key.clone(),
        )
    };
    assert_eq!(given(&fork), given(&old));
    assert!(fork.errors.is_empty());
    let steps = t.steps(id).await;
    assert_eq!(names(&steps), ["charge", "new way"]);
    assert_eq!(steps[1].kind, StepKind::Version);
    // It is a job like any other, whose steps go with it.
    let run = t.again(id).await;
    assert!(t.settle(&run, Outcome::complete(false)).await);
    assert!(t.steps(id).await.is_empty());
}

/// Who reruns a complete job wants its effects again; who reruns one that failed wants the rest of them.
pub async fn case_15_7_a_rerun_repeats_the_steps_of_a_complete_job_and_not_those_of_a_discarded_one(t: &Harness) {
    let (complete, discarded) = (t.running(job("mail")).await, t.running(job("mail")).await);
    for (run, outcome) in [(&complete, COMPLETE), (&discarded, Outcome::discard(failure("it broke")))] {
        assert!(t.record_step(run, "charge", 0, record("1")).await.is_some());
        assert!(t.settle(run, outcome).await);
        t.backend.rerun(&"mail".into(), run.id).await.expect("it can be rerun");
    }
    assert!(t.steps(complete.id).await.is_empty());
    assert_eq!(names(&t.steps(discarded.id).await), ["charge"]);
}
