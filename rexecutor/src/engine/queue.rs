//! One executor of a node: what was claimed for it, and what it may be given.

use std::{collections::VecDeque, time::Duration};

use super::runner::Runner;
use crate::model::JobRow;

/// One executor on this node.
pub(super) struct Queue {
    pub(super) runner: Runner,
    /// How many of its jobs the node may run at once, by its own limit.
    pub(super) limit: Option<usize>,
    pub(super) running: usize,
    /// What was claimed and is not started yet, with when the claim was answered.
    pub(super) waiting: VecDeque<(JobRow, Duration)>,
    /// Where it stands among those of which a job can start, if it does.
    pub(super) rank: Option<Rank>,
    /// Whether it may stand elsewhere by now.
    pub(super) is_stale: bool,
    /// When it was last given something, as a number that rises: of those that run as many jobs, it comes first that has
    /// waited for the longest.
    pub(super) served: u64,
    /// Whether it is asked for in the claim under way.
    pub(super) is_asked: bool,
    /// Whether a limit of the cluster kept due jobs of it back, when it was asked for last, and when to ask again.
    pub(super) held: Option<Look>,
    /// How many bytes its jobs have of late, each.
    pub(super) bytes_each: usize,
}

/// How many jobs of an executor run, when it was last given one, and its number: the least is the next to start one.
pub(super) type Rank = (usize, u64, usize);

/// How long the node waits before it looks whether runs of other nodes have ended that keep its jobs back: a quarter of the time for
/// which they have, and between these. The ends of its own it knows.
const MIN_LOOK: Duration = Duration::from_millis(100);
const MAX_LOOK: Duration = Duration::from_secs(1);

/// When to ask again for what was kept back, in the time that nobody can set.
#[derive(Clone, Copy)]
pub(super) struct Look {
    pub(super) at: Duration,
    /// Since when nothing of it could be claimed.
    since: Duration,
    /// Whether what runs kept it back.
    pub(super) is_full: bool,
}

impl Look {
    /// Jobs were kept back again, after `known`; the backend may have said for how long.
    pub(super) fn after(known: Option<Self>, now: Duration, again_in: Option<Duration>) -> Self {
        let since = known.map_or(now, |look| look.since);
        let look = (now.saturating_sub(since) / 4).clamp(MIN_LOOK, MAX_LOOK);
        Self { at: now.saturating_add(again_in.unwrap_or(look)), since, is_full: again_in.is_none() }
    }
}

impl Queue {
    pub(super) fn new(runner: Runner) -> Self {
        Self {
            limit: runner.max_concurrency,
            runner,
            running: 0,
            waiting: VecDeque::new(),
            rank: None,
            is_stale: false,
            served: 0,
            is_asked: false,
            held: None,
            bytes_each: 0,
        }
    }

    /// Not where the node has a limit of its own: what waits for that would keep slots of other executors empty.
    pub(super) fn may_be_claimed_ahead(&self) -> bool {
        self.limit.is_none() && self.runner.max_attempts > 1
    }

    /// How many of those that wait its own limit, and what it must leave to the others, let start.
    pub(super) fn can_start(&self, most_each: usize) -> usize {
        let most = self.limit.map_or(most_each, |limit| limit.min(most_each));
        most.saturating_sub(self.running).min(self.waiting.len())
    }
}
