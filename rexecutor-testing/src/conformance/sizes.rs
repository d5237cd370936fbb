//! Large jobs, and times between two microseconds.

use chrono::TimeDelta;
use rexecutor::{
    backend::{Deadline, Demand, Due, JobChange, JobRow, NewJob, Outcome, Unique, in_micros},
    job::{
        JobId, NodeId,
        uniqueness_criteria::{Statuses, UniqueKey},
    },
};

use super::harness::{COMPLETE, Harness, failure, ids, job};

/// Above what a backend need not count.
const BYTES: usize = 100 * 1024;

/// Data of about so many bytes, each its own.
fn large(nth: usize, bytes: usize) -> String {
    format!("\"{nth} é {}\"", "x".repeat(bytes - 16))
}

async fn claim(t: &Harness, node: NodeId, demands: &[(&'static str, usize, usize)]) -> Vec<JobRow> {
    let demands =
        demands.iter().map(|(executor, limit, bytes)| Demand::new(*executor, *limit).with_max_bytes(*bytes)).collect();
    t.backend.claim(node, demands).await.expect("jobs can be claimed").jobs
}

async fn enqueue(t: &Harness, executor: &'static str, count: usize) -> Vec<JobId> {
    let new = |nth| job(executor).with_data(large(nth, BYTES)).with_priority(u16::from(nth >= count / 2));
    t.enqueue_all((0..count).map(new).collect()).await.into_iter().map(|answer| answer.id()).collect()
}

/// Case 32: a claim of two thousand large jobs used up the memory of its node.
pub async fn case_32_a_claim_ends_with_the_bytes_that_it_asks_for(t: &Harness) {
    let (mail, print) = (enqueue(t, "mail", 12).await, enqueue(t, "print", 12).await);
    let node = t.join().await;
    // One at least; and no further one once these have as many.
    let claimed = claim(t, node, &[("mail", 100, 1), ("print", 100, BYTES * 5 / 2)]).await;
    assert_eq!(ids(&claimed), [&mail[..1], &print[..3]].concat());
    for (nth, row) in claimed.iter().enumerate() {
        assert_eq!(row.data, large(nth.saturating_sub(1), BYTES), "their data come whole");
        assert_eq!(*row, t.row(row.id).await);
    }
    // The rest is where it was: across two priorities, and claim after claim.
    let mut left = &mail[1..];
    while !left.is_empty() {
        let (next, later) = left.split_at(left.len().min(4));
        assert_eq!(ids(&claim(t, node, &[("mail", 100, BYTES * 7 / 2)]).await), next);
        left = later;
    }
    // The smaller of the two limits counts.
    assert_eq!(ids(&claim(t, node, &[("print", 2, BYTES * 100)]).await), print[3..5]);
    assert_eq!(ids(&claim(t, node, &[("print", 100, usize::MAX)]).await), print[5..]);
}

/// Case 32: metadata count as well, and small jobs among large ones are no exception.
pub async fn case_32_metadata_count_and_small_jobs_wait_for_their_turn(t: &Harness) {
    let with_metadata = |nth| job("mail").with_metadata(large(nth, BYTES));
    let jobs = vec![job("mail"), with_metadata(1), job("mail"), with_metadata(3), job("mail"), with_metadata(5)];
    let n: Vec<JobId> = t.enqueue_all(jobs).await.into_iter().map(|answer| answer.id()).collect();
    let node = t.join().await;
    let claimed = claim(t, node, &[("mail", 100, BYTES * 3 / 2)]).await;
    assert_eq!(ids(&claimed), n[..4]);
    assert_eq!(claimed[3].metadata, Some(large(3, BYTES)));
    // In a long queue it is the same.
    t.enqueue_all(vec![job("print"); 30]).await;
    for _ in 0..3 {
        assert_eq!(t.claim(node, "print", 5).await.len(), 5);
    }
    let heavy = enqueue(t, "print", 4).await;
    assert_eq!(t.claim(node, "print", 13).await.len(), 13);
    let claimed = claim(t, node, &[("print", 100, BYTES * 3 / 2)]).await;
    assert_eq!(ids(&claimed)[2..], heavy[..2]);
    for run in &claimed {
        assert!(t.settle(run, COMPLETE).await);
    }
    assert_eq!(ids(&t.claim(node, "print", 100).await), heavy[2..]);
}

/// Case 32: a call of many large jobs is stored as a whole, in its order, unique ones among them too.
pub async fn case_32_a_call_of_large_jobs_is_stored_in_its_order(t: &Harness) {
    let bytes = 1024 * 1024;
    let all = |nth: usize| {
        NewJob::new("mail", large(nth, bytes)).with_metadata(nth.is_multiple_of(3).then(|| large(nth, bytes)))
    };
    let key = |nth: usize| {
        let number = u8::try_from(nth / 2).expect("it is small");
        (nth % 4 < 2).then(|| Unique::new(UniqueKey([number; 16]), Statuses::of(rexecutor::JobStatus::ALL)))
    };
    for is_unique in [false, true] {
        let jobs: Vec<NewJob> = (0..24).map(|nth| all(nth).with_unique(key(nth).filter(|_| is_unique))).collect();
        let answers = t.enqueue_all(jobs.clone()).await;
        let mut last = None;
        for (nth, (answer, new)) in answers.iter().zip(&jobs).enumerate() {
            let is_second = is_unique && nth % 4 == 1;
            assert_eq!(answer.is_duplicate(), is_second, "{nth}");
            if is_second {
                assert_eq!(answer.id(), answers[nth - 1].id());
                continue;
            }
            assert!(last.replace(answer.id()) < Some(answer.id()), "numbers rise");
            let row = t.row(answer.id()).await;
            assert_eq!((&row.data, &row.metadata), (&new.data, &new.metadata));
        }
    }
}

/// Case 33: a backend kept the nanoseconds of a time, or rounded them up, where another one did not.
pub async fn case_33_times_are_kept_in_whole_microseconds(t: &Harness) {
    let ns = TimeDelta::nanoseconds;
    t.clock.advance(ns(1_700)).await;
    let (now, odd) = (in_micros(t.now()), ns(2_999));
    let deadline = |deadline| job("mail").with_deadline(deadline);
    let jobs = vec![
        job("mail"),
        job("mail").with_due(Due::In(odd)),
        job("mail").with_due(Due::At(now + odd)),
        deadline(Deadline::In(odd)),
        deadline(Deadline::At(now + odd)),
    ];
    let after = now + TimeDelta::microseconds(2);
    let mut rows = Vec::new();
    for answer in t.enqueue_all(jobs).await {
        rows.push(t.row(answer.id()).await);
    }
    assert!(rows.iter().all(|row| row.inserted_at == now));
    assert_eq!(rows[..3].iter().map(|row| row.scheduled_at).collect::<Vec<_>>(), [now, after, after]);
    assert!(rows[3..].iter().all(|row| row.extras.deadline == Some(Deadline::At(after))), "{rows:?}");
    // A change by hand, a claim, and what follows from its end.
    let mut change = JobChange::of(&rows[0]);
    change.scheduled_at = now - ns(1);
    t.backend.update(&"mail".into(), rows[0].id, change).await.expect("it waits");
    assert_eq!(t.row(rows[0].id).await.scheduled_at, now - TimeDelta::microseconds(1));
    let node = t.join().await;
    for outcome in [Outcome::retry(odd, failure("no")), Outcome::snooze(odd), Outcome::defer(odd, failure("no"))] {
        let run = t.claim(node, "mail", 1).await.remove(0);
        assert_eq!(run, t.row(run.id).await, "what a claim gives is what is stored");
        assert!(t.settle(&run, outcome.clone()).await);
        let row = t.row(run.id).await;
        assert_eq!(row.scheduled_at, in_micros(t.now()) + TimeDelta::microseconds(2), "{outcome:?}");
        t.backend.cancel(&"mail".into(), run.id, "done".to_owned()).await.expect("it waits");
    }
    // A time within which jobs are unique.
    let unique = |within| Unique::new(UniqueKey([1; 16]), Statuses::of(rexecutor::JobStatus::ALL)).with_within(within);
    let first = t.enqueue(job("print").with_unique(unique(odd))).await;
    t.clock.advance(TimeDelta::microseconds(2)).await;
    assert_ne!(t.enqueue(job("print").with_unique(unique(odd))).await, first, "2.999 microseconds are 2");
}
