//! Nothing is counted.

use std::time::Duration;

use crate::model::{Enqueued, JobRow, NewJob, RunEnd};

/// Nothing is noted.
pub(crate) struct Enqueuing;

impl Enqueuing {
    pub(crate) fn of(_: &[NewJob]) -> Self {
        Self
    }

    pub(crate) fn of_one(_: &'static str) -> Self {
        Self
    }

    pub(crate) fn came_to(self, _: &[Enqueued]) {}
}

pub(crate) fn started(_: &JobRow) {}

pub(crate) fn ended(_: &JobRow, _: RunEnd, _: Duration) {}

pub(crate) fn rescued(_: usize) {}

pub(crate) fn failed(_: &'static str) {}
