//! Of which flows jobs have ended.

use std::collections::BTreeSet;

use crate::model::{FlowId, JobId, JobRow, Outcome, Settlement};

/// Of which flows jobs have ended, and which of these are tasks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct FlowEnds {
    /// The flows.
    pub flows: BTreeSet<FlowId>,
    /// The tasks, by their flows.
    pub tasks: BTreeSet<(FlowId, JobId)>,
}

impl FlowEnds {
    /// Those of these jobs that have ended.
    pub fn of<'j>(jobs: impl IntoIterator<Item = &'j JobRow>) -> Self {
        let mut ends = Self::default();
        for job in jobs.into_iter().filter(|job| job.status.is_finished()) {
            ends.add(job.extras.flow, job.extras.task.is_some(), job.id);
        }
        ends
    }

    /// Those that may end by this, as far as it says.
    pub fn add_settlement(&mut self, end: &Settlement) {
        let may_end = matches!(
            end.outcome,
            Outcome::Complete { .. }
                | Outcome::SettledInTransaction { .. }
                | Outcome::Discard { .. }
                | Outcome::Cancel { .. }
        );
        if may_end {
            self.add(end.flow, end.is_task, end.id);
        }
    }

    fn add(&mut self, flow: Option<FlowId>, is_task: bool, job: JobId) {
        self.flows.extend(flow);
        self.tasks.extend(flow.filter(|_| is_task).map(|flow| (flow, job)));
    }

    /// Those of others, too.
    pub fn extend(&mut self, others: Self) {
        self.flows.extend(others.flows);
        self.tasks.extend(others.tasks);
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.flows.is_empty()
    }
}

impl From<FlowId> for FlowEnds {
    fn from(flow: FlowId) -> Self {
        Self { flows: [flow].into(), tasks: BTreeSet::new() }
    }
}
