//! Which executors may be given how many jobs: limits, and a fair share of what is free.
//!
//! Every claimed job waits in its executor's queue until it is started, most of them for no time at all.
//!
//! # Invariants
//!
//! - An executor never runs more jobs than its limit, and all of them together never more than the node's.
//! - A busy executor leaves a slot for each of the others, so that a job of theirs can start at once; together no more than a
//!   tenth of the slots. All other slots of idle executors are lent: whoever runs the fewest jobs gets the next one.
//! - For an executor with a limit of its own, or of the cluster's, nothing is claimed that could not be started at once: such
//!   jobs are meant to run in order, or one at a time, wherever there is room. Nor for one whose jobs have a single attempt,
//!   which a node that dies would use up before they have begun.
//! - Nothing is claimed while what was claimed and has not ended has as many bytes as the node may hold; and what is claimed
//!   has no more than are left, but for the last job of each executor.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use super::runner::Runner;
use crate::model::{Demand, ExecutorName, Held, JobId, JobRow, Lease, Limit};

/// One slot in so many is kept for executors that are idle, if there are enough of these.
const KEPT: usize = 10;

/// One executor on this node.
struct Queue {
    runner: Runner,
    limit: Option<usize>,
    running: usize,
    /// What was claimed and is not started yet, with when the claim was answered.
    waiting: VecDeque<(JobRow, Duration)>,
    /// Whether it may have due jobs: it was woken for, or had as many as were asked for.
    is_ready: bool,
    /// Whether it is asked for in the claim under way.
    is_asked: bool,
    /// Whether a limit of the cluster kept due jobs of it back, when it was asked for last, and when to ask again.
    held: Option<Look>,
    /// Whether a run of it has ended that may have kept them back.
    has_freed: bool,
    /// How many bytes its jobs have of late, each.
    bytes_each: usize,
}

/// How long the node waits before it looks whether runs of other nodes have ended that keep its jobs back: a quarter of the time for
/// which they have, and between these. The ends of its own it knows.
const MIN_LOOK: Duration = Duration::from_millis(100);
const MAX_LOOK: Duration = Duration::from_secs(1);

/// When to ask again for what was kept back, in the time that nobody can set.
#[derive(Clone, Copy)]
struct Look {
    at: Duration,
    /// Since when nothing of it could be claimed.
    since: Duration,
    /// Whether what runs kept it back.
    is_full: bool,
}

impl Queue {
    fn may_be_claimed_ahead(&self) -> bool {
        // What is held is held by a limit, which somebody may have set who is not its program.
        let is_limited = self.limit.is_some() || self.runner.cluster.is_some() || self.held.is_some();
        !is_limited && self.runner.max_attempts > 1
    }

    /// How many of those that wait its own limit, and what it must leave to the others, let start.
    fn can_start(&self, most_each: usize) -> usize {
        let most = self.limit.map_or(most_each, |limit| limit.min(most_each));
        most.saturating_sub(self.running).min(self.waiting.len())
    }
}

/// The executors of this node.
pub(super) struct Queues {
    queues: BTreeMap<ExecutorName, Queue>,
    max_running: usize,
    /// How many bytes what was claimed may have.
    max_held: usize,
    /// How many it has.
    held: usize,
}

impl Queues {
    pub(super) fn new(max_running: usize, max_held: usize) -> Self {
        Self { queues: BTreeMap::new(), max_running, max_held, held: 0 }
    }

    pub(super) fn add(&mut self, runner: Runner) {
        let limit = runner.max_concurrency;
        let queue = Queue {
            runner,
            limit,
            running: 0,
            waiting: VecDeque::new(),
            is_ready: true,
            is_asked: false,
            held: None,
            has_freed: false,
            bytes_each: 0,
        };
        self.queues.entry(ExecutorName::from(queue.runner.name)).or_insert(queue);
    }

    pub(super) fn runner(&self, executor: &str) -> Option<&Runner> {
        self.queues.get(executor).map(|queue| &queue.runner)
    }

    pub(super) fn ready(&mut self, executor: &ExecutorName) {
        if let Some(queue) = self.queues.get_mut(executor) {
            queue.is_ready = true;
        }
    }

    pub(super) fn all_ready(&mut self) {
        self.queues.values_mut().for_each(|queue| queue.is_ready = true);
    }

    /// Whether any may have due jobs.
    pub(super) fn any_ready(&self) -> bool {
        self.queues.values().any(|queue| queue.is_ready)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queues.is_empty()
    }

    /// Takes in a claimed job; gives it back if there is no such executor here.
    pub(super) fn put(&mut self, row: JobRow, now: Duration) -> Option<JobRow> {
        match self.queues.get_mut(row.executor.as_str()) {
            Some(queue) => {
                let bytes = row.content_bytes();
                self.held = self.held.saturating_add(bytes);
                queue.bytes_each = queue.bytes_each / 8 * 7 + bytes / 8;
                queue.waiting.push_back((row, now));
                None
            }
            None => Some(row),
        }
    }

    pub(super) fn ended(&mut self, row: &JobRow) {
        if let Some(queue) = self.queues.get_mut(row.executor.as_str()) {
            queue.running = queue.running.saturating_sub(1);
            let is_full = queue.held.is_some_and(|look| look.is_full);
            queue.has_freed |= is_full || (queue.is_asked && queue.runner.cluster.counts_runs());
            self.held = self.held.saturating_sub(row.content_bytes());
            let shared = queue.runner.cluster.shared;
            self.freed_of(shared);
        }
    }

    /// A run has ended that counted for these shared limits: the others that share them have their turn, too.
    fn freed_of(&mut self, shared: &[&Limit]) {
        let shares = |queue: &Queue| {
            let own = queue.runner.cluster.shared;
            own.iter().any(|own| shared.iter().any(|limit| own.name() == limit.name() && own.max_running().is_some()))
        };
        if shared.is_empty() {
            return;
        }
        for queue in self.queues.values_mut().filter(|queue| shares(queue)) {
            queue.has_freed |= queue.is_asked || queue.held.is_some_and(|look| look.is_full);
        }
    }

    /// The claim under way has been answered: it gave these jobs, and due jobs of `held` were kept back by limits of the cluster.
    pub(super) fn answered(&mut self, demands: &[Demand], jobs: &[JobRow], held: &[Held], now: Duration) {
        for demand in demands {
            let Some(queue) = self.queues.get_mut(&demand.executor) else { continue };
            queue.is_asked = false;
            let known = queue.held.take();
            let Some(held) = held.iter().find(|held| held.executor == demand.executor) else { continue };
            let has_jobs = jobs.iter().any(|job| job.executor == demand.executor);
            let since = known.filter(|_| !has_jobs).map_or(now, |look| look.since);
            let look = (now.saturating_sub(since) / 4).clamp(MIN_LOOK, MAX_LOOK);
            let at = now.saturating_add(held.again_in.unwrap_or(look));
            queue.held = Some(Look { at, since, is_full: held.again_in.is_none() });
        }
    }

    /// When to ask again for what was kept back, at the earliest.
    pub(super) fn next_look(&self) -> Option<Duration> {
        self.queues.values().filter_map(|queue| Some(queue.held?.at)).min()
    }

    /// Outcomes were stored, all of them or some: those whose runs have ended may have jobs that were kept back.
    pub(super) fn settled(&mut self, all: bool) {
        for queue in self.queues.values_mut().filter(|queue| queue.has_freed) {
            queue.is_ready = true;
            queue.has_freed = !all;
        }
    }

    /// What was kept back may be there to be claimed by now.
    pub(super) fn held_ready(&mut self, now: Duration) {
        for queue in self.queues.values_mut().filter(|queue| queue.held.is_some_and(|look| look.at <= now)) {
            queue.is_ready = true;
        }
    }

    /// What to claim now, at most `most`: the free slots, and `ahead` more, shared among the executors that may have
    /// jobs. They count as not ready from here on; whoever is woken for meanwhile, or had all that was asked for, becomes
    /// ready again.
    pub(super) fn take_demands(&mut self, most: usize, ahead: usize) -> Vec<Demand> {
        // What is held ends by itself, and then the next is asked for.
        if !self.any_ready() || self.held >= self.max_held {
            return Vec::new();
        }
        let (taken, beyond) = (self.running() + self.waiting(), self.beyond());
        // Half of it at least: to claim few jobs takes nearly as long as to claim many.
        let ahead = if beyond * 2 <= ahead { ahead } else { beyond };
        let free = self.max_running.saturating_add(ahead).saturating_sub(taken).min(most);
        let most_each = self.most_each();
        let room = |queue: &Queue| {
            let most = match queue.may_be_claimed_ahead() {
                true => most_each.saturating_add(ahead),
                false => queue.limit.map_or(most_each, |limit| limit.min(most_each)),
            };
            most.saturating_sub(queue.running + queue.waiting.len())
        };
        let left = self.max_held - self.held;
        let ready = self.queues.iter_mut().filter(|(_, queue)| queue.is_ready);
        let shares = share(ready, free, room);
        let bytes = (left / shares.len().max(1)).max(1);
        let demand = |(executor, queue, share): (&ExecutorName, &mut Queue, usize)| {
            (queue.is_ready, queue.is_asked) = (false, true);
            // Rows are locked, and some read, that would be beyond the bytes: as few as can be told.
            let most =
                bytes.checked_div(queue.bytes_each).map_or(share, |most| most.saturating_mul(2).saturating_add(1));
            let demand = Demand::new(executor.clone(), share.min(most)).with_max_bytes(bytes);
            demand.with_cluster_limits(queue.runner.cluster)
        };
        shares.into_iter().map(demand).collect()
    }

    /// Takes out what can be started now; it counts as running.
    pub(super) fn take_jobs(&mut self) -> Vec<JobRow> {
        let mut jobs = Vec::new();
        loop {
            let free = self.max_running.saturating_sub(self.running());
            let most_each = self.most_each();
            let shares = share(self.queues.iter_mut(), free, |queue| queue.can_start(most_each));
            // What one has no use for is left to the others, who are asked again.
            if shares.is_empty() {
                return jobs;
            }
            for (_, queue, share) in shares {
                queue.running += share;
                jobs.extend(queue.waiting.drain(..share).map(|(row, _)| row));
            }
        }
    }

    /// Takes out what waits and is to be given back.
    pub(super) fn take_waiting(&mut self, is_meant: impl Fn(&JobRow, Duration) -> bool) -> Vec<JobRow> {
        let mut taken = Vec::new();
        for queue in self.queues.values_mut() {
            let waiting = std::mem::take(&mut queue.waiting).into_iter();
            let (meant, others): (VecDeque<_>, _) = waiting.partition(|(row, at)| is_meant(row, *at));
            queue.waiting = others;
            taken.extend(meant.into_iter().map(|(row, _)| row));
        }
        let bytes: usize = taken.iter().map(JobRow::content_bytes).sum();
        self.held = self.held.saturating_sub(bytes);
        taken
    }

    /// What was claimed and is not started.
    pub(super) fn waiting_runs(&self) -> BTreeSet<(JobId, Lease)> {
        self.queues.values().flat_map(|queue| &queue.waiting).map(|(row, _)| (row.id, row.lease)).collect()
    }

    /// Whether any of these jobs was claimed and is not started.
    pub(super) fn has_waiting(&self, jobs: &BTreeSet<JobId>) -> bool {
        self.queues.values().flat_map(|queue| &queue.waiting).any(|(row, _)| jobs.contains(&row.id))
    }

    /// How many of those that wait there is no slot for.
    fn beyond(&self) -> usize {
        let most_each = self.most_each();
        let of_queues: usize = self.queues.values().map(|queue| queue.waiting.len() - queue.can_start(most_each)).sum();
        of_queues.max((self.running() + self.waiting()).saturating_sub(self.max_running))
    }

    /// How many jobs were claimed and are not started.
    pub(super) fn waiting(&self) -> usize {
        self.queues.values().map(|queue| queue.waiting.len()).sum()
    }

    fn running(&self) -> usize {
        self.queues.values().map(|queue| queue.running).sum()
    }

    /// All slots but those that are kept for the others, so that one executor cannot take everything.
    fn most_each(&self) -> usize {
        let others = self.queues.len().saturating_sub(1);
        let kept = others.min(self.max_running.div_ceil(KEPT));
        self.max_running.saturating_sub(kept).max(1)
    }

    /// The runners' names, for logs.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.queues.keys().map(ExecutorName::as_str)
    }
}

/// Shares what is free among the queues that have room, alike; those that run the fewest jobs come first.
fn share<'l>(
    queues: impl Iterator<Item = (&'l ExecutorName, &'l mut Queue)>,
    mut free: usize,
    room: impl Fn(&Queue) -> usize,
) -> Vec<(&'l ExecutorName, &'l mut Queue, usize)> {
    let with_room = queues.map(|(executor, queue)| (room(queue), executor, queue)).filter(|(room, ..)| *room > 0);
    let mut queues: Vec<_> = with_room.collect();
    queues.sort_by_key(|(_, _, queue)| queue.running);
    let mut waiting = queues.len();
    let share = |(room, executor, queue): (usize, &'l ExecutorName, &'l mut Queue)| {
        let share = room.min(free.div_ceil(waiting));
        (free, waiting) = (free - share, waiting - 1);
        (executor, queue, share)
    };
    queues.into_iter().map(share).filter(|(.., share)| *share > 0).collect()
}
