//! Claims of executors whose keys are served in rotation.

use chrono::{DateTime, Utc};

use super::store::Store;
use crate::{
    backend::{
        lifecycle,
        rotation::{self, After, Turns},
    },
    model::{Demand, ExecutorName, JobRow, JobStatus, NodeId},
};

impl Store {
    /// Claims due jobs of an executor, no more of each key than may run at once, and adds them to `claimed`; also returns when the
    /// first of the keys that were met in vain has a due job.
    pub(super) fn claim_in_rotation(
        &mut self,
        node: NodeId,
        (demand, turns): &(Demand, Turns),
        now: DateTime<Utc>,
        claimed: &mut Vec<JobRow>,
    ) -> (After, Option<DateTime<Utc>>) {
        let served = self.served.get(&demand.executor).map(String::as_str);
        let row = |id| self.rows.get(&id).map(|stored| &stored.row);
        let runs = |key: Option<&str>| self.running_of(&demand.executor, key);
        let walk = match turns {
            Turns::AtOnce(most) => self.indexes.walk(demand, served, row, |key| most.saturating_sub(runs(key)), now),
            Turns::InOrder => self.indexes.walk_lines(demand, served, row, |key| runs(Some(key)), now),
        };
        let turn = rotation::take(&walk, demand);
        self.served.extend(turn.served.map(|key| (demand.executor.clone(), key)));
        let mut jobs: Vec<JobRow> = Vec::with_capacity(turn.jobs.len());
        for (id, _) in turn.jobs {
            self.change(id, |row| {
                lifecycle::claim(row, node, now);
                jobs.push(row.clone());
            });
        }
        jobs.sort_by_key(|row| (row.priority, row.scheduled_at, row.id));
        let after = rotation::after(&walk, demand, jobs.len());
        claimed.append(&mut jobs);
        (after, walk.next_at(now))
    }

    /// How many jobs of an executor with this key are executing.
    fn running_of(&self, executor: &ExecutorName, key: Option<&str>) -> usize {
        let runs = self.indexes.executing().into_iter().filter_map(|(_, id)| self.rows.get(&id));
        let is_of = |row: &JobRow| row.executor == *executor && row.extras.group_key.as_deref() == key;
        runs.filter(|stored| stored.row.status == JobStatus::Executing && is_of(&stored.row)).count()
    }
}
