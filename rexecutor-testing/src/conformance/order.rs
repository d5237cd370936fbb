//! Jobs of one key that run one after another, in the order in which they were enqueued. A backend that has no
//! [control](rexecutor::backend::Control) is held to nothing here.

use std::time::Duration;

use chrono::TimeDelta;
use rexecutor::{
    backend::{Backend, Claimed, ClusterLimits, Demand, Due, Filter, JobChange, JobRow, NewJob, OnDiscard, Outcome},
    job::{JobId, JobStatus, NodeId},
    pruner::{PruneRule, PruneScope, PruneSpec},
};

use super::harness::{COMPLETE, Harness, failure, ids, job, retry};

pub(super) const ORDERED: ClusterLimits = ClusterLimits::NONE.with_ordered(true);

pub(super) async fn claim_in_order(backend: &dyn Backend, node: NodeId, demand: usize) -> Claimed {
    let demand = Demand::new("mail", demand).with_cluster_limits(ORDERED);
    backend.claim(node, [demand].into()).await.expect("jobs can be claimed")
}

pub(super) fn in_line(key: &str) -> NewJob {
    job("mail").with_group_key(key.to_owned()).with_order(OnDiscard::Skip)
}

fn halting(key: &str) -> NewJob {
    in_line(key).with_order(OnDiscard::Halt)
}

pub(super) fn key(row: &JobRow) -> String {
    row.extras.group_key.clone().unwrap_or_else(|| "-".to_owned())
}

pub(super) fn later(seconds: i64) -> Due {
    Due::In(TimeDelta::seconds(seconds))
}

impl Harness {
    pub(super) fn knows_lines(&self) -> bool {
        self.backend.control().is_some()
    }

    /// A claim by a node whose program declares that jobs of a key run one after another.
    pub(super) async fn claim_line(&self, node: NodeId, demand: usize) -> Vec<JobRow> {
        claim_in_order(&*self.backend, node, demand).await.jobs
    }

    /// … that gives one job, or none.
    async fn claim_next(&self, node: NodeId) -> Option<JobId> {
        let claimed = self.claim_line(node, 9).await;
        assert!(claimed.len() < 2, "{claimed:?}");
        claimed.first().map(|row| row.id)
    }

    async fn line(&self, jobs: &[NewJob]) -> Vec<JobId> {
        self.enqueue_all(jobs.to_vec()).await.into_iter().map(|enqueued| enqueued.id()).collect()
    }

    async fn halting_lines(&self) -> Vec<JobId> {
        ids(&self.query(Filter::HaltsLine).await)
    }

    /// Enqueues a line whose head is discarded, and halts it; returns the others.
    async fn halted(&self, node: NodeId) -> (JobId, Vec<JobId>) {
        let jobs = self.line(&[halting("a"), halting("a")]).await;
        let head = self.claim_line(node, 9).await.remove(0);
        assert!(self.settle(&head, Outcome::discard(failure("no"))).await);
        assert_eq!((head.id, self.claim_next(node).await), (jobs[0], None), "the line halts");
        assert_eq!(self.halting_lines().await, [jobs[0]]);
        (jobs[0], jobs[1..].to_vec())
    }
}

/// One job of a key runs at a time on all nodes, the one that was enqueued first, whatever its priority and due time say.
pub async fn case_14_3_jobs_of_a_key_run_one_after_another(t: &Harness) {
    if !t.knows_lines() {
        return;
    }
    let [one, other] = [t.join().await, t.join().await];
    let jobs = [in_line("a").with_priority(5), in_line("a"), in_line("b"), in_line("a").with_priority(1), in_line("b")];
    let jobs = t.line(&jobs).await;
    let mut heads = t.claim_line(one, 9).await;
    heads.sort_by_key(|row| row.id);
    assert_eq!(ids(&heads), [jobs[0], jobs[2]]);
    assert_eq!(heads[0].extras.order, Some(OnDiscard::Skip));
    let nothing = claim_in_order(&*t.backend, other, 9).await;
    assert_eq!((nothing.jobs.len(), nothing.held.len(), nothing.held[0].again_in), (0, 1, None), "{nothing:?}");
    assert!(t.settle(&heads[1], COMPLETE).await);
    assert_eq!(t.claim_next(other).await, Some(jobs[4]));
    for outcome in [COMPLETE, Outcome::cancel("why")] {
        assert!(t.settle(&heads[0], outcome).await);
        heads[0] = t.claim_line(other, 9).await.remove(0);
    }
    assert_eq!(heads[0].id, jobs[3], "the second has run meanwhile");
    assert_eq!(t.claim_next(one).await, None);
}

/// What waits for a retry, for its due time or for its release holds up those behind it, and a claim tells until when.
pub async fn case_14_3_whatever_waits_at_the_head_holds_up_those_behind_it(t: &Harness) {
    if !t.knows_lines() {
        return;
    }
    let node = t.join().await;
    let jobs = t.line(&[in_line("a"), in_line("a"), in_line("a").with_blocked(true), in_line("a")]).await;
    let first = t.claim_line(node, 9).await.remove(0);
    assert!(t.settle(&first, retry(40)).await);
    let nothing = claim_in_order(&*t.backend, node, 9).await;
    assert_eq!((nothing.jobs.len(), nothing.next_due_in.map(|wait| wait.as_secs())), (0, Some(40)));
    let again = nothing.held.iter().filter_map(|held| held.again_in).min();
    assert_eq!(again.map(|wait| wait.as_secs()), Some(40), "nothing but time lets it go on: {nothing:?}");
    t.wait(40).await;
    let first = t.claim_line(node, 9).await.remove(0);
    assert_eq!((first.id, first.attempt), (jobs[0], 2));
    assert!(t.settle(&first, Outcome::snooze(TimeDelta::seconds(5))).await);
    assert_eq!(t.claim_next(node).await, None);
    t.wait(5).await;
    let first = t.claim_line(node, 9).await.remove(0);
    assert!(t.settle(&first, COMPLETE).await);
    let second = t.claim_line(node, 9).await.remove(0);
    assert!(t.settle(&second, COMPLETE).await);
    assert_eq!((second.id, t.claim_next(node).await), (jobs[1], None), "the third one is blocked");
    t.backend.release(&"mail".into(), jobs[2]).await.expect("a blocked job can be released");
    assert_eq!(t.claim_next(node).await, Some(jobs[2]));
    let later = t.line(&[in_line("b").with_due(later(30)), in_line("b")]).await;
    assert_eq!(t.claim_next(node).await, None, "the first of `b` is not due");
    t.wait(30).await;
    assert_eq!(t.claim_next(node).await, Some(later[0]));
}

/// A discarded job leaves its line, unless it is to halt it; then it is found, and no pruner deletes it.
pub async fn case_14_3_a_discarded_job_leaves_its_line_or_halts_it(t: &Harness) {
    if !t.knows_lines() {
        return;
    }
    let node = t.join().await;
    let skipped = t.line(&[in_line("s"), in_line("s")]).await;
    let head = t.claim_line(node, 9).await.remove(0);
    assert!(t.settle(&head, Outcome::discard(failure("no"))).await);
    let next = t.claim_line(node, 9).await.remove(0);
    assert_eq!((head.id, next.id), (skipped[0], skipped[1]));
    assert!(t.settle(&next, COMPLETE).await);
    let (head, rest) = t.halted(node).await;
    t.wait(100).await;
    for rule in [PruneRule::MaxAge(TimeDelta::seconds(1)), PruneRule::MaxLength(0)] {
        let spec = PruneSpec::new(JobStatus::Discarded, rule, PruneScope::All);
        t.backend.prune(&spec, 100).await.expect("pruning works");
    }
    assert_eq!(ids(&t.query(Filter::StatusIn(vec![JobStatus::Discarded])).await), [head], "the other one is gone");
    let nothing = claim_in_order(&*t.backend, node, 9).await;
    assert!(nothing.jobs.is_empty(), "the line halts: {nothing:?}");
    assert!(nothing.held.iter().all(|held| held.again_in >= Some(Duration::from_secs(10))), "it is not asked often");
    t.backend.rerun(&"mail".into(), head).await.expect("a discarded job can be rerun");
    let head = t.claim_line(node, 9).await.remove(0);
    assert!(t.settle(&head, COMPLETE).await);
    assert_eq!((t.claim_next(node).await, t.halting_lines().await), (Some(rest[0]), vec![]));
}

/// A job that halts its line is cancelled, and then does so no more.
pub async fn case_14_3_cancelling_the_head_lets_its_line_go_on(t: &Harness) {
    if !t.knows_lines() {
        return;
    }
    let node = t.join().await;
    let (head, rest) = t.halted(node).await;
    t.backend.cancel(&"mail".into(), head, "given up".to_owned()).await.expect("it halts its line");
    let row = t.row(head).await;
    assert_eq!((row.status, row.extras.cancel_reason.as_deref()), (JobStatus::Cancelled, Some("given up")));
    assert_eq!((row.errors.len(), row.cancelled_at, row.discarded_at), (1, Some(t.now()), None));
    assert_eq!(t.claim_next(node).await, Some(rest[0]));
    t.backend.cancel(&"mail".into(), head, "again".to_owned()).await.expect_err("it is cancelled");
    // One that waits is cancelled as ever.
    let waiting = t.line(&[in_line("w").with_due(later(99)), in_line("w")]).await;
    assert_eq!(t.claim_next(node).await, None);
    t.backend.cancel(&"mail".into(), waiting[0], "why".to_owned()).await.expect("it waits");
    assert_eq!(t.claim_next(node).await, Some(waiting[1]));
}

/// A job that halts its line is released: it stays discarded, and those behind it start.
pub async fn case_14_3_releasing_the_head_lets_its_line_go_on(t: &Harness) {
    if !t.knows_lines() {
        return;
    }
    let node = t.join().await;
    let (head, rest) = t.halted(node).await;
    t.backend.release(&"mail".into(), head).await.expect("it halts its line");
    assert_eq!((t.row(head).await.status, t.halting_lines().await), (JobStatus::Discarded, vec![]));
    assert_eq!(t.claim_next(node).await, Some(rest[0]));
    let spec = PruneSpec::new(JobStatus::Discarded, PruneRule::MaxLength(0), PruneScope::All);
    assert_eq!(t.backend.prune(&spec, 100).await.expect("pruning works"), 1);
    t.backend.release(&"mail".into(), rest[0]).await.expect_err("it runs");
}

/// A job that halts its line is deleted by hand: those behind it start.
pub async fn deleting_the_head_lets_its_line_go_on(t: &Harness) {
    if !t.knows_lines() {
        return;
    }
    let node = t.join().await;
    let (head, rest) = t.halted(node).await;
    t.backend.delete(&"mail".into(), head).await.expect("it is discarded");
    assert_eq!((t.find(head).await, t.halting_lines().await), (None, vec![]));
    assert_eq!(t.claim_next(node).await, Some(rest[0]));
}

/// A job that is rerun, or comes with a lower number than one that runs, never runs beside it, and goes before the others.
pub async fn case_14_3_a_rerun_goes_first_and_never_beside_another(t: &Harness) {
    if !t.knows_lines() {
        return;
    }
    let node = t.join().await;
    let jobs = t.line(&[in_line("a"), in_line("a"), in_line("a")]).await;
    let first = t.claim_line(node, 9).await.remove(0);
    assert!(t.settle(&first, COMPLETE).await);
    let second = t.claim_line(node, 9).await.remove(0);
    t.backend.rerun(&"mail".into(), jobs[0]).await.expect("a complete job can be rerun");
    assert_eq!(t.claim_next(node).await, None, "the second one runs");
    assert!(t.settle(&second, COMPLETE).await);
    assert_eq!(t.claim_next(node).await, Some(jobs[0]));
    // A job that moves into the line goes to its place, too.
    let moved = t.row(jobs[2]).await;
    let mut change = JobChange::of(&moved);
    change.group_key = Some("b".to_owned());
    t.backend.update(&"mail".into(), jobs[2], change).await.expect("a job that waits can be updated");
    assert_eq!(t.claim_next(node).await, Some(jobs[2]), "nothing of `b` runs");
}

/// The order that any member declares holds for all, and ends with the membership; what ran before is not run beside.
pub async fn case_14_3_the_order_holds_for_nodes_that_declare_none(t: &Harness) {
    if !t.knows_lines() {
        return;
    }
    let (old, new) = (t.join().await, t.join().await);
    let jobs = t.line(&[in_line("a"), in_line("a"), in_line("a"), in_line("a"), in_line("a")]).await;
    let before = t.claim(old, "mail", 2).await;
    assert_eq!(ids(&before), jobs[..2], "nobody has declared anything");
    assert_eq!(t.claim_next(new).await, None);
    assert_eq!(t.claim(old, "mail", 9).await, []);
    assert!(t.settle(&before[1], COMPLETE).await);
    assert_eq!(t.claim(old, "mail", 9).await, [], "the first one still runs");
    assert!(t.settle(&before[0], COMPLETE).await);
    assert_eq!(ids(&t.claim(old, "mail", 9).await), [jobs[2]]);
    t.backend.leave(new).await.expect("a node can leave");
    assert_eq!(ids(&t.claim(old, "mail", 9).await), jobs[3..], "no member declares an order any more");
}

/// Jobs from before their executor was ordered go first: one at a time of each key, and without limit where they have none.
pub async fn case_14_3_jobs_from_before_the_order_run_one_at_a_time_of_each_key(t: &Harness) {
    if !t.knows_lines() {
        return;
    }
    let node = t.join().await;
    let keyed = || job("mail").with_group_key("a".to_owned());
    let jobs = t.line(&[in_line("a"), keyed(), keyed(), job("mail"), job("mail"), keyed().with_due(later(9))]).await;
    let mut first = t.claim_line(node, 9).await;
    first.sort_by_key(|row| row.id);
    assert_eq!(ids(&first), [jobs[1], jobs[3], jobs[4]]);
    assert_eq!(t.claim_next(node).await, None);
    assert!(t.settle(&first[0], COMPLETE).await);
    let second = t.claim_line(node, 9).await.remove(0);
    assert!(t.settle(&second, COMPLETE).await);
    let third = t.claim_line(node, 9).await.remove(0);
    assert_eq!((second.id, third.id), (jobs[2], jobs[0]));
    t.wait(9).await;
    assert_eq!(t.claim_next(node).await, None, "one of its key runs");
    assert!(t.settle(&third, COMPLETE).await);
    assert_eq!(t.claim_next(node).await, Some(jobs[5]));
}

/// The run of a node that died keeps its line until it is rescued, and is the next to run then.
pub async fn trap_14_the_run_of_a_dead_node_keeps_its_line(t: &Harness) {
    if !t.knows_lines() {
        return;
    }
    let jobs = t.line(&[in_line("a"), in_line("a")]).await;
    let (dying, alive) = (t.join().await, t.join().await);
    assert_eq!(t.claim_next(dying).await, Some(jobs[0]));
    assert_eq!(t.claim_next(alive).await, None);
    assert_eq!(t.declare_dead(&[dying]).await, 1);
    assert_eq!(t.claim_next(alive).await, Some(jobs[0]));
    assert_eq!(t.claim_next(alive).await, None);
}
