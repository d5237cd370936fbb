//! Claims of executors whose jobs are taken one by one.

use chrono::{DateTime, Utc};

use super::store::Store;
use crate::{
    backend::{
        lifecycle,
        rotation::{self, After, KeyBucket, Stopped, Terms, Turns},
    },
    model::{Demand, ExecutorName, JobRow, JobStatus, NodeId},
};

impl Store {
    /// Claims due jobs of an executor on these terms, and adds them to `claimed`; also returns when the first of the keys that were met
    /// in vain has a due job, and by what the claim was stopped.
    pub(super) fn claim_in_rotation(
        &mut self,
        node: NodeId,
        demand: &Demand,
        terms: &Terms,
        now: DateTime<Utc>,
        claimed: &mut Vec<JobRow>,
    ) -> (After, Option<DateTime<Utc>>, Option<Stopped>) {
        let executor = &demand.executor;
        self.settle_keys(executor, terms, now);
        let served = self.served.get(executor).map(String::as_str);
        let row = |id| self.rows.get(&id).map(|stored| &stored.row);
        let runs = |key: Option<&str>| self.running_of(executor, key);
        let kept = |key: &str| self.key_buckets.get(&(executor.clone(), key.to_owned())).copied();
        let starts_at = |key: &str| Some(terms.key_rate?.starts_at(kept(key)?, 1, now));
        let mut walk = match terms.turns {
            Turns::AtOnce(most) => {
                self.indexes.walk(demand, served, row, |key| most.saturating_sub(runs(key)), starts_at, now)
            }
            Turns::InOrder => self.indexes.walk_lines(demand, served, row, |key| runs(Some(key)), starts_at, now),
            Turns::InQueue => self.indexes.head(demand, terms, row, now),
        };
        walk.is_idle &= terms.turns == Turns::InOrder || terms.key_rate.is_some();
        let keys = walk.met.iter().filter_map(|met| met.key.clone());
        walk.keys = keys.filter_map(|key| Some((key.clone(), kept(&key)?))).collect();
        let turn = rotation::take(&walk, demand, terms, now);
        self.served.extend(turn.served.clone().map(|key| (executor.clone(), key)));
        for (key, full_at) in &turn.spent {
            let kept: &mut KeyBucket = self.key_buckets.entry((executor.clone(), key.clone())).or_default();
            kept.full_at = Some(*full_at);
        }
        let mut jobs: Vec<JobRow> = Vec::with_capacity(turn.jobs.len());
        for (id, _) in &turn.jobs {
            self.change(*id, |row| {
                lifecycle::claim(row, node, now);
                jobs.push(row.clone());
            });
        }
        jobs.sort_by_key(|row| (row.priority, row.scheduled_at, row.id));
        let after = rotation::after(&walk, demand, terms, &turn, jobs.len());
        claimed.append(&mut jobs);
        (after, rotation::next_at(&walk, terms, &turn, now), turn.stopped)
    }

    /// Buckets of keys that are emptier than empty, as after their rate has become faster, are filled from now on.
    fn settle_keys(&mut self, executor: &ExecutorName, terms: &Terms, now: DateTime<Utc>) {
        let Some(rate) = terms.key_rate else { return };
        for ((name, _), kept) in &mut self.key_buckets {
            if name == executor && kept.full_at.is_some() {
                kept.full_at = Some(rate.bucket(*kept, now).full_at);
            }
        }
    }

    /// How many jobs of an executor with this key are executing.
    fn running_of(&self, executor: &ExecutorName, key: Option<&str>) -> usize {
        let runs = self.indexes.executing().into_iter().filter_map(|(_, id)| self.rows.get(&id));
        let is_of = |row: &JobRow| row.executor == *executor && row.extras.group_key.as_deref() == key;
        runs.filter(|stored| stored.row.status == JobStatus::Executing && is_of(&stored.row)).count()
    }
}
