//! When a cron job is due.
//!
//! Expressions and time zones are read by the crate `rexecutor-schedule`, which `#[job]` checks them with, too.

mod applied;
mod definition;
mod entry;
mod jitter;
mod key;
mod missed;
mod new_entry;
mod overlap;
mod step;
mod template;
mod ticking;

pub use rexecutor_schedule::{Schedule, ScheduleError, TimeZone, TimeZoneData, UnknownTimeZone};

use self::definition::{Definition, Rule};
pub use self::{
    applied::{Applied, EntryAnswer, Surroundings, Ticked},
    entry::{EntryTick, Origin, ScheduleEntry, StoredEntry},
    missed::MissedTicks,
    new_entry::{EntryChange, NewEntry},
    overlap::Overlap,
    step::EntryStep,
};

/// Why a job is cancelled whose schedule has ticked again, where a new one takes the place of the old one.
pub const REPLACED: &str = "its schedule has ticked again";

pub(crate) use self::{
    jitter::delay,
    key::{key, name},
    template::{Template, Until},
    ticking::is_behind,
};
