//! What a backend keeps of schedules.

use chrono::{DateTime, NaiveDateTime, Utc};

/// What a schedule is known by: the same in every process that runs the same schedule with the same data.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScheduleKey(pub String);

/// One tick of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tick {
    /// When it is.
    pub at: DateTime<Utc>,
    /// What a clock in the schedule's time zone shows then, if the schedule ticks once at each local time: nodes whose time zone
    /// data differ do not agree on the instant, but on this.
    pub local: Option<NaiveDateTime>,
}

impl Tick {
    /// A tick at an instant, of a schedule that does not go by local times.
    pub fn new(at: DateTime<Utc>) -> Self {
        Self { at, local: None }
    }

    /// … of one that does.
    #[must_use]
    pub fn with_local(self, local: impl Into<Option<NaiveDateTime>>) -> Self {
        Self { local: local.into(), ..self }
    }
}

impl From<DateTime<Utc>> for Tick {
    fn from(at: DateTime<Utc>) -> Self {
        Self::new(at)
    }
}

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
