//! Tags that are paused, and the jobs that are set aside for them.

use chrono::{DateTime, Utc};

use super::store::Store;
use crate::{
    backend::lifecycle,
    model::{Demand, ExecutorName, JobId, JobRow, Pause, Paused, Scope},
};

impl Store {
    /// A second pause of a tag takes the place of the first.
    pub(super) fn pause_tag(&mut self, tag: &str, pause: Pause, now: DateTime<Utc>) {
        self.paused_tags.insert(tag.to_owned(), (now, pause));
    }

    /// Returns whether it was paused.
    pub(super) fn resume_tag(&mut self, tag: &str, now: DateTime<Utc>) -> bool {
        let was = self.paused_tags.remove(tag);
        self.take_back(now);
        was.is_some_and(|(_, pause)| pause.holds(now))
    }

    /// Jobs whose tags are not paused any more are due again.
    fn take_back(&mut self, now: DateTime<Utc>) {
        let is_over = |tag: &String| !self.paused_tags.contains_key(tag);
        let over: Vec<JobId> = self.aside.iter().filter(|(_, (tag, _))| is_over(tag)).map(|(id, _)| *id).collect();
        for id in over {
            if let Some((_, due_at)) = self.aside.remove(&id) {
                self.change(id, |row| lifecycle::take_back(row, due_at, now));
            }
        }
    }

    /// Before a claim: whose pause is over is claimed from again, and due jobs of these demands whose tags are paused are set aside.
    /// Returns when the next pause of a tag is over by itself.
    pub(super) fn set_aside(&mut self, demands: &[Demand], now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if self.paused_tags.is_empty() && self.aside.is_empty() {
            return None;
        }
        self.paused_tags.retain(|_, (_, pause)| pause.holds(now));
        self.take_back(now);
        for demand in demands {
            for id in self.indexes.first_due_jobs(demand.executor.as_str(), usize::MAX, now) {
                let Some(stored) = self.rows.get(&id) else { continue };
                let pause_of = |tag: &str| self.paused_tags.get(tag).map(|(_, pause)| pause);
                if let Some(tag) = lifecycle::paused_tag(&stored.row, pause_of).map(ToOwned::to_owned)
                    && let Some(due_at) = self.change(id, lifecycle::set_aside)
                {
                    self.aside.insert(id, (tag, due_at));
                }
            }
        }
        self.paused_tags.values().filter_map(|(_, pause)| pause.until).min()
    }

    /// The tags that are paused.
    pub(super) fn tag_pauses(&self, now: DateTime<Utc>) -> Vec<Paused> {
        let held = self.paused_tags.iter().filter(|(_, (_, pause))| pause.holds(now));
        held.map(|(tag, (since, pause))| Paused::new(Scope::Tag(tag.clone()), *since, pause.clone())).collect()
    }

    /// What is executing that has this tag.
    pub(super) fn running_with(&self, tag: &str) -> Vec<(ExecutorName, JobId)> {
        let runs = self.indexes.executing().into_iter().filter_map(|(_, id)| self.rows.get(&id));
        let tagged = runs.map(|stored| &stored.row).filter(|row: &&JobRow| row.tags.iter().any(|one| one == tag));
        let mut tagged: Vec<_> = tagged.map(|row| (row.executor.clone(), row.id)).collect();
        tagged.sort_unstable_by_key(|(_, id)| *id);
        tagged
    }
}
