//! `Enqueue`, of jobs that take the place of each other, or hold each other back, for some time.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use rexecutor::{
    backend::{Demand, Due, Enqueued, NewJob, Outcome, Unique, lifecycle},
    job::{
        JobId, JobStatus,
        uniqueness_criteria::{Debounce, Resolution, Statuses, UniqueKey},
    },
};

use super::harness::{COMPLETE, Harness, job, retry};

/// A call that waits 5 s for later ones, and the first of them 12 s at the most.
fn debounced(key: u8, data: impl ToString) -> NewJob {
    waiting(key, data, TimeDelta::seconds(5), TimeDelta::seconds(12))
}

fn waiting(key: u8, data: impl ToString, within: TimeDelta, longest: TimeDelta) -> NewJob {
    let statuses = Statuses::of(&[JobStatus::Scheduled, JobStatus::Retryable]);
    let on_conflict = Resolution::Debounce(Debounce::new(within, longest));
    let unique = Unique::new(UniqueKey([key; 16]), statuses).with_on_conflict(on_conflict);
    job("index").with_data(data.to_string()).with_due(Due::In(within)).with_unique(unique)
}

/// One a minute.
fn throttled(key: u8) -> NewJob {
    let unique = Unique::new(UniqueKey([key; 16]), Statuses::of(JobStatus::ALL)).with_within(TimeDelta::minutes(1));
    job("report").with_unique(unique)
}

/// Case 18.8: the last call within the window wins, and the first one waits for no longer than it may.
pub async fn case_18_8_a_later_call_takes_the_place_of_one_that_waits(t: &Harness) {
    let start = t.now();
    let id = t.enqueue(debounced(1, 0)).await;
    assert_eq!(t.row(id).await.scheduled_at, start + TimeDelta::seconds(5));
    for (call, due) in [(1, 9), (2, 12), (3, 12)] {
        t.wait(4).await;
        // The last of them comes as the job is due, and nobody has claimed it.
        let later = debounced(1, call).with_priority(7).with_max_attempts(9).with_metadata("[1]".to_owned());
        let answers = t.enqueue_all(vec![later.with_tags(vec!["new".to_owned()])]).await;
        assert_eq!(answers, [Enqueued::Replaced(id)]);
        let row = t.row(id).await;
        assert_eq!((row.data, row.scheduled_at), (call.to_string(), start + TimeDelta::seconds(due)));
        assert_eq!((row.priority, row.max_attempts, row.metadata.as_deref()), (7, 9, Some("[1]")));
        assert_eq!((row.tags, row.inserted_at, row.status), (vec!["new".to_owned()], start, JobStatus::Scheduled));
    }
    let node = t.join().await;
    assert_eq!(t.claim(node, "index", 10).await[0].data, "3");
    assert_ne!(t.enqueue(debounced(2, 9)).await, id, "another key is another job");
}

/// Case 18.8: a run has its data already, so a call that comes then is a job of its own.
pub async fn case_18_8_a_call_that_finds_its_job_begun_is_another_job(t: &Harness) {
    let first = t.enqueue(debounced(1, 1)).await;
    t.wait(5).await;
    let node = t.join().await;
    let run = t.claim(node, "index", 10).await.remove(0);
    let second = t.enqueue_all(vec![debounced(1, 2)]).await[0];
    assert!(matches!(second, Enqueued::Inserted(id) if id != first), "{second:?}");
    assert_eq!(t.row(first).await.data, "1");
    assert!(t.settle(&run, COMPLETE).await);
    assert_eq!(t.enqueue_all(vec![debounced(1, 3)]).await, [Enqueued::Replaced(second.id())]);
    // A retry takes the call over and is not hurried by it.
    t.wait(5).await;
    let run = t.claim(node, "index", 10).await.remove(0);
    assert_eq!(run.data, "3");
    assert!(t.settle(&run, retry(60)).await);
    let due = t.row(second.id()).await.scheduled_at;
    assert_eq!(t.enqueue_all(vec![debounced(1, 4)]).await, [Enqueued::Replaced(second.id())]);
    let row = t.row(second.id()).await;
    assert_eq!((row.data.as_str(), row.scheduled_at, row.status), ("4", due, JobStatus::Retryable));
}

/// Case 18.8: calls of one batch follow each other, and other keys of it are left alone.
pub async fn case_18_8_the_last_call_of_a_batch_wins(t: &Harness) {
    let stored = t.enqueue(debounced(1, "\"before\"")).await;
    let jobs: Vec<_> = (0..100).map(|n| debounced(1 + n % 3, n)).chain([job("mail")]).collect();
    let answers = t.enqueue_all(jobs).await;
    assert_eq!(answers[0], Enqueued::Replaced(stored));
    for (n, answer) in answers[..100].iter().enumerate() {
        let first = answers[n % 3].id();
        let expected = if n == 1 || n == 2 { Enqueued::Inserted(first) } else { Enqueued::Replaced(first) };
        assert_eq!(*answer, expected, "{n}");
    }
    let data: Vec<_> = t.all().await.into_iter().map(|row| row.data).collect();
    assert_eq!(data, ["99", "97", "98", "1"]);
}

/// Case 18.8: of 64 callers at once none is lost while nodes claim what they enqueue: each call's data are run, or those of a
/// later one.
pub async fn case_18_8_of_sixty_four_debounced_callers_none_is_lost(t: &Harness) {
    const CALLS: u64 = 10;
    let no_time = |data| waiting(1, data, TimeDelta::zero(), TimeDelta::seconds(9));
    let callers = (0..64).map(|caller| {
        let t = t.clone();
        tokio::spawn(async move {
            let mut answers = Vec::new();
            for call in 0..CALLS {
                answers.push(t.enqueue_all(vec![no_time(caller * CALLS + call)]).await[0]);
            }
            answers
        })
    });
    let callers: Vec<_> = callers.collect();
    let (mut ran, node) = (BTreeMap::new(), t.join().await);
    let claim = async |ran: &mut BTreeMap<JobId, String>| {
        let claimed = t.backend.claim(node, [Demand::new("index", 10)].into()).await.expect("jobs can be claimed");
        for run in claimed.jobs {
            assert!(t.settle(&run, Outcome::complete(true)).await);
            assert_eq!(ran.insert(run.id, run.data), None, "it is claimed once");
        }
    };
    while callers.iter().any(|caller| !caller.is_finished()) {
        claim(&mut ran).await;
        tokio::task::yield_now().await;
    }
    claim(&mut ran).await;
    let mut inserted = 0;
    for caller in callers {
        for answer in caller.await.expect("no task panics") {
            assert!(!matches!(answer, Enqueued::Existing(_)), "a call was lost: {answer:?}");
            inserted += usize::from(matches!(answer, Enqueued::Inserted(_)));
        }
    }
    let rows = t.all().await;
    assert_eq!((rows.len(), ran.len()), (inserted, inserted));
    for row in rows {
        assert_eq!((row.status, Some(&row.data)), (JobStatus::Complete, ran.get(&row.id)), "a run keeps its data");
    }
}

/// Case 18.8: 64 callers at once that nobody claims from leave one job, of the last call.
pub async fn case_18_8_sixty_four_debounced_callers_leave_one_job(t: &Harness) {
    for round in 0..4 {
        let callers = (0..64).map(|caller| {
            let t = t.clone();
            tokio::spawn(async move { t.enqueue_all(vec![debounced(round, caller)]).await[0] })
        });
        let mut inserted = 0;
        for caller in callers.collect::<Vec<_>>() {
            inserted += usize::from(matches!(caller.await.expect("no task panics"), Enqueued::Inserted(_)));
        }
        assert_eq!(inserted, 1);
        let last = t.enqueue(debounced(round, "\"last\"")).await;
        assert_eq!(t.row(last).await.data, "\"last\"");
    }
    assert_eq!(t.all().await.len(), 4);
}

/// Case 18.8: of 64 callers at once one is enqueued in each window, however its job ends.
pub async fn case_18_8_of_sixty_four_throttled_callers_one_is_enqueued_a_window(t: &Harness) {
    let node = t.join().await;
    let outcomes = [COMPLETE, Outcome::discard(super::harness::failure("no")), Outcome::cancel("no")];
    for outcome in outcomes {
        let callers = (0..64_u8).map(|caller| {
            let t = t.clone();
            tokio::spawn(async move { t.enqueue_all(vec![throttled(caller % 2)]).await[0] })
        });
        let mut inserted = 0;
        for caller in callers.collect::<Vec<_>>() {
            inserted += usize::from(!caller.await.expect("no task panics").is_duplicate());
        }
        assert_eq!(inserted, 2, "one a key");
        for run in t.claim(node, "report", 10).await {
            assert!(t.settle(&run, outcome.clone()).await);
        }
        t.wait(59).await;
        assert!(t.enqueue_all(vec![throttled(0)]).await[0].is_duplicate());
        t.wait(1).await;
    }
    assert_eq!(t.all().await.len(), 6);
}

/// What the pure function says of a row that has begun, for all that a backend may find.
pub async fn case_18_8_a_debounced_call_meets_every_status_as_the_life_cycle_says(t: &Harness) {
    let any = |data: &str| {
        let job = debounced(1, data);
        let unique = job.unique.clone().map(|unique| unique.with_statuses(Statuses::of(JobStatus::ALL)));
        job.with_unique(unique)
    };
    let first = t.enqueue(any("1").with_blocked(true)).await;
    let mut row = t.row(first).await;
    assert!(matches!(lifecycle::resolve(&mut row, any("2"), t.now()), lifecycle::Resolved::Insert(_)));
    let second = t.enqueue_all(vec![any("2")]).await[0];
    assert!(matches!(second, Enqueued::Inserted(id) if id != first), "{second:?}");
    assert_eq!(t.enqueue_all(vec![any("3")]).await, [Enqueued::Replaced(second.id())]);
}

/// A clock that is corrected by seconds opens no window; one that is set back by more keeps none closed until it has caught up.
pub async fn case_44_a_clock_that_is_set_back_by_hours_does_not_keep_a_window_closed(t: &Harness) {
    let enqueue = async || t.enqueue_all(vec![throttled(0)]).await[0].is_duplicate();
    assert!(!enqueue().await);
    t.clock.jump(TimeDelta::seconds(-50)).await;
    assert!(enqueue().await);
    t.clock.jump(TimeDelta::hours(-2)).await;
    assert_eq!([enqueue().await, enqueue().await], [false, true]);
}
