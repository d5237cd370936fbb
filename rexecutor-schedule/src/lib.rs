//! Cron expressions and time zones, as rexecutor and its `#[job]` attribute read them: what compiles is what runs.
//!
//! It is a part of `rexecutor`, and a crate only because a macro cannot use the crate that it is made for. Programs find it as
//! `rexecutor::schedule`.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod crontab;
mod dates;
mod days;
mod describe;
mod expression;
mod field;
mod interval;
mod memo;
mod nearest;
mod parse;
mod rules;
mod schedule;
mod sentence;
mod tables;
#[cfg(test)]
mod tests;
mod ticks;
mod time_zone;
mod years;
mod zones;

#[doc(hidden)]
pub use self::{interval::duration_millis, nearest::nearest, parse::problem};
pub use self::{
    parse::ScheduleError,
    schedule::Schedule,
    tables::TimeZoneData,
    time_zone::{TimeZone, UnknownTimeZone},
};
