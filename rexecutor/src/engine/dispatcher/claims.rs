//! Claims: asking for jobs, for free slots and a little ahead, and giving back what comes to nothing.
//!
//! A job that was claimed ahead is hidden from other nodes, so it must not wait for long. It was expected to start within
//! the time of two claims; where the jobs before it turn out to be longer, it is given back, and no attempt is counted.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures::FutureExt;

use super::{claim::Claiming, phase::Phase, state::Dispatcher};
use crate::{
    engine::settlement_queue::MOST_WAITING,
    model::{Claimed, Demand, ExecutorName, JobId, JobRow, Lease, Outcome, Result, Settlement},
};

/// How many jobs one claim asks for at most.
pub(super) const CLAIM: usize = 1_000;

/// How many jobs are claimed ahead at most: one claim is worked off while another is fetched.
const AHEAD: usize = 2 * CLAIM;

/// How often the node looks for what was claimed ahead and has waited for as long.
const MAX_WAIT: Duration = Duration::from_millis(200);

impl Dispatcher {
    /// Begins a claim, if there is anything to ask for and nothing against it.
    pub(super) fn claim(&mut self) {
        let is_barred = self.claiming.is_some()
            || self.pause.is_some()
            || self.phase != Phase::Open
            || self.settlements.len() >= MOST_WAITING;
        let Some(node) = self.node.filter(|node| !is_barred && self.lost != Some(*node)) else { return };
        let began = self.environment.clock.elapsed();
        let ahead = self.prefetch.ahead(began, self.options.max_running).min(AHEAD);
        let demands: Arc<[Demand]> = self.queues.take_demands(CLAIM, ahead).into();
        if demands.is_empty() {
            return;
        }
        let (backend, asked) = (self.environment.backend.clone(), demands.clone());
        let answer = Box::pin(async move { backend.claim(node, asked).await });
        self.claiming = Some(Claiming { node, demands, began, answer });
    }

    /// Takes in the claims that have ended, and begins the next one; whether any has.
    ///
    /// What they gave is started afterwards: meanwhile the backend looks for more.
    pub(super) fn take_claims(&mut self, context: &mut Context<'_>) -> bool {
        let mut has_ended = false;
        self.claim();
        while let Some((claim, answer)) = self.answer(context) {
            self.claimed(claim, answer);
            self.claim();
            has_ended = true;
        }
        has_ended
    }

    /// The claim under way, if it has ended.
    fn answer(&mut self, context: &mut Context<'_>) -> Option<(Claiming, Result<Claimed>)> {
        match self.claiming.as_mut()?.answer.poll_unpin(context) {
            Poll::Ready(answer) => self.claiming.take().map(|claim| (claim, answer)),
            Poll::Pending => None,
        }
    }

    fn claimed(&mut self, Claiming { node, demands, began, .. }: Claiming, answer: Result<Claimed>) {
        let clock = &self.environment.clock;
        let (jobs, held) = answer.as_ref().map_or((&[][..], &[][..]), |claimed| (&claimed.jobs[..], &claimed.held[..]));
        self.queues.answered(&demands, jobs, held, clock.elapsed());
        let wait = self.queues.next_look().map(|at| at.saturating_sub(clock.elapsed()));
        self.held = wait.map(|wait| clock.sleep(wait));
        let claimed = match answer {
            Ok(claimed) => claimed,
            Err(error) => {
                self.pause = Some(self.outage.failed(&error));
                self.note_idle(false);
                demands.iter().for_each(|demand| self.queues.ready(&demand.executor));
                return;
            }
        };
        self.outage.is_over();
        if !claimed.member {
            self.lost = Some(node);
            self.note_idle(false);
            self.queues.all_ready();
            self.connections.check.notify_one();
            return;
        }
        if let Some(wait) = claimed.next_due_in {
            self.wake_in(wait);
        }
        self.note_filled(&demands, &claimed.jobs);
        self.note_idle(claimed.jobs.is_empty() && claimed.held.is_empty());
        let now = self.environment.clock.elapsed();
        self.prefetch.claimed(began, now);
        let is_ours = self.phase == Phase::Open && self.node == Some(node);
        for row in claimed.jobs {
            let refused = if is_ours { self.queues.put(row, now) } else { Some(row) };
            refused.iter().for_each(|row| self.give_back(row));
        }
    }

    /// Who got all that was asked for, or as many bytes, may have more.
    fn note_filled(&mut self, demands: &[Demand], jobs: &[JobRow]) {
        let mut left: BTreeMap<&ExecutorName, (usize, usize)> =
            demands.iter().map(|demand| (&demand.executor, (demand.limit, demand.max_bytes))).collect();
        for row in jobs {
            if let Some((jobs, bytes)) = left.get_mut(&row.executor) {
                *jobs = jobs.saturating_sub(1);
                *bytes = bytes.saturating_sub(row.content_bytes());
            }
        }
        let is_filled = |(jobs, bytes): &(usize, usize)| *jobs == 0 || *bytes == 0;
        left.iter().filter(|(_, left)| is_filled(left)).for_each(|(executor, _)| self.queues.ready(executor));
    }

    /// Starts what waits, as far as there are slots; whether that was anything.
    pub(super) fn start_jobs(&mut self) -> bool {
        let jobs = self.queues.take_jobs();
        let has_jobs = !jobs.is_empty();
        if has_jobs {
            self.prefetch.started(self.environment.clock.elapsed(), jobs.len());
            jobs.into_iter().for_each(|row| self.start(row));
        }
        if self.expiry.is_none() && self.queues.waiting() > 0 {
            self.expiry = Some(self.environment.clock.sleep(MAX_WAIT));
        }
        has_jobs
    }

    /// Gives back what has waited for too long.
    pub(super) fn expire_waiting(&mut self) {
        let now = self.environment.clock.elapsed();
        if self.give_back_waiting(|_, since| now.saturating_sub(since) >= MAX_WAIT) {
            self.prefetch.overshot();
        }
    }

    /// Gives back what waits and was asked to cancel: the backend cancels it then.
    pub(super) fn give_back_cancelled(&mut self, cancelled: &[(JobId, Lease)]) {
        if !cancelled.is_empty() {
            let cancelled: BTreeSet<_> = cancelled.iter().copied().collect();
            self.give_back_waiting(|row, _| cancelled.contains(&(row.id, row.lease)));
        }
    }

    /// Gives back what waits and is meant; whether that was anything.
    pub(super) fn give_back_waiting(&mut self, is_meant: impl Fn(&JobRow, Duration) -> bool) -> bool {
        let rows = self.queues.take_waiting(is_meant);
        rows.iter().for_each(|row| self.give_back(row));
        !rows.is_empty()
    }

    fn give_back(&mut self, row: &JobRow) {
        self.settlements.push(Settlement::new(row.id, row.lease, Outcome::GiveBack));
    }
}
