//! When a cron job is due.
//!
//! Expressions and time zones are read by the crate `rexecutor-schedule`, which `#[job]` checks them with, too.

mod jitter;
mod key;
mod missed;

pub use rexecutor_schedule::{Schedule, ScheduleError, TimeZone, TimeZoneData, UnknownTimeZone};

pub use self::missed::MissedTicks;
pub(crate) use self::{jitter::delay, key::key};
