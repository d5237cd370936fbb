//! The cases.
//!
//! Every job of them has run once and was given back, so that its recorded errors are read, too.

use std::time::Duration;

use chrono::TimeDelta;
use rexecutor::{
    backend::{
        AmendError, BackendError, Demand, Enqueued, Failure, Filter, JobChange, JobRow, NewJob, Outcome, Settlement,
        Unique,
    },
    job::{
        ErrorType, ExecutorName, JobId, JobStatus, NodeId,
        uniqueness_criteria::{Replace, Resolution, Statuses, UniqueKey},
    },
    pruner::{PruneRule, PruneScope, PruneSpec},
};

use super::{
    super::harness::{COMPLETE, Harness, ids, job},
    Damage, Way,
};

/// Gives each way an executor of its own, with so many jobs.
async fn each(t: &Harness, damage: &impl Damage, jobs: usize) -> Vec<(Way, ExecutorName, Vec<JobId>)> {
    let mut prepared = Vec::new();
    for (number, way) in damage.ways().into_iter().enumerate() {
        let executor = ExecutorName::from(format!("executor {number}"));
        let new = (0..jobs).map(|_| tagged(&executor)).collect();
        prepared.push((way, executor, run_once(t, new).await));
    }
    prepared
}

fn tagged(executor: &ExecutorName) -> NewJob {
    job("mail").with_executor(executor.clone()).with_tags(vec!["letter".to_owned()])
}

/// Enqueues jobs of one executor, claims all of them, and gives them back.
async fn run_once(t: &Harness, new: Vec<NewJob>) -> Vec<JobId> {
    let (executor, count) = (new[0].executor.clone(), new.len());
    let jobs: Vec<JobId> = t.enqueue_all(new).await.into_iter().map(Enqueued::id).collect();
    let node = t.join().await;
    let runs = claim_all(t, node, &executor, count).await;
    let ends = runs.iter().map(|run| Settlement::new(run.id, run.lease, Outcome::GiveBack)).collect();
    assert_eq!(t.backend.settle(ends).await.expect("outcomes can be stored"), []);
    t.backend.leave(node).await.expect("a node can leave");
    jobs
}

/// Claims until nothing is left, so many at a time. A claim gives as many as are due, or asks to be called again at once.
async fn claim_all(t: &Harness, node: NodeId, executor: &ExecutorName, limit: usize) -> Vec<JobRow> {
    let mut jobs = Vec::new();
    for _ in 0..1_000 {
        let demands = [Demand::new(executor.clone(), limit)];
        let claimed = t.backend.claim(node, demands.into()).await.expect("an unreadable row does not fail a claim");
        let is_over = claimed.jobs.len() < limit && claimed.next_due_in != Some(Duration::ZERO);
        jobs.extend(claimed.jobs);
        if is_over {
            return jobs;
        }
    }
    panic!("the claims of {executor} do not end");
}

/// Whether the row is discarded. Then its errors name the column.
async fn is_quarantined(damage: &impl Damage, job: JobId, way: Way) -> bool {
    let (status, errors) = damage.look(job).await;
    assert!(status != "discarded" || errors.contains(way.column), "{way:?}: {errors:?}");
    status == "discarded"
}

/// Takes out the broken jobs that were claimed after all, because a claim overwrites the column. Every other one is
/// quarantined, or is not due.
async fn check_claimed(damage: &impl Damage, claimed: &mut Vec<JobId>, broken: &[(JobId, Way)]) {
    let mut quarantined = 0;
    for (id, way) in broken {
        let place = claimed.iter().position(|claimed| claimed == id);
        if let Some(place) = place {
            claimed.remove(place);
        } else if is_quarantined(damage, *id, *way).await {
            quarantined += 1;
        } else {
            assert!(["status", "scheduled_at"].contains(&way.column), "{way:?}: neither claimed nor quarantined");
        }
    }
    assert!(quarantined * 2 > broken.len(), "{quarantined} of {} unreadable rows are quarantined", broken.len());
}

/// Trap 9: one unreadable row keeps all others from being claimed.
pub async fn trap_09_a_claim_quarantines_unreadable_rows_and_gives_the_others(t: &Harness, damage: &impl Damage) {
    let node = t.join().await;
    let (mut all, mut sound, mut broken) = (Vec::new(), Vec::new(), Vec::new());
    for (way, executor, jobs) in each(t, damage, 9).await {
        for place in [1, 4] {
            damage.damage(jobs[place], way).await;
            broken.push((jobs[place], way));
        }
        all.extend(ids(&claim_all(t, node, &executor, 2).await));
        sound.extend([0, 2, 3, 5, 6, 7, 8].map(|place| jobs[place]));
    }
    check_claimed(damage, &mut all, &broken).await;
    assert_eq!(all, sound);
}

/// A claim that resumes where the last one ended may use other statements. All ways stand in one queue.
pub async fn a_claim_of_a_long_queue_quarantines_unreadable_rows_and_gives_the_others(
    t: &Harness,
    damage: &impl Damage,
) {
    /// Enough that a backend treats the queue as a long one.
    const MANY: usize = 100;
    let (executor, ways) = (ExecutorName::from("mail"), damage.ways());
    let jobs = run_once(t, (0..2 * MANY + 2 * ways.len()).map(|_| tagged(&executor)).collect()).await;
    let node = t.join().await;
    let first = t.claim(node, "mail", MANY).await;
    assert_eq!(ids(&first), jobs[..MANY]);
    let (mut sound, mut broken) = (Vec::new(), Vec::new());
    let mut rest = jobs[MANY..].iter();
    for way in ways {
        let (Some(bad), Some(good)) = (rest.next(), rest.next()) else { break };
        damage.damage(*bad, way).await;
        broken.push((*bad, way));
        sound.push(*good);
    }
    sound.extend(rest);
    let mut claimed = ids(&claim_all(t, node, &executor, MANY).await);
    check_claimed(damage, &mut claimed, &broken).await;
    claimed.sort_unstable();
    assert_eq!(claimed, sound);
}

/// A query leaves out unreadable rows, and gives as many others as it was asked for.
pub async fn a_query_leaves_out_unreadable_rows_and_fills_its_limit(t: &Harness, damage: &impl Damage) {
    let tags = |tag: &str| Filter::TagsOneOf(vec![tag.to_owned()]);
    for (way, executor, jobs) in each(t, damage, 4).await {
        damage.damage(jobs[0], way).await;
        damage.damage(jobs[2], way).await;
        let ours = Filter::Executor(executor);
        let letters = Filter::All(vec![ours.clone(), tags("letter")]);
        let no_parcels = Filter::All(vec![ours.clone(), Filter::Not(Box::new(tags("parcel")))]);
        let all_of = Filter::All(vec![ours.clone(), Filter::TagsAllOf(vec!["letter".to_owned()])]);
        for filter in [ours, letters, all_of, no_parcels] {
            for limit in [1, 2, 3] {
                let found = t.backend.query(&filter, limit).await.expect("an unreadable row does not fail a query");
                let expected = [jobs[1], jobs[3]];
                assert_eq!(ids(&found), expected[..limit.min(2)], "{way:?}, {filter:?}, at most {limit}");
            }
        }
    }
}

/// All settlements of a batch are stored, except that of a row which broke while its job ran.
pub async fn a_settlement_of_an_unreadable_row_is_refused_and_the_others_are_stored(t: &Harness, damage: &impl Damage) {
    let node = t.join().await;
    let mut count = 0;
    for (way, executor, jobs) in each(t, damage, 4).await {
        let runs = claim_all(t, node, &executor, 4).await;
        damage.damage(jobs[1], way).await;
        let retry = || Outcome::retry(TimeDelta::days(1), Failure::new(ErrorType::Panic, "no"));
        let outcomes = [retry(), retry(), COMPLETE, Outcome::GiveBack];
        let ends = runs.iter().zip(outcomes).map(|(run, outcome)| Settlement::new(run.id, run.lease, outcome));
        let refused = t.backend.settle(ends.collect()).await.expect("an unreadable row does not fail the others");
        let expected = [(0, JobStatus::Retryable), (2, JobStatus::Complete), (3, JobStatus::Scheduled)];
        for (place, status) in expected {
            assert_eq!(t.row(jobs[place]).await.status, status, "{way:?}");
        }
        if refused.is_empty() {
            // A change of status does not read this column.
            assert_eq!(damage.look(jobs[1]).await.0, "retryable", "{way:?}");
        } else {
            assert_eq!(refused, [(runs[1].id, runs[1].lease)], "{way:?}");
            assert!(is_quarantined(damage, jobs[1], way).await, "{way:?}");
            count += 1;
        }
    }
    assert!(count > 0, "every unreadable row was settled");
}

/// A rescue takes back all other jobs of a dead node. What it has quarantined is pruned like any discarded job.
pub async fn a_rescue_quarantines_unreadable_rows_and_rescues_the_others(t: &Harness, damage: &impl Damage) {
    let node = t.join().await;
    let (mut sound, mut broken) = (Vec::new(), Vec::new());
    for (way, executor, jobs) in each(t, damage, 2).await {
        assert_eq!(claim_all(t, node, &executor, 2).await.len(), 2);
        damage.damage(jobs[0], way).await;
        broken.push((jobs[0], way));
        sound.push(jobs[1]);
    }
    t.backend.leave(node).await.expect("a node can leave");
    t.backend.rescue(&[]).await.expect("an unreadable row does not fail a rescue");
    for id in sound {
        assert_eq!(t.row(id).await.status, JobStatus::Retryable);
    }
    let mut quarantined = 0;
    for (id, way) in broken {
        match is_quarantined(damage, id, way).await {
            true => quarantined += 1,
            // A rescue does not read this column, or does not find the row by its status.
            false => assert!(damage.look(id).await.0 == "retryable" || way.column == "status", "{way:?}"),
        }
    }
    assert!(quarantined > 0, "every unreadable row was rescued");
    t.wait(1).await;
    let all = PruneSpec::new(JobStatus::Discarded, PruneRule::MaxAge(TimeDelta::zero()), PruneScope::All);
    assert_eq!(t.backend.prune(&all, usize::MAX).await.expect("jobs can be pruned"), quarantined);
}

/// Pruning deletes the sound jobs, and a heartbeat lists the runs, whatever stands in other rows.
pub async fn pruning_and_heartbeats_are_not_failed_by_unreadable_rows(t: &Harness, damage: &impl Damage) {
    for rule in [PruneRule::MaxAge(TimeDelta::zero()), PruneRule::MaxLength(0)] {
        let node = t.join().await;
        let mut ended = Vec::new();
        for (way, executor, jobs) in each(t, damage, 3).await {
            let runs = claim_all(t, node, &executor, 3).await;
            for run in &runs[..2] {
                assert!(t.settle(run, COMPLETE).await);
            }
            damage.damage(jobs[0], way).await;
            damage.damage(jobs[2], way).await;
            ended.push(jobs[1]);
        }
        let alive = t.backend.heartbeat(node).await.expect("an unreadable row does not fail a heartbeat");
        assert!(alive.member, "the node is a member");
        t.wait(1).await;
        let spec = PruneSpec::new(JobStatus::Complete, rule, PruneScope::All);
        t.backend.prune(&spec, usize::MAX).await.expect("an unreadable row does not fail pruning");
        assert_eq!(ids(&t.query(Filter::IdIn(ended)).await), [], "{rule:?}");
        t.backend.leave(node).await.expect("a node can leave");
    }
}

/// Whoever cancels, reruns, updates or releases an unreadable job learns which column is wrong.
pub async fn a_change_of_an_unreadable_row_names_the_column_and_changes_nothing(t: &Harness, damage: &impl Damage) {
    let other = ExecutorName::from("another executor");
    for (way, executor, jobs) in each(t, damage, 4).await {
        let row = t.row(jobs[0]).await;
        let mut before = Vec::new();
        for id in &jobs {
            damage.damage(*id, way).await;
            before.push(damage.look(*id).await);
        }
        let changes = [
            t.backend.cancel(&executor, jobs[0], "no".to_owned()).await,
            t.backend.rerun(&executor, jobs[1]).await,
            t.backend.update(&executor, jobs[2], JobChange::of(&row)).await,
            t.backend.release(&executor, jobs[3]).await,
        ];
        for ((change, id), before) in changes.into_iter().zip(&jobs).zip(before) {
            let Err(AmendError::Backend(error)) = change else {
                // A change need not read recorded errors.
                assert_eq!(way.column, "errors", "{way:?}: {change:?}");
                continue;
            };
            assert!(!error.is_transient(), "{way:?}: {error}");
            let message = whole(&error);
            assert!(message.contains(way.column), "{way:?}: {message}");
            assert_eq!(damage.look(*id).await, before, "{way:?}");
        }
        let foreign = t.backend.cancel(&other, jobs[3], "no".to_owned()).await;
        assert!(matches!(foreign, Err(AmendError::NotFound(_))), "{way:?}: {foreign:?}");
    }
}

/// The messages of an error and of its causes.
fn whole(error: &BackendError) -> String {
    let causes = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// An unreadable row keeps its unique key as long as it waits, like any other job, and never fails an enqueue.
pub async fn an_unreadable_row_conflicts_until_it_is_quarantined(t: &Harness, damage: &impl Damage) {
    let node = t.join().await;
    for (number, way) in (0_u8..).zip(damage.ways()) {
        let executor = ExecutorName::from(format!("executor {number}"));
        let open = [JobStatus::Scheduled, JobStatus::Executing, JobStatus::Retryable];
        let unique = Unique::new(UniqueKey([number; 16]), Statuses::of(&open));
        let new = |unique: Unique| tagged(&executor).with_unique(unique);
        let id = run_once(t, vec![new(unique.clone())]).await[0];
        damage.damage(id, way).await;
        let recent = unique.clone().with_within(TimeDelta::days(1));
        let replacing = unique.clone().with_on_conflict(Resolution::Replace(Replace::data().and_priority()));
        for unique in [unique.clone(), recent, replacing] {
            let answers = t.enqueue_all(vec![new(unique)]).await;
            // These columns decide whether there is a conflict at all.
            let may_be_new = ["status", "unique_key", "inserted_at"].contains(&way.column);
            assert!(answers[0].id() == id || may_be_new, "{way:?}: {answers:?}");
        }
        for run in claim_all(t, node, &executor, 5).await {
            assert!(t.settle(&run, COMPLETE).await, "{way:?}");
        }
        let (status, _) = damage.look(id).await;
        let answers = t.enqueue_all(vec![new(unique)]).await;
        // One that is never due is never met by a claim.
        let stays = way.column == "scheduled_at" && status == "scheduled";
        assert_eq!(answers[0].is_duplicate(), stays, "{way:?}, {status}: {answers:?}");
    }
}
