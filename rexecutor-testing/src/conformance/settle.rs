//! `Settle`.

use chrono::TimeDelta;
use rexecutor::{
    backend::{Filter, JobChange, Marks, Outcome, Settlement, lifecycle},
    job::{JobStatus, Lease},
    limits::MAX_ERRORS,
};

use super::harness::{COMPLETE, Harness, failure, job, retry};

fn outcomes() -> Vec<Outcome> {
    vec![
        COMPLETE,
        Outcome::complete(false),
        retry(60),
        Outcome::discard(failure("for good")),
        Outcome::cancel("not needed"),
        Outcome::snooze(TimeDelta::seconds(5)),
        Outcome::defer(TimeDelta::seconds(5), failure("unreadable")),
        Outcome::GiveBack,
    ]
}

/// Every outcome leads where the life cycle says.
pub async fn every_outcome_leads_where_the_life_cycle_says(t: &Harness) {
    for outcome in outcomes() {
        let run = t.running(job("mail")).await;
        t.wait(7).await;
        let mut expected = run.clone();
        let effects = lifecycle::settle(&mut expected, run.lease, &outcome, t.now()).expect("the run is there");
        assert!(t.settle(&run, outcome.clone()).await, "{outcome:?}");
        let expected = (!effects.delete).then_some(expected);
        assert_eq!(t.find(run.id).await, expected, "{outcome:?}");
    }
}

/// Trap 3: a worker frozen past its lease wakes up and finishes its successor's attempt.
pub async fn trap_03_a_stale_lease_settles_nothing(t: &Harness) {
    for outcome in outcomes() {
        let first = t.running(job("mail")).await;
        // Given back, the attempt is the same again: the lease alone tells the two runs apart.
        assert!(t.settle(&first, Outcome::GiveBack).await);
        let node = t.join().await;
        let second =
            t.claim(node, "mail", 100).await.into_iter().find(|run| run.id == first.id).expect("it is claimed");
        assert_eq!((second.attempt, second.lease), (first.attempt, Lease(first.lease.0 + 1)));
        for stale in [first.lease, Lease(second.lease.0 + 1), Lease(0)] {
            assert!(!t.settle_as(first.id, stale, outcome.clone()).await, "{outcome:?}");
        }
        assert_eq!(t.row(first.id).await, second, "{outcome:?}");
        assert!(t.settle(&second, COMPLETE).await);
    }
}

/// A settlement that is sent again, because its answer was lost, changes nothing; nor does one of no job.
pub async fn settling_twice_changes_nothing(t: &Harness) {
    for outcome in outcomes() {
        let run = t.running(job("mail")).await;
        assert!(t.settle(&run, outcome.clone()).await);
        let once = t.find(run.id).await;
        t.wait(1).await;
        assert!(!t.settle(&run, outcome.clone()).await, "{outcome:?}");
        assert_eq!(t.find(run.id).await, once, "{outcome:?}");
    }
    assert!(!t.settle_as(rexecutor::JobId::from(999_999), Lease(1), COMPLETE).await);
}

/// Trap 27: `max_attempts` lowered below `attempt` retries for ever.
pub async fn trap_27_the_last_attempt_discards(t: &Harness) {
    let id = t.running(job("mail").with_max_attempts(3)).await.id;
    let node = t.join().await;
    for attempt in 1..=2 {
        let run = t.row(id).await;
        assert_eq!(run.attempt, attempt);
        assert!(t.settle(&run, retry(0)).await);
        if attempt == 2 {
            lower(t, id, 1).await;
        }
        assert_eq!(t.claim(node, "mail", 1).await.len(), 1);
    }
    let last = t.row(id).await;
    assert_eq!((last.attempt, last.max_attempts), (3, 1));
    assert!(t.settle(&last, retry(0)).await);
    let row = t.row(id).await;
    assert_eq!((row.status, row.discarded_at, row.errors.len()), (JobStatus::Discarded, Some(t.now()), 3));
}

async fn lower(t: &Harness, id: rexecutor::JobId, max_attempts: u16) {
    let row = t.row(id).await;
    let mut change = JobChange::of(&row);
    change.max_attempts = max_attempts;
    t.backend.update(&row.executor, id, change).await.expect("it can be updated");
}

/// Trap 8: a cancelled job that still runs is set to complete, or back to retryable, by its own end.
pub async fn trap_08_a_job_asked_to_cancel_ends_cancelled_whatever_its_outcome(t: &Harness) {
    for outcome in outcomes() {
        let run = t.running(job("mail")).await;
        t.backend.cancel(&run.executor, run.id, "enough".to_owned()).await.expect("it can be cancelled");
        assert!(t.settle(&run, outcome.clone()).await, "{outcome:?}");
        let row = t.row(run.id).await;
        assert_eq!((row.status, row.cancelled_at), (JobStatus::Cancelled, Some(t.now())), "{outcome:?}");
        assert_eq!((row.completed_at, row.discarded_at, row.node), (None, None, None), "{outcome:?}");
        assert_eq!(row.extras.cancel_reason.as_deref(), Some("enough"), "{outcome:?}");
    }
}

/// Errors are kept in order, and the next attempt sees them.
pub async fn errors_are_kept_in_order_and_seen_by_the_next_attempt(t: &Harness) {
    let mut run = t.running(job("mail").with_max_attempts(5)).await;
    let node = t.join().await;
    for attempt in 1..=3 {
        let error = failure(&format!("failure {attempt}: \"🦀\""));
        assert!(t.settle(&run, Outcome::retry(TimeDelta::seconds(1), error)).await);
        t.wait(1).await;
        run = t.claim(node, "mail", 1).await.remove(0);
    }
    let details: Vec<_> = run.errors.iter().map(|error| (error.attempt, error.details.as_str())).collect();
    assert_eq!(details, [(1, "failure 1: \"🦀\""), (2, "failure 2: \"🦀\""), (3, "failure 3: \"🦀\"")]);
    assert_eq!(run.errors[2].recorded_at, t.now() - TimeDelta::seconds(1));
    assert_eq!(run.errors, t.row(run.id).await.errors);
}

/// Case 21: the errors of a job grew without end. The first and the newest are kept.
pub async fn case_21_the_first_and_the_newest_errors_are_kept(t: &Harness) {
    let runs = MAX_ERRORS + 7;
    let id = t.enqueue(job("mail").with_max_attempts(1_000)).await;
    let other = t.running(job("other")).await;
    assert!(t.settle(&other, retry(0)).await);
    let node = t.join().await;
    for _ in 0..runs {
        let run = t.claim(node, "mail", 1).await.remove(0);
        let mut expected = run.clone();
        let outcome = Outcome::retry(TimeDelta::zero(), failure(&format!("failure {}", run.attempt)));
        assert!(lifecycle::settle(&mut expected, run.lease, &outcome, t.now()).is_some());
        assert!(t.settle(&run, outcome).await);
        assert_eq!(t.row(id).await.errors, expected.errors);
    }
    let errors = t.row(id).await.errors;
    let newest = runs + 2 - MAX_ERRORS..=runs;
    let kept: Vec<usize> = errors.iter().map(|error| usize::from(error.attempt)).collect();
    assert_eq!(kept, std::iter::once(1).chain(newest).collect::<Vec<_>>());
    assert_eq!(errors[1].details, format!("failure {}", kept[1]));
    assert_eq!(t.row(other.id).await.errors.len(), 1, "the others keep theirs");
}

/// Case 28: a job that did not decode waits, with its error recorded once, until it is read: then nothing of that is left but
/// the error, however the run ends.
pub async fn case_28_a_deferred_job_waits_and_its_error_is_recorded_once(t: &Harness) {
    for outcome in outcomes() {
        let mut run = t.running(job("mail").with_max_attempts(1)).await;
        let node = t.join().await;
        for count in 1..=3 {
            assert!(t.settle(&run, Outcome::defer(TimeDelta::seconds(5), failure("unreadable"))).await);
            let row = t.row(run.id).await;
            assert_eq!((row.status, row.attempt, row.errors.len()), (JobStatus::Scheduled, 0, 1));
            assert_eq!((row.marks, row.scheduled_at), (Marks::UNDECODED, t.now() + TimeDelta::seconds(5)));
            t.wait(5).await;
            run = t.claim(node, "mail", 9).await.pop().expect("it is due");
            assert_eq!((run.lease, run.errors.len(), run.marks), (Lease(1 + count), 1, Marks::UNDECODED));
        }
        let mut expected = run.clone();
        let effects = lifecycle::settle(&mut expected, run.lease, &outcome, t.now()).expect("the run is there");
        assert!(t.settle(&run, outcome.clone()).await, "{outcome:?}");
        assert_eq!(t.find(run.id).await, (!effects.delete).then_some(expected), "{outcome:?}");
        let undecoded = Filter::Marked(Marks::UNDECODED);
        let is_found = matches!(outcome, Outcome::Defer { .. } | Outcome::GiveBack);
        assert_eq!(t.query(undecoded).await.iter().any(|row| row.id == run.id), is_found, "{outcome:?}");
        if let Some(row) = t.find(run.id).await.filter(|row| !row.status.is_finished()) {
            let cancelled = t.backend.cancel(&row.executor, row.id, "done".to_owned()).await;
            cancelled.expect("it waits");
            assert_eq!(t.row(row.id).await.marks, Marks::NONE);
        }
    }
}

/// The lease rises for ever, though attempts are given back.
pub async fn a_lease_rises_for_ever_though_attempts_are_given_back(t: &Harness) {
    let id = t.enqueue(job("mail")).await;
    let node = t.join().await;
    for lease in 1..=10 {
        let run = t.claim(node, "mail", 1).await.remove(0);
        assert_eq!((run.lease, run.attempt), (Lease(lease), 1));
        let outcome = if lease % 2 == 0 { Outcome::GiveBack } else { Outcome::snooze(TimeDelta::zero()) };
        assert!(t.settle(&run, outcome).await);
        if lease == 5 {
            t.backend.rerun(&"mail".into(), id).await.expect("it can be rerun");
        }
    }
}

/// What a run gives is stored with its job, and is gone when the job is rerun.
pub async fn an_output_is_stored_and_a_rerun_forgets_it(t: &Harness) {
    let run = t.running(job("mail")).await;
    let other = t.running(job("other")).await;
    assert_eq!(run.extras.output, None);
    let outcomes = [(&run, Outcome::complete_with(r#"{"sent":"🦀"}"#)), (&other, COMPLETE)];
    let settlements = outcomes.map(|(run, outcome)| Settlement::new(run.id, run.lease, outcome));
    assert_eq!(t.backend.settle(settlements.into()).await.expect("outcomes can be stored"), []);
    let row = t.row(run.id).await;
    assert_eq!((row.status, row.extras.output.as_deref()), (JobStatus::Complete, Some(r#"{"sent":"🦀"}"#)));
    assert_eq!(t.row(other.id).await.extras.output, None);
    // An update leaves it alone.
    let change = JobChange::of(&row);
    t.backend.update(&row.executor, row.id, change).await.expect("it can be updated");
    assert_eq!(t.row(run.id).await, row);
    t.backend.rerun(&row.executor, row.id).await.expect("it can be rerun");
    assert_eq!(t.row(run.id).await.extras.output, None);
}
