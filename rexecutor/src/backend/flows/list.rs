//! Flows as a list shows them.

use chrono::{DateTime, Utc};

use super::stored::StoredFlow;
use crate::model::{FlowCounts, FlowId, JobStatus};

/// Which flows are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "a request does nothing before it is asked"]
pub struct FlowsRequest {
    /// `Some(true)`: those that have not ended; `Some(false)`: those that have; `None`: all.
    pub is_open: Option<bool>,
    /// Those stored before the one of this number.
    pub before: Option<FlowId>,
    /// At most so many: 1 to [`MOST`](Self::MOST).
    pub limit: usize,
}

impl FlowsRequest {
    /// How many flows a page has at most.
    pub const MOST: usize = 100;

    /// Up to how many jobs of each status are counted, of a flow that has not ended.
    pub const COUNTED: usize = 1_000;

    /// The 50 newest flows.
    pub fn new() -> Self {
        Self { is_open: None, before: None, limit: 50 }
    }

    /// … that have not ended, or that have; `None`: all.
    pub fn that_are_open(self, is_open: Option<bool>) -> Self {
        Self { is_open, ..self }
    }

    /// … that were stored before the one of this number, as [`FlowsPage::next`] gives it; `None`: the newest.
    pub fn before(self, before: Option<FlowId>) -> Self {
        Self { before, ..self }
    }

    /// … at most so many: 1 to [`MOST`](Self::MOST); what is more or less counts as these.
    pub fn at_most(self, limit: usize) -> Self {
        Self { limit: limit.clamp(1, Self::MOST), ..self }
    }
}

impl Default for FlowsRequest {
    fn default() -> Self {
        Self::new()
    }
}

/// A flow as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListedFlow {
    /// Its number.
    pub id: FlowId,
    /// What is stored of it.
    pub flow: StoredFlow,
    /// When it was stored.
    pub created_at: DateTime<Utc>,
    /// How many of its jobs stand where. Those that were skipped are counted as cancelled until it has ended.
    pub counts: FlowCounts,
    /// Whether there may be more jobs of a status than were counted.
    pub is_least: bool,
}

impl ListedFlow {
    /// A flow of which so many jobs are `gone`, complete and not kept, and so many others have each status, counted up to
    /// [`FlowsRequest::COUNTED`]. What it had come to when it ended takes the place of these.
    pub fn new(
        id: FlowId,
        flow: StoredFlow,
        created_at: DateTime<Utc>,
        gone: u64,
        counted: impl IntoIterator<Item = (JobStatus, u64)>,
    ) -> Self {
        if let Some(end) = flow.end() {
            let counts = end.counts;
            return Self { id, flow, created_at, counts, is_least: false };
        }
        let (mut counts, mut is_least) = (FlowCounts::default().with(JobStatus::Complete, gone), false);
        for (status, jobs) in counted {
            counts.add(status, jobs);
            is_least |= jobs >= FlowsRequest::COUNTED as u64;
        }
        Self { id, flow, created_at, counts, is_least }
    }
}

/// A page of flows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FlowsPage {
    /// The backend's present.
    pub now: DateTime<Utc>,
    /// The newest first.
    pub flows: Vec<ListedFlow>,
    /// [Before](FlowsRequest::before) which flow the next page begins; `None`: this is the last one.
    pub next: Option<FlowId>,
}

impl FlowsPage {
    /// A page of these flows. `found` may have one flow more than the `limit`, which says that there is a next page.
    pub fn new(now: DateTime<Utc>, mut found: Vec<ListedFlow>, limit: usize) -> Self {
        let has_more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| has_more).map(|flow| flow.id);
        Self { now, flows: found, next }
    }
}
