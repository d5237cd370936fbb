//! Which jobs a claim takes where keys are served in rotation.
//!
//! A backend walks over the keys that have due jobs, from behind the one that was served last and once around at most, and stops
//! when it has met as many keys with room as there are jobs to be claimed. Whoever wants to know why a job was taken, and which
//! key is next, finds it here.
//!
//! # Invariants
//!
//! - Of no key more jobs are taken than it has room for.
//! - No key is given a second job before each key that has a due job and room, of those that the walk has met, has one.
//! - What was taken last is what the next walk begins behind. So a key waits for one job of each other key at most, whatever
//!   waits in theirs.
//! - Where jobs of a key run in [order](Turns::InOrder), the only one that may be taken is the head of its line: the lowest
//!   number of those that stand in it. It is not taken while another job of its key runs, nor before it is due.
//! - Where each key has a [rate](Terms::key_rate), no more jobs of it are taken than its bucket has tokens.
//! - Where jobs [weigh](Terms::weighs), one that costs more tokens than there are keeps all behind it waiting: those of its key, or all.
//!   So small jobs do not starve large ones.

mod take;
mod terms;

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};

pub(super) use self::terms::cost;
pub use self::{
    take::{Turn, take},
    terms::{Budget, KeyBucket, KeyRate, Stopped, Terms},
};
use crate::model::{Demand, Held, JobId};

/// How many keys, or priorities of a key, a walk looks at, at most. Keys whose jobs are not due yet are met in vain.
pub const MAX_STEPS: usize = 1_000;

/// How many due jobs are looked at beside the walk, from the head of the executor's line: jobs without a key are found so, and
/// keys that stand behind many others whose jobs are not due yet.
pub const WINDOW: usize = 64;

/// After how long to go on with a walk that has met nothing to claim. It costs some milliseconds each time.
const AGAIN_IN: Duration = Duration::from_millis(100);

/// For how long a node rests where nothing but time, or somebody by hand, can let a line go on.
const MAX_REST: Duration = Duration::from_secs(60);

/// How the keys of an executor take turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Turns {
    /// So many jobs of a key may run at once.
    AtOnce(usize),
    /// The jobs of a key run one after another, in the order of their numbers.
    InOrder,
    /// They take none: jobs start in the order in which all others do, but for those that [rise](Terms::aging) as they wait.
    InQueue,
}

/// A due job that a walk has met.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Met {
    /// Its number.
    pub id: JobId,
    /// Its key, if it has one.
    pub key: Option<String>,
    /// How many more jobs of its key may run.
    pub room: usize,
    /// How many bytes its data and metadata have.
    pub bytes: usize,
    /// How many tokens it costs, at least 1.
    pub weight: u32,
}

impl Met {
    /// A due job.
    pub fn new(id: JobId, key: Option<String>, room: usize, bytes: usize) -> Self {
        Self { id, key, room, bytes, weight: 1 }
    }

    /// … that costs so many tokens.
    #[must_use]
    pub fn with_weight(self, weight: u32) -> Self {
        Self { weight: weight.max(1), ..self }
    }
}

/// What a walk has met.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Walk {
    /// Due jobs, in the order of the walk; those of one key, and those without one, each in the order in which they start.
    pub met: Vec<Met>,
    /// The last key that it has looked at, if that is where it stopped because it had looked at enough.
    pub stopped_at: Option<String>,
    /// Whether there may be more due jobs that could be claimed: it stopped before it had come round, or did not look at all
    /// jobs of a key.
    pub is_partial: bool,
    /// Whether nothing that runs keeps a key back that it has met: only time does, or a job that halts its line.
    pub is_idle: bool,
    /// After how long the first of the heads that it has met in vain becomes due, or its key has a token for it.
    pub next_in: Option<Duration>,
    /// What is kept of the rates of the keys that it has met, where anything is.
    pub keys: BTreeMap<String, KeyBucket>,
}

/// When the first of the heads that a walk has met in vain is due, or its key has tokens again.
pub fn next_at(walk: &Walk, terms: &Terms, turn: &Turn, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    // Where nothing but tokens keeps a job back, it is said with those that are kept back, if there are any.
    let spent = turn.next_in.filter(|_| terms.turns != Turns::AtOnce(usize::MAX));
    let next_in = walk.next_in.into_iter().chain(spent).min()?.max(terms.least_rest());
    now.checked_add_signed(TimeDelta::from_std(next_in).ok()?)
}

/// What a claim that has given so many jobs after this walk says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum After {
    /// Nothing: the node has what it asked for.
    Nothing,
    /// There may be more, for which the node should ask at once.
    Again,
    /// Its due jobs, if it has any, are kept back.
    Held(Held),
}

/// What a claim that has given so many jobs after this walk says.
pub fn after(walk: &Walk, demand: &Demand, terms: &Terms, turn: &Turn, claimed: usize) -> After {
    let again_in = walk.next_in.into_iter().chain(turn.next_in).min().map(|next| next.max(terms.least_rest()));
    match claimed {
        claimed if claimed >= demand.limit => After::Nothing,
        // What it was stopped by says when there is more.
        _ if turn.stopped.is_some() => After::Nothing,
        // It has met all that is due.
        _ if terms.turns == Turns::InQueue => After::Nothing,
        1.. if walk.is_partial => After::Again,
        // Nothing that runs keeps a key back, also not what was claimed just now.
        _ if terms.turns == Turns::AtOnce(usize::MAX) && !walk.is_partial => {
            After::Held(Held::new(demand.executor.clone(), Some(again_in.map_or(AGAIN_IN, |next| next.min(MAX_REST)))))
        }
        0 if walk.is_idle && !walk.is_partial => {
            let rest = again_in.map_or(MAX_REST, |next| next.min(MAX_REST));
            After::Held(Held::new(demand.executor.clone(), Some(rest)))
        }
        // Nothing that could be claimed was met, or not yet.
        _ => After::Held(Held::new(demand.executor.clone(), walk.is_partial.then_some(AGAIN_IN))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(met: &[(i64, &str, usize)]) -> Walk {
        let job = |(id, key, room): &(i64, &str, usize)| {
            Met::new(JobId::from(*id), Some((*key).to_owned()).filter(|key| !key.is_empty()), *room, 10)
        };
        Walk { met: met.iter().map(job).collect(), ..Walk::default() }
    }

    fn in_turn() -> Terms {
        Terms::new(Turns::AtOnce(9))
    }

    fn said(walk: &Walk, demand: &Demand, claimed: usize) -> After {
        after(walk, demand, &in_turn(), &Turn::default(), claimed)
    }

    fn taken(walk: &Walk, demand: &Demand) -> (Vec<i64>, Option<String>) {
        let turn = take(walk, demand, &in_turn(), DateTime::UNIX_EPOCH);
        (turn.jobs.iter().map(|(id, _)| id.as_i64()).collect(), turn.served)
    }

    #[test]
    fn every_key_has_one_job_before_one_has_two() {
        let walk = walk(&[(1, "a", 2), (2, "a", 2), (3, "a", 2), (4, "b", 9), (5, "c", 9), (6, "c", 9)]);
        let demand = |limit| Demand::new("mail", limit);
        let served = |key: &str| Some(key.to_owned());
        assert_eq!(taken(&walk, &demand(2)), (vec![1, 4], served("b")));
        assert_eq!(taken(&walk, &demand(3)), (vec![1, 4, 5], served("c")));
        assert_eq!(taken(&walk, &demand(4)), (vec![1, 4, 5, 2], served("a")), "the next one begins behind a");
        assert_eq!(taken(&walk, &demand(9)), (vec![1, 4, 5, 2, 6], served("c")), "a has room for two");
        assert_eq!(taken(&walk, &demand(9).with_max_bytes(11)), (vec![1, 4], served("b")), "the bytes are full");
    }

    #[test]
    fn what_has_no_key_shares_a_turn_and_a_long_walk_goes_on_where_it_stopped() {
        let mut walk = walk(&[(1, "", usize::MAX), (2, "", usize::MAX), (3, "a", 0), (4, "b", 1)]);
        let demand = Demand::new("mail", 3);
        assert_eq!(taken(&walk, &demand), (vec![1, 4, 2], Some("b".to_owned())));
        walk.stopped_at = Some("k".to_owned());
        assert_eq!(taken(&walk, &demand).1.as_deref(), Some("k"));
        assert_eq!(take(&Walk::default(), &demand, &in_turn(), DateTime::UNIX_EPOCH), Turn::default());
        let mail = demand.executor.clone();
        assert_eq!(said(&walk, &demand, 3), After::Nothing);
        assert_eq!(said(&walk, &demand, 0), After::Held(Held::new(mail.clone(), None)));
        walk.is_idle = true;
        assert_eq!(said(&walk, &demand, 0), After::Held(Held::new(mail.clone(), Some(MAX_REST))));
        walk.next_in = Some(AGAIN_IN / 2);
        assert_eq!(said(&walk, &demand, 0), After::Held(Held::new(mail.clone(), walk.next_in)));
        walk.is_partial = true;
        assert_eq!(said(&walk, &demand, 1), After::Again);
        assert_eq!(said(&walk, &demand, 0), After::Held(Held::new(mail, Some(AGAIN_IN))));
    }
}
