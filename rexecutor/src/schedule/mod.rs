//! When a cron job is due.

mod cron_schedule;
mod explain;
mod fields;
mod key;
mod memo;
mod missed;
mod parse;
#[cfg(test)]
mod tests;
mod ticks;
mod time_zone;
mod zones;

pub(crate) use self::key::key;
pub use self::{
    cron_schedule::Schedule,
    missed::MissedTicks,
    parse::ScheduleError,
    time_zone::{TimeZone, UnknownTimeZone},
};
