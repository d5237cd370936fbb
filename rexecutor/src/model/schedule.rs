//! What a backend keeps of schedules.

use chrono::{DateTime, Utc};

/// What a schedule is known by: the same in every process that runs the same schedule with the same data.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScheduleKey(pub String);

/// How far schedules have got.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ticks {
    /// The backend's present.
    pub now: DateTime<Utc>,
    /// The last tick of each schedule.
    pub last: Vec<DateTime<Utc>>,
}

impl Ticks {
    /// The last tick of each schedule, at this present.
    pub fn new(now: DateTime<Utc>, last: Vec<DateTime<Utc>>) -> Self {
        Self { now, last }
    }
}
