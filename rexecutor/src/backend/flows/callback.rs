//! Jobs that are enqueued when something has happened to a flow.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::{
    model::{BatchEvent, Due, FlowCounts, NewJob, Threshold},
    schedule::{Template, Until},
};

/// When a callback is enqueued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// As soon as so many jobs have ended.
    Progress(Threshold),
    /// As soon as a job is discarded.
    Discarded,
    /// When all have ended, and all of them have succeeded.
    Succeeded,
    /// When all have ended.
    Finished,
}

impl When {
    pub(super) fn event(self) -> BatchEvent {
        match self {
            Self::Progress(_) => BatchEvent::Progress,
            Self::Discarded => BatchEvent::Discarded,
            Self::Succeeded => BatchEvent::Succeeded,
            Self::Finished => BatchEvent::Finished,
        }
    }

    pub(super) fn has_come(self, counts: &FlowCounts) -> bool {
        match self {
            Self::Progress(threshold) => threshold.is_reached(counts),
            Self::Discarded => counts.discarded > 0,
            Self::Succeeded => counts.total() == counts.complete,
            Self::Finished => counts.unfinished() == 0,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Callback {
    pub(super) when: When,
    /// When it is due, if not at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) due: Option<Until>,
    pub(super) job: Template,
    /// Whether it was enqueued.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) is_done: bool,
}

impl Callback {
    pub(super) fn job(&self) -> NewJob {
        let due = match self.due {
            None => Due::Now,
            Some(Until::In(delay)) => Due::In(TimeDelta::microseconds(delay)),
            Some(Until::At(at)) => Due::At(at),
        };
        self.job.job().with_due(due)
    }
}
