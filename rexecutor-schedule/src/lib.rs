//! Cron expressions and time zones, as rexecutor and its `#[job]` attribute read them: what compiles is what runs.
//!
//! It is a part of `rexecutor`, and a crate only because a macro cannot use the crate that it is made for. Programs find it as
//! `rexecutor::schedule`.

mod cron_schedule;
mod explain;
mod fields;
mod memo;
mod nearest;
mod parse;
mod sentence;
#[cfg(test)]
mod tests;
mod ticks;
mod time_zone;
mod zones;

pub use self::{
    cron_schedule::Schedule,
    parse::ScheduleError,
    time_zone::{TimeZone, UnknownTimeZone},
};
#[doc(hidden)]
pub use self::{explain::explain, nearest::nearest, zones::meant};
