//! Rows that somebody has written by hand: they are told, discarded with the reason, and in nobody's way.

use std::time::Duration;

use chrono::TimeDelta;
use futures::future::BoxFuture;
use rexecutor::{
    backend::{AmendError, Demand, Failure, Filter, JobChange, JobRow, Outcome, Unique},
    job::{
        ErrorType, ExecutorName, JobId, JobStatus, NodeId,
        uniqueness_criteria::{Statuses, UniqueKey},
    },
    pruner::{PruneRule, PruneScope, PruneSpec},
};

use super::harness::{Harness, job};

/// One way to make a row unreadable.
#[derive(Debug, Clone, Copy)]
pub struct Way {
    /// The column that is to be named in the error.
    pub column: &'static str,
    /// How it is done: whatever [`Damage::damage`] understands.
    pub how: &'static str,
}

/// What breaks a backend's rows from outside, as somebody would who has another program at hand: the guard that the
/// closure of [`conformance_damage!`](crate::conformance_damage) gives beside the backend.
pub trait Damage: Send + Sync {
    /// Every way to make a row unreadable that the backend's tables let pass, of each column at least one.
    fn ways(&self) -> Vec<Way>;

    /// Breaks a job's row.
    fn damage<'a>(&'a self, job: JobId, way: Way) -> BoxFuture<'a, ()>;

    /// The status that is stored of a job, and the errors, in whatever form.
    fn look<'a>(&'a self, job: JobId) -> BoxFuture<'a, (String, String)>;
}

/// Holds a backend whose rows can be broken from outside to what must hold then.
///
/// As [`conformance!`](macro@crate::conformance), but what the closure gives beside the backend implements
/// [`Damage`](crate::conformance::Damage). A backend whose rows nobody else can reach, as one in memory, has no use for it.
#[macro_export]
macro_rules! conformance_damage {
    ($name:ident, $backend:expr) => {
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            $crate::__damage_cases! {
                ($backend)
                trap_09_a_claim_discards_what_it_cannot_read_and_gives_the_others,
                a_query_leaves_out_what_it_cannot_read,
                a_run_that_cannot_be_read_any_more_keeps_no_other_from_being_settled,
                a_rescue_is_not_kept_up_by_what_it_cannot_read,
                a_change_of_what_cannot_be_read_names_the_column_and_changes_nothing,
                what_cannot_be_read_does_not_stand_in_the_way_for_ever,
            }
        }
    };
}

/// Not public API.
#[doc(hidden)]
#[macro_export]
macro_rules! __damage_cases {
    (($backend:expr) $($case:ident,)*) => {
        $(
            #[test]
            fn $case() {
                $crate::conformance::run_damaged($backend, |harness, damage| async move {
                    $crate::conformance::damage_cases::$case(&harness, &*damage).await;
                });
            }
        )*
    };
}

/// Gives each way an executor of its own, with so many jobs.
async fn each(t: &Harness, damage: &impl Damage, jobs: usize) -> Vec<(Way, ExecutorName, Vec<JobId>)> {
    let mut prepared = Vec::new();
    for (number, way) in damage.ways().into_iter().enumerate() {
        let executor = ExecutorName::from(format!("executor {number}"));
        let new = (0..jobs).map(|_| job("mail").with_executor(executor.clone())).collect();
        let ids = t.enqueue_all(new).await.into_iter().map(|enqueued| enqueued.id()).collect();
        prepared.push((way, executor, ids));
    }
    prepared
}

/// Claims until nothing is left, so many at a time.
async fn claim_all(t: &Harness, node: NodeId, executor: &ExecutorName, limit: usize) -> Vec<JobRow> {
    let mut jobs = Vec::new();
    loop {
        let demands = [Demand::new(executor.clone(), limit)];
        let claimed = t.backend.claim(node, demands.into()).await.expect("a claim is not failed by a row");
        let is_over = claimed.jobs.len() < limit && claimed.next_due_in != Some(Duration::ZERO);
        jobs.extend(claimed.jobs);
        if is_over {
            return jobs;
        }
    }
}

fn ids(jobs: &[JobRow]) -> Vec<JobId> {
    jobs.iter().map(|job| job.id).collect()
}

/// It is discarded, and the reason names the column.
async fn is_discarded(damage: &impl Damage, job: JobId, way: Way) {
    let (status, errors) = damage.look(job).await;
    assert_eq!(status, "discarded", "{way:?}");
    assert!(errors.contains(way.column) || errors.contains("cannot be read"), "{way:?}: {errors:?}");
}

/// Both in a claim of a new queue, and in those that go on in a long one.
pub async fn trap_09_a_claim_discards_what_it_cannot_read_and_gives_the_others(t: &Harness, damage: &impl Damage) {
    let node = t.join().await;
    for (way, executor, jobs) in each(t, damage, 9).await {
        // What has no status that is one is not due.
        if way.column == "status" {
            continue;
        }
        let (broken, sound): (Vec<_>, Vec<_>) = jobs.iter().enumerate().partition(|(place, _)| [1, 4].contains(place));
        for (_, id) in &broken {
            damage.damage(**id, way).await;
        }
        let mut claimed = ids(&claim_all(t, node, &executor, 2).await);
        for (_, id) in broken {
            // A claim writes some columns anew, whatever stood in them.
            match claimed.iter().position(|claimed| claimed == id) {
                Some(place) => drop(claimed.remove(place)),
                None => is_discarded(damage, *id, way).await,
            }
        }
        assert_eq!(claimed, sound.iter().map(|(_, id)| **id).collect::<Vec<_>>(), "{way:?}");
    }
}

/// A query gives as many as were asked for, of those that can be read.
pub async fn a_query_leaves_out_what_it_cannot_read(t: &Harness, damage: &impl Damage) {
    for (way, executor, jobs) in each(t, damage, 4).await {
        damage.damage(jobs[1], way).await;
        let found = t.query(Filter::Executor(executor.clone())).await;
        assert_eq!(ids(&found), [jobs[0], jobs[2], jobs[3]], "{way:?}");
        let some = t.backend.query(&Filter::Executor(executor), 2).await.expect("a query is not failed by a row");
        assert_eq!(ids(&some), [jobs[0], jobs[2]], "{way:?}: as many as were asked for");
    }
}

/// A batch of outcomes is stored, but for that of a row which broke while it ran.
pub async fn a_run_that_cannot_be_read_any_more_keeps_no_other_from_being_settled(t: &Harness, damage: &impl Damage) {
    let node = t.join().await;
    for (way, executor, jobs) in each(t, damage, 3).await {
        let runs = claim_all(t, node, &executor, 3).await;
        damage.damage(jobs[1], way).await;
        t.backend.heartbeat(node).await.expect("a heartbeat is not failed by a row");
        let retry = || Outcome::retry(TimeDelta::days(1), Failure::new(ErrorType::Panic, "no"));
        let settle = |run: &JobRow| rexecutor::backend::Settlement::new(run.id, run.lease, retry());
        let refused = t.backend.settle(runs.iter().map(settle).collect()).await.expect("others are settled");
        for run in [&runs[0], &runs[2]] {
            assert_eq!(t.row(run.id).await.status, JobStatus::Retryable, "{way:?}");
        }
        match refused[..] {
            // It is not in what a change of status reads.
            [] => {}
            [(id, _)] => {
                assert_eq!(id, runs[1].id, "{way:?}");
                let (status, _) = damage.look(id).await;
                assert!(["discarded", "none"].contains(&&*status), "{way:?}: {status}");
            }
            _ => panic!("{way:?}: {refused:?}"),
        }
    }
}

/// A rescue takes back all others, and pruning is not failed either.
pub async fn a_rescue_is_not_kept_up_by_what_it_cannot_read(t: &Harness, damage: &impl Damage) {
    let node = t.join().await;
    let mut sound = Vec::new();
    for (way, executor, jobs) in each(t, damage, 2).await {
        let _ = claim_all(t, node, &executor, 2).await;
        damage.damage(jobs[0], way).await;
        sound.push(jobs[1]);
    }
    t.backend.leave(node).await.expect("a node can leave");
    t.backend.rescue().await.expect("a rescue is not failed by a row");
    for id in sound {
        assert_eq!(t.row(id).await.status, JobStatus::Retryable);
    }
    for rule in [PruneRule::MaxLength(0), PruneRule::MaxAge(TimeDelta::zero())] {
        let spec = PruneSpec::new(JobStatus::Discarded, rule, PruneScope::All);
        t.backend.prune(&spec, usize::MAX).await.expect("pruning is not failed by a row");
    }
}

/// Whoever cancels, reruns, updates or releases it learns what is wrong with it.
pub async fn a_change_of_what_cannot_be_read_names_the_column_and_changes_nothing(t: &Harness, damage: &impl Damage) {
    for (way, executor, jobs) in each(t, damage, 4).await {
        let row = t.row(jobs[0]).await;
        for id in &jobs {
            damage.damage(*id, way).await;
        }
        let changes = [
            t.backend.cancel(&executor, jobs[0], "no".to_owned()).await,
            t.backend.rerun(&executor, jobs[1]).await,
            t.backend.update(&executor, jobs[2], JobChange::of(&row)).await,
            t.backend.release(&executor, jobs[3]).await,
        ];
        for (change, id) in changes.into_iter().zip(jobs) {
            match change {
                // It is not in what this change reads, or the status does not allow it anyway.
                Ok(()) | Err(AmendError::Refused { .. }) => {}
                Err(AmendError::Backend(error)) => {
                    assert!(!error.is_transient(), "{way:?}: {error}");
                    let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
                    let message = causes.map(ToString::to_string).collect::<Vec<_>>().join(": ");
                    assert!(message.contains(way.column) || way.column == "status", "{way:?}: {message}");
                    let (status, _) = damage.look(id).await;
                    assert!(["scheduled", "none"].contains(&&*status), "{way:?}: {status}");
                }
                Err(error) => panic!("{way:?}: {error}"),
            }
        }
    }
}

/// A new job of the same key is stored, or an error says why not; and other jobs are not concerned.
pub async fn what_cannot_be_read_does_not_stand_in_the_way_for_ever(t: &Harness, damage: &impl Damage) {
    for (number, way) in (0_u8..).zip(damage.ways()) {
        let unique = Unique::new(UniqueKey([number; 16]), Statuses::of(JobStatus::ALL));
        let id = t.enqueue(job("mail").with_unique(unique.clone())).await;
        damage.damage(id, way).await;
        if let Err(error) = t.backend.enqueue(vec![job("mail").with_unique(unique)]).await {
            assert!(!error.is_transient(), "{way:?}: {error}");
        }
        let other = Unique::new(UniqueKey([number + 100; 16]), Statuses::of(JobStatus::ALL));
        t.enqueue(job("mail").with_unique(other)).await;
    }
}
