//! When a cron job is due.
//!
//! Expressions and time zones are read by the crate `rexecutor-schedule`, which `#[job]` checks them with, too.

mod key;
mod missed;

pub use rexecutor_schedule::{Schedule, ScheduleError, TimeZone, TimeZoneData, UnknownTimeZone};

pub(crate) use self::key::key;
pub use self::missed::MissedTicks;
