//! Which executors may be given how many jobs: limits, and a fair share of what is free.
//!
//! Every claimed job waits in its executor's queue until it is started, most of them for no time at all.
//!
//! # Invariants
//!
//! - An executor never runs more jobs than its limit, and all of them together never more than the node's.
//! - A busy executor leaves a slot for each of the others, so that a job of theirs can start at once; together no more than a
//!   tenth of the slots. All other slots of idle executors are lent: whoever runs the fewest jobs gets the next one, and of those
//!   that run as few, whoever was given nothing for the longest.
//! - For an executor with a limit of its own, or of the cluster's, nothing is claimed that could not be started at once: such
//!   jobs are meant to run in order, or one at a time, wherever there is room. Nor for one whose jobs have a single attempt,
//!   which a node that dies would use up before they have begun.
//! - Nothing is claimed while what was claimed and has not ended has as many bytes as the node may hold; and what is claimed
//!   has no more than are left, but for the last job of each executor.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use super::{
    queue::{Look, Queue, Rank},
    runner::Runner,
};
use crate::model::{Demand, ExecutorName, Held, JobId, JobRow, Lease, Limit};

/// One slot in so many is kept for executors that are idle, if there are enough of these.
const KEPT: usize = 10;

/// The executors of this node.
///
/// The node comes here for every job that starts or ends, so nothing that happens for each of them looks at all executors.
pub(super) struct Queues {
    /// In the order in which they came; each keeps its number.
    queues: Vec<Queue>,
    numbers: BTreeMap<ExecutorName, usize>,
    /// Those that may have due jobs: they were woken for, or had as many as were asked for.
    ready: BTreeSet<usize>,
    /// Those of which a job can start, but for what has become stale.
    startable: BTreeSet<Rank>,
    /// Those that may not be where they belong among these: a batch of jobs moves an executor once.
    stale: Vec<usize>,
    /// Those of which a limit of the cluster kept due jobs back.
    held_back: BTreeSet<usize>,
    /// Those of which a run has ended that may have kept jobs back.
    freed: BTreeSet<usize>,
    running: usize,
    waiting: usize,
    /// How often an executor was given something.
    served: u64,
    max_running: usize,
    /// How many bytes what was claimed may have.
    max_held: usize,
    /// How many it has.
    held: usize,
}

impl Queues {
    pub(super) fn new(max_running: usize, max_held: usize) -> Self {
        Self {
            queues: Vec::new(),
            numbers: BTreeMap::new(),
            ready: BTreeSet::new(),
            startable: BTreeSet::new(),
            stale: Vec::new(),
            held_back: BTreeSet::new(),
            freed: BTreeSet::new(),
            running: 0,
            waiting: 0,
            served: 0,
            max_running,
            max_held,
            held: 0,
        }
    }

    pub(super) fn add(&mut self, runner: Runner) {
        let name = ExecutorName::from(runner.name);
        if self.numbers.contains_key(&name) {
            return;
        }
        let number = self.queues.len();
        self.numbers.insert(name, number);
        self.queues.push(Queue::new(runner));
        self.ready.insert(number);
        // There is one more for which slots are kept.
        (0..=number).for_each(|number| self.moved(number));
    }

    pub(super) fn runner(&self, executor: &str) -> Option<&Runner> {
        self.numbers.get(executor).map(|number| &self.queues[*number].runner)
    }

    pub(super) fn ready(&mut self, executor: &ExecutorName) {
        self.ready.extend(self.numbers.get(executor));
    }

    pub(super) fn all_ready(&mut self) {
        self.ready = (0..self.queues.len()).collect();
    }

    /// Whether any may have due jobs.
    pub(super) fn any_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queues.is_empty()
    }

    /// Takes in a claimed job; gives it back if there is no such executor here.
    pub(super) fn put(&mut self, row: JobRow, now: Duration) -> Option<JobRow> {
        let Some(number) = self.numbers.get(row.executor.as_str()).copied() else { return Some(row) };
        let (queue, bytes) = (&mut self.queues[number], row.content_bytes());
        self.held = self.held.saturating_add(bytes);
        queue.bytes_each = queue.bytes_each / 8 * 7 + bytes / 8;
        queue.waiting.push_back((row, now));
        self.waiting += 1;
        self.moved(number);
        None
    }

    /// A run of this job has ended; returns its runner.
    pub(super) fn ended(&mut self, row: &JobRow) -> Option<&Runner> {
        let number = *self.numbers.get(row.executor.as_str())?;
        let queue = &mut self.queues[number];
        self.running -= queue.running.min(1);
        queue.running = queue.running.saturating_sub(1);
        let is_full = queue.held.is_some_and(|look| look.is_full);
        if is_full || (queue.is_asked && queue.runner.cluster.counts_runs()) {
            self.freed.insert(number);
        }
        self.held = self.held.saturating_sub(row.content_bytes());
        let shared = queue.runner.cluster.shared;
        self.moved(number);
        self.freed_of(shared);
        self.queues.get(number).map(|queue| &queue.runner)
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
        let waits = |queue: &Queue| queue.is_asked || queue.held.is_some_and(|look| look.is_full);
        let others = self.queues.iter().enumerate().filter(|(_, queue)| shares(queue) && waits(queue));
        self.freed.extend(others.map(|(number, _)| number));
    }

    /// The claim under way has been answered: it gave these jobs, and due jobs of `held` were kept back by limits of the cluster.
    pub(super) fn answered(&mut self, demands: &[Demand], jobs: &[JobRow], held: &[Held], now: Duration) {
        for demand in demands {
            let Some(number) = self.numbers.get(&demand.executor).copied() else { continue };
            let queue = &mut self.queues[number];
            queue.is_asked = false;
            let known = queue.held.take();
            self.held_back.remove(&number);
            let Some(held) = held.iter().find(|held| held.executor == demand.executor) else { continue };
            let has_jobs = jobs.iter().any(|job| job.executor == demand.executor);
            queue.held = Some(Look::after(known.filter(|_| !has_jobs), now, held.again_in));
            self.held_back.insert(number);
        }
    }

    /// When to ask again for what was kept back, at the earliest.
    pub(super) fn next_look(&self) -> Option<Duration> {
        self.held_back.iter().filter_map(|number| Some(self.queues[*number].held?.at)).min()
    }

    /// Outcomes were stored, all of them or some: those whose runs have ended may have jobs that were kept back.
    pub(super) fn settled(&mut self, all: bool) {
        self.ready.extend(&self.freed);
        if all {
            self.freed.clear();
        }
    }

    /// What was kept back may be there to be claimed by now.
    pub(super) fn held_ready(&mut self, now: Duration) {
        let is_due = |number: &&usize| self.queues[**number].held.is_some_and(|look| look.at <= now);
        self.ready.extend(self.held_back.iter().filter(is_due));
    }

    /// What to claim now, at most `most`: the free slots, and `ahead` more, shared among the executors that may have
    /// jobs. They count as not ready from here on; whoever is woken for meanwhile, or had all that was asked for, becomes
    /// ready again.
    pub(super) fn take_demands(&mut self, most: usize, ahead: usize) -> Vec<Demand> {
        let (taken, slots) = (self.running + self.waiting, self.max_running.saturating_add(ahead));
        // What is held ends by itself, and then the next is asked for.
        if !self.any_ready() || taken >= slots || self.held >= self.max_held {
            return Vec::new();
        }
        self.rank_moved();
        let beyond = self.beyond();
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
        let shares = self.share(free, room);
        let bytes = ((self.max_held - self.held) / shares.len().max(1)).max(1);
        let demand = |(number, share): (usize, usize)| {
            self.ready.remove(&number);
            self.served += 1;
            let queue = &mut self.queues[number];
            (queue.is_asked, queue.served) = (true, self.served);
            // Rows are locked, and some read, that would be beyond the bytes: as few as can be told.
            let most =
                bytes.checked_div(queue.bytes_each).map_or(share, |most| most.saturating_mul(2).saturating_add(1));
            let demand = Demand::new(ExecutorName::from(queue.runner.name), share.min(most)).with_max_bytes(bytes);
            let demand = demand.with_cluster_limits(queue.runner.cluster);
            self.moved(number);
            demand
        };
        shares.into_iter().map(demand).collect()
    }

    /// Shares what is free among the ready ones that have room, alike.
    fn share(&self, mut free: usize, room: impl Fn(&Queue) -> usize) -> Vec<(usize, usize)> {
        let with_room = self.ready.iter().map(|number| (room(&self.queues[*number]), *number));
        let mut numbers: Vec<(usize, usize)> = with_room.filter(|(room, _)| *room > 0).collect();
        numbers
            .sort_unstable_by_key(|(_, number)| (self.queues[*number].running, self.queues[*number].served, *number));
        let mut left = numbers.len();
        let share = |(room, number): (usize, usize)| {
            let share = room.min(free.div_ceil(left));
            (free, left) = (free - share, left - 1);
            (number, share)
        };
        numbers.into_iter().map(share).filter(|(_, share)| *share > 0).collect()
    }

    /// Takes out what can be started now; it counts as running.
    pub(super) fn take_jobs(&mut self) -> Vec<JobRow> {
        let mut jobs = Vec::new();
        self.rank_moved();
        while self.running < self.max_running
            && let Some((running, _, number)) = self.startable.first().copied()
        {
            // As many as another runs that comes next, and one more; all that may start, if there is no other.
            let next = self.startable.iter().nth(1).map_or(usize::MAX, |(next, ..)| next - running + 1);
            let most_each = self.most_each();
            let queue = &mut self.queues[number];
            let count = queue.can_start(most_each).min(next).min(self.max_running - self.running);
            jobs.extend(queue.waiting.drain(..count).map(|(row, _)| row));
            self.served += 1;
            (queue.running, queue.served) = (running + count, self.served);
            (self.running, self.waiting) = (self.running + count, self.waiting - count);
            self.rank(number);
        }
        jobs
    }

    /// How many jobs of it can start may have changed.
    fn moved(&mut self, number: usize) {
        if !std::mem::replace(&mut self.queues[number].is_stale, true) {
            self.stale.push(number);
        }
    }

    fn rank_moved(&mut self) {
        while let Some(number) = self.stale.pop() {
            self.queues[number].is_stale = false;
            self.rank(number);
        }
    }

    /// Puts an executor where it belongs among those of which a job can start.
    fn rank(&mut self, number: usize) {
        let most_each = self.most_each();
        let queue = &mut self.queues[number];
        let rank = (queue.can_start(most_each) > 0).then_some((queue.running, queue.served, number));
        if queue.rank != rank {
            if let Some(old) = std::mem::replace(&mut queue.rank, rank) {
                self.startable.remove(&old);
            }
            self.startable.extend(rank);
        }
    }

    /// Takes out what waits and is to be given back.
    pub(super) fn take_waiting(&mut self, is_meant: impl Fn(&JobRow, Duration) -> bool) -> Vec<JobRow> {
        let mut taken = Vec::new();
        for number in 0..self.queues.len() {
            let queue = &mut self.queues[number];
            let waiting = std::mem::take(&mut queue.waiting).into_iter();
            let (meant, others): (VecDeque<_>, _) = waiting.partition(|(row, at)| is_meant(row, *at));
            queue.waiting = others;
            self.waiting -= meant.len();
            taken.extend(meant.into_iter().map(|(row, _)| row));
            self.moved(number);
        }
        let bytes: usize = taken.iter().map(JobRow::content_bytes).sum();
        self.held = self.held.saturating_sub(bytes);
        taken
    }

    /// What was claimed and is not started.
    pub(super) fn waiting_runs(&self) -> BTreeSet<(JobId, Lease)> {
        self.queues.iter().flat_map(|queue| &queue.waiting).map(|(row, _)| (row.id, row.lease)).collect()
    }

    /// Whether any of these jobs was claimed and is not started.
    pub(super) fn has_waiting(&self, jobs: &BTreeSet<JobId>) -> bool {
        self.queues.iter().flat_map(|queue| &queue.waiting).any(|(row, _)| jobs.contains(&row.id))
    }

    /// How many of those that wait there is no slot for.
    fn beyond(&self) -> usize {
        let startable: usize =
            self.startable.iter().map(|(.., number)| self.queues[*number].can_start(self.most_each())).sum();
        (self.waiting - startable).max((self.running + self.waiting).saturating_sub(self.max_running))
    }

    /// How many jobs were claimed and are not started.
    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    /// All slots but those that are kept for the others, so that one executor cannot take everything.
    fn most_each(&self) -> usize {
        let others = self.queues.len().saturating_sub(1);
        let kept = others.min(self.max_running.div_ceil(KEPT));
        self.max_running.saturating_sub(kept).max(1)
    }

    /// The runners' names, for logs.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.numbers.keys().map(ExecutorName::as_str)
    }
}
