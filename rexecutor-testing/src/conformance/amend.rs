//! Cancel, rerun, release and update.

use chrono::TimeDelta;
use rexecutor::{
    backend::{AmendError, Due, JobChange, JobRow, KeyChange, Outcome, Unique, lifecycle},
    job::{
        JobStatus,
        uniqueness_criteria::{Replace, Resolution, Statuses, UniqueKey},
    },
};

use super::harness::{COMPLETE, Harness, failure, ids, job, retry};

/// A job in each status.
async fn one_in_each_status(t: &Harness) -> Vec<JobRow> {
    let mut rows = vec![t.row(t.enqueue(job("blocked").with_blocked(true)).await).await];
    rows.push(t.row(t.enqueue(job("waiting")).await).await);
    rows.push(t.running(job("running")).await);
    let ends = [retry(10), COMPLETE, Outcome::cancel("no"), Outcome::discard(failure("no"))];
    for outcome in ends {
        let run = t.running(job("mail")).await;
        assert!(t.settle(&run, outcome).await);
        rows.push(t.row(run.id).await);
    }
    assert_eq!(rows.iter().map(|row| row.status).collect::<Vec<_>>(), JobStatus::ALL);
    rows
}

/// Holds an amendment to the life cycle's answer in every status.
async fn check(
    t: &Harness,
    before: &JobRow,
    result: Result<(), AmendError>,
    oracle: impl FnOnce(&mut JobRow) -> Result<(), AmendError>,
) {
    let mut expected = before.clone();
    let allowed = oracle(&mut expected);
    let message = |result: &Result<(), AmendError>| result.as_ref().err().map(ToString::to_string);
    assert_eq!(message(&result), message(&allowed), "{}", before.status);
    assert_eq!(t.row(before.id).await, expected, "{}", before.status);
}

/// Cancelling ends a waiting job, asks a running one, and is refused for a finished one.
pub async fn cancel_ends_a_waiting_job_and_asks_a_running_one(t: &Harness) {
    for row in one_in_each_status(t).await {
        t.wait(3).await;
        let result = t.backend.cancel(&row.executor, row.id, "enough".to_owned()).await;
        assert_eq!(result.is_err(), row.status.is_finished());
        check(t, &row, result, |row| lifecycle::cancel(row, "enough".to_owned(), t.now())).await;
    }
}

/// Trap 8: a rerun of a running job starts a second one.
pub async fn trap_08_a_running_job_cannot_be_rerun_or_updated(t: &Harness) {
    let run = t.running(job("mail")).await;
    let rerun = t.backend.rerun(&run.executor, run.id).await;
    assert!(matches!(rerun, Err(AmendError::Refused { status: JobStatus::Executing, verb: "rerun", .. })));
    let update = t.backend.update(&run.executor, run.id, JobChange::of(&run)).await;
    assert!(matches!(update, Err(AmendError::Refused { status: JobStatus::Executing, verb: "updated", .. })));
    assert_eq!(t.row(run.id).await, run);
}

/// A rerun makes a job due now, with all its attempts, in every status but executing.
pub async fn rerun_makes_a_finished_job_due_with_all_attempts(t: &Harness) {
    for row in one_in_each_status(t).await {
        t.wait(3).await;
        let result = t.backend.rerun(&row.executor, row.id).await;
        check(t, &row, result, |row| lifecycle::rerun(row, t.now())).await;
    }
    let node = t.join().await;
    assert_eq!(t.claim(node, "mail", 10).await.len(), 4, "they run again");
}

/// A blocked job is not claimed, whatever its due time, until it is released; and only a blocked one can be.
pub async fn a_blocked_job_waits_until_it_is_released(t: &Harness) {
    let id = t.enqueue(job("mail").with_blocked(true)).await;
    let (row, node) = (t.row(id).await, t.join().await);
    assert_eq!((row.status, row.scheduled_at), (JobStatus::Blocked, t.now()));
    t.wait(60).await;
    let claimed = t.claim_from(node, &[("mail", 5)]).await;
    assert_eq!((claimed.jobs.len(), claimed.next_due_in), (0, None), "nobody knows when it is released");
    t.backend.release(&row.executor, id).await.expect("it can be released");
    assert_eq!(t.row(id).await.scheduled_at, t.now(), "not before: others may have been claimed since");
    assert_eq!(ids(&t.claim(node, "mail", 5).await), [id]);
    for row in one_in_each_status(t).await {
        let result = t.backend.release(&row.executor, row.id).await;
        let now = t.now();
        check(t, &row, result, |row| lifecycle::release(row, now)).await;
    }
}

/// An update replaces what it names, in every status but executing.
pub async fn update_replaces_what_it_names(t: &Harness) {
    for row in one_in_each_status(t).await {
        let mut change = JobChange::of(&row);
        change.data = "[2]".to_owned();
        change.metadata = Some("{}".to_owned());
        (change.max_attempts, change.priority) = (9, 4);
        change.tags = vec!["new".to_owned()];
        change.scheduled_at = t.now() + TimeDelta::hours(3);
        let result = t.backend.update(&row.executor, row.id, change.clone()).await;
        check(t, &row, result, |row| lifecycle::update(row, change)).await;
    }
}

/// Case 14.6: what must not run again once it is complete is refused then, and rerun otherwise.
pub async fn case_14_6_a_complete_job_that_never_runs_again_is_refused(t: &Harness) {
    for (outcome, is_refused) in [(COMPLETE, true), (Outcome::cancel("no"), false), (retry(9), false)] {
        let run = t.running(job("pay")).await;
        assert!(t.settle(&run, outcome).await);
        let before = t.row(run.id).await;
        let result = t.backend.rerun_unless_complete(&run.executor, run.id).await;
        assert_eq!(matches!(result, Err(AmendError::Refused { verb: "rerun", .. })), is_refused, "{result:?}");
        check(t, &before, result, |row| lifecycle::rerun_unless_complete(row, t.now())).await;
        t.backend.cancel(&run.executor, run.id, "next".to_owned()).await.ok();
    }
    // However many ask while it is completed, none runs it again.
    let run = t.running(job("pay")).await;
    let rerun = async { t.backend.rerun_unless_complete(&run.executor, run.id).await };
    let (settled, refused) = tokio::join!(t.settle(&run, COMPLETE), rerun);
    assert!(settled && refused.is_err(), "{refused:?}");
    assert_eq!(t.row(run.id).await.status, JobStatus::Complete);
}

/// Case 31: a rerun made two live jobs of one key.
pub async fn case_31_a_rerun_is_refused_while_a_live_job_has_the_key(t: &Harness) {
    let unique = Unique::new(UniqueKey([7; 16]), Statuses::of(&[JobStatus::Scheduled]));
    let new = || job("mail").with_max_attempts(1).with_unique(unique.clone());
    for outcome in [COMPLETE, Outcome::cancel("no"), Outcome::discard(failure("no"))] {
        let run = t.running(new()).await;
        assert!(t.settle(&run, outcome).await);
        let before = t.row(run.id).await;
        let live = t.enqueue(new()).await;
        // Waiting, blocked or running: it stands in the way until it is finished.
        let node = t.join().await;
        for is_running in [false, true] {
            if is_running {
                assert_eq!(ids(&t.claim(node, "mail", 9).await), [live]);
            }
            let refused = t.backend.rerun(&before.executor, run.id).await;
            let is_named = |error: &AmendError| {
                matches!(error, AmendError::Duplicate { id, existing, verb: "rerun" }
                if (*id, *existing) == (run.id, live))
            };
            assert!(refused.as_ref().is_err_and(is_named), "{refused:?}");
            assert_eq!(t.row(run.id).await, before, "nothing has changed");
        }
        assert!(t.settle(&t.row(live).await, COMPLETE).await);
        t.backend.rerun(&before.executor, run.id).await.expect("nothing is in the way");
        // What waits already may start sooner, and what is not unique may run again beside anything.
        t.backend.rerun(&before.executor, run.id).await.expect("it is in its own way alone");
        t.backend.cancel(&before.executor, run.id, "next".to_owned()).await.expect("it waits");
    }
}

/// Case 31: of two finished jobs of one key that are rerun at once, one is.
pub async fn case_31_of_many_reruns_of_one_key_one_succeeds(t: &Harness) {
    let unique = Unique::new(UniqueKey([9; 16]), Statuses::of(&[JobStatus::Scheduled, JobStatus::Executing]));
    let mut finished = Vec::new();
    for _ in 0..8 {
        let run = t.running(job("mail").with_unique(unique.clone())).await;
        assert!(t.settle(&run, COMPLETE).await);
        finished.push(run.id);
    }
    let reruns = finished.iter().map(|id| {
        let (backend, id) = (t.backend.clone(), *id);
        tokio::spawn(async move { backend.rerun(&"mail".into(), id).await })
    });
    let mut done = 0;
    for rerun in reruns.collect::<Vec<_>>() {
        match rerun.await.expect("it does not panic") {
            Ok(()) => done += 1,
            Err(AmendError::Duplicate { .. }) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
    let live = t.all().await.iter().filter(|row| !row.status.is_finished()).count();
    assert_eq!((done, live), (1, 1));
}

/// Case 31: an update kept the old key.
pub async fn case_31_an_update_sets_a_key_unless_another_job_has_it(t: &Harness) {
    let statuses = Statuses::of(&[JobStatus::Scheduled]);
    let unique = |key: u8| Unique::new(UniqueKey([key; 16]), statuses);
    let (first, second) =
        (t.enqueue(job("mail").with_unique(unique(1))).await, t.enqueue(job("mail").with_unique(unique(2))).await);
    let before = t.row(second).await;
    let mut change = JobChange::of(&before);
    (change.data, change.key) = ("7".to_owned(), KeyChange::Set(unique(1)));
    let refused = t.backend.update(&before.executor, second, change.clone()).await;
    let is_named = |error: &AmendError| {
        matches!(error, AmendError::Duplicate { id, existing, verb: "updated" }
        if (*id, *existing) == (second, first))
    };
    assert!(refused.as_ref().is_err_and(is_named), "{refused:?}");
    assert_eq!(t.row(second).await, before, "nothing has changed");
    change.key = KeyChange::Set(unique(3));
    t.backend.update(&before.executor, second, change.clone()).await.expect("nobody has the key");
    assert_eq!(t.row(second).await.unique_key, Some(UniqueKey([3; 16])));
    // The new key is the one that counts, and the old one is free.
    assert_eq!(t.enqueue(job("mail").with_unique(unique(3))).await, second);
    let third = t.enqueue(job("mail").with_unique(unique(2))).await;
    assert_ne!(third, second);
    t.backend.update(&before.executor, second, change.clone()).await.expect("it is in its own way alone");
    // What was enqueued too long ago, or stands in another status, is in nobody's way.
    t.wait(60).await;
    change.key = KeyChange::Set(unique(2).with_within(TimeDelta::seconds(30)));
    t.backend.update(&before.executor, second, change.clone()).await.expect("the third is too old");
    change.key = KeyChange::Remove;
    t.backend.update(&before.executor, second, change).await.expect("it can be updated");
    assert_eq!(t.row(second).await.unique_key, None);
}

/// A finished job is gone once it is deleted, whatever its end; all others are refused, and stay as they are.
pub async fn delete_takes_a_finished_job_and_no_other(t: &Harness) {
    for row in one_in_each_status(t).await {
        t.wait(3).await;
        let result = t.backend.delete(&row.executor, row.id).await;
        match row.status.is_finished() {
            true => {
                result.expect("it is finished");
                assert_eq!(t.find(row.id).await, None, "{}", row.status);
                let again = t.backend.delete(&row.executor, row.id).await;
                assert!(matches!(again, Err(AmendError::NotFound(id)) if id == row.id));
            }
            false => check(t, &row, result, lifecycle::delete).await,
        }
    }
}

/// Another executor's job, and one that does not exist, is not found, and not touched.
pub async fn another_executors_job_is_not_found(t: &Harness) {
    let row = t.row(t.enqueue(job("mail").with_priority(3)).await).await;
    let stranger = "other".into();
    for (executor, id) in [(&stranger, row.id), (&row.executor, rexecutor::JobId::from(987_654))] {
        let results = [
            t.backend.cancel(executor, id, "why".to_owned()).await,
            t.backend.rerun(executor, id).await,
            t.backend.release(executor, id).await,
            t.backend.delete(executor, id).await,
            t.backend.update(executor, id, JobChange::of(&row)).await,
        ];
        assert!(results.iter().all(|result| matches!(result, Err(AmendError::NotFound(missing)) if *missing == id)));
    }
    assert_eq!(t.row(row.id).await, row);
}

/// A blocked job may have a due time as well, and then waits for both.
pub async fn a_released_job_waits_for_its_due_time(t: &Harness) {
    let hour = TimeDelta::hours(1);
    let id = t.enqueue(job("mail").with_blocked(true).with_due(Due::In(hour))).await;
    let row = t.row(id).await;
    assert_eq!((row.status, row.scheduled_at), (JobStatus::Blocked, t.now() + hour));
    t.backend.release(&"mail".into(), id).await.expect("it is blocked");
    assert_eq!(t.claim(t.join().await, "mail", 1).await, []);
    t.clock.advance(hour).await;
    assert_eq!(t.claim(t.join().await, "mail", 1).await[0].id, id);
}

/// When a blocked job is due is known once it is released: so it takes over no due time.
pub async fn a_blocked_job_that_conflicts_moves_nobodys_due_time(t: &Harness) {
    let unique = Unique::new(UniqueKey([7; 16]), Statuses::of(JobStatus::ALL));
    let replace = Replace::scheduled_at().and_priority().for_statuses(JobStatus::ALL);
    let first = job("mail").with_unique(unique.clone()).with_due(Due::In(TimeDelta::hours(3)));
    let id = t.enqueue(first).await;
    let unique = unique.with_on_conflict(Resolution::Replace(replace));
    let second = job("mail").with_unique(unique).with_blocked(true).with_priority(5);
    assert_eq!(t.enqueue(second).await, id);
    let row = t.row(id).await;
    assert_eq!((row.status, row.priority), (JobStatus::Scheduled, 5));
    assert_eq!(row.scheduled_at, t.now() + TimeDelta::hours(3));
}
