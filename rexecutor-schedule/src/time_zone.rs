//! Time zones, by the rules of the IANA database.

use std::{
    collections::BTreeMap,
    fmt,
    hash::{Hash, Hasher},
    str::FromStr,
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, Datelike, NaiveDateTime, TimeDelta, Timelike, Utc};
use jiff::{
    Timestamp,
    civil::DateTime as CivilTime,
    tz::{AmbiguousOffset, TimeZone as Rules},
};

use crate::{tables::TimeZoneData, zones};

/// A time zone of the IANA database, such as `Europe/London`.
///
/// Its rules are those of the system, or the compiled-in ones where these are newer: see [`TimeZoneData`].
///
/// # Examples
///
/// ```
/// # mod rexecutor { pub use rexecutor_schedule as schedule; }
/// use rexecutor::schedule::TimeZone;
///
/// let london: TimeZone = "Europe/London".parse()?;
/// assert_eq!(london.name(), "Europe/London");
/// assert!("Europe/Lundon".parse::<TimeZone>().is_err());
/// # Ok::<(), rexecutor::schedule::UnknownTimeZone>(())
/// ```
#[derive(Clone, Copy)]
pub struct TimeZone(&'static Zone);

/// A zone that this process has used: there is one of each name, for as long as the process lives.
struct Zone {
    name: &'static str,
    rules: Rules,
}

static UTC: Zone = Zone { name: "UTC", rules: Rules::UTC };

/// A text that names no time zone.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is not a time zone; {}", zones::hint(name))]
pub struct UnknownTimeZone {
    name: String,
}

crate::sentence::debug_as_sentence!(UnknownTimeZone);

impl TimeZone {
    /// Coordinated universal time, whose clocks never change.
    pub const UTC: Self = Self(&UTC);

    /// Its name in the IANA database.
    pub fn name(self) -> &'static str {
        self.0.name
    }

    /// A zone that goes by other rules than this process's, as the nodes of another machine may. Not public API.
    #[doc(hidden)]
    pub fn of_posix(name: &'static str, rules: &str) -> Option<Self> {
        Some(Self::leak(name, Rules::posix(rules).ok()?))
    }

    /// A zone by the rules that are compiled in.
    #[cfg(test)]
    pub(crate) fn compiled_in(name: &'static str) -> Option<Self> {
        Some(Self::leak(name, TimeZoneData::compiled_in().rules(name)?))
    }

    fn leak(name: &'static str, rules: Rules) -> Self {
        Self(Box::leak(Box::new(Zone { name, rules })))
    }

    /// The zone of this name, whose rules are read when it is first asked for.
    fn named(name: &str) -> Option<Self> {
        static KNOWN: Mutex<BTreeMap<&'static str, TimeZone>> = Mutex::new(BTreeMap::new());
        if name == UTC.name {
            return Some(Self::UTC);
        }
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(zone) = known.get(name) {
            return Some(*zone);
        }
        let rules = TimeZoneData::used().rules(name)?;
        let zone = Self::leak(Box::leak(name.to_owned().into_boxed_str()), rules);
        known.insert(zone.name(), zone);
        Some(zone)
    }

    /// Whose time it is, in words: `Berlin time`, `UTC`.
    pub(crate) fn described(self) -> String {
        match self.name().rsplit_once('/') {
            Some((area, city)) if area != "Etc" => format!("{} time", city.replace('_', " ")),
            _ => self.name().to_owned(),
        }
    }

    /// What a clock there shows at this instant.
    pub(crate) fn local(self, at: DateTime<Utc>) -> NaiveDateTime {
        at.naive_utc().checked_add_signed(self.offset(at)).unwrap_or(at.naive_utc())
    }

    /// How far a clock there is ahead of UTC at this instant.
    pub(crate) fn offset(self, at: DateTime<Utc>) -> TimeDelta {
        let end = if at < DateTime::UNIX_EPOCH { Timestamp::MIN } else { Timestamp::MAX };
        let instant = Timestamp::from_second(at.timestamp()).unwrap_or(end);
        TimeDelta::seconds(self.0.rules.to_offset(instant).seconds().into())
    }

    /// The first instant at which a clock there shows this time; `None` if it is skipped.
    pub(crate) fn first_instant(self, time: NaiveDateTime) -> Option<DateTime<Utc>> {
        let offset = match civil(time).map(|time| self.0.rules.to_ambiguous_timestamp(time).offset()) {
            Some(AmbiguousOffset::Gap { .. }) => return None,
            // Of the two offsets of a time that happens twice, that of the first is the one before the change.
            Some(AmbiguousOffset::Unambiguous { offset } | AmbiguousOffset::Fold { before: offset, .. }) => {
                TimeDelta::seconds(offset.seconds().into())
            }
            // No expression matches a time so far away.
            None => TimeDelta::zero(),
        };
        time.checked_sub_signed(offset).map(|time| time.and_utc())
    }
}

/// A local time as the rules take it, in the years from -9999 to 9999.
fn civil(time: NaiveDateTime) -> Option<CivilTime> {
    let small = |number: u32| i8::try_from(number).ok();
    let (year, [month, day]) = (i16::try_from(time.year()).ok()?, [small(time.month())?, small(time.day())?]);
    CivilTime::new(year, month, day, small(time.hour())?, small(time.minute())?, small(time.second())?, 0).ok()
}

impl PartialEq for TimeZone {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0) || self.0.name == other.0.name
    }
}

impl Eq for TimeZone {}

impl Hash for TimeZone {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.name.hash(state);
    }
}

/// The zone of this name, by the rules that this process uses, not by those of `chrono_tz`, which are of 2025.
#[cfg(feature = "chrono-tz")]
impl From<chrono_tz::Tz> for TimeZone {
    fn from(zone: chrono_tz::Tz) -> Self {
        // A test holds that each of them is in the compiled-in table.
        Self::named(zone.name()).unwrap_or_else(|| {
            tracing::error!(zone = zone.name(), "there are no rules for this time zone: UTC is used");
            Self::UTC
        })
    }
}

impl From<Utc> for TimeZone {
    fn from(_: Utc) -> Self {
        Self::UTC
    }
}

/// The zone of this machine by its name, from the variable `TZ` or else the system's settings. Where neither names one it is
/// UTC, and a warning is logged.
impl From<chrono::Local> for TimeZone {
    fn from(_: chrono::Local) -> Self {
        let variable = std::env::var("TZ").ok();
        machine(variable.as_deref(), iana_time_zone::get_timezone().ok().as_deref()).unwrap_or_else(|| {
            tracing::warn!("this machine's time zone has no name of the IANA database: UTC is used");
            Self::UTC
        })
    }
}

/// The zone that the variable `TZ` names, or else the system.
fn machine(variable: Option<&str>, system: Option<&str>) -> Option<TimeZone> {
    let named = variable.map(|name| name.trim_start_matches(':')).filter(|name| !name.is_empty());
    named.into_iter().chain(system).find_map(|name| name.parse().ok())
}

impl FromStr for TimeZone {
    type Err = UnknownTimeZone;

    fn from_str(name: &str) -> Result<Self, UnknownTimeZone> {
        Self::named(name).ok_or_else(|| UnknownTimeZone { name: name.to_owned() })
    }
}

impl fmt::Display for TimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Debug for TimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_47_the_machines_zone_is_what_the_variable_or_the_system_names() {
        let name = |variable, system| machine(variable, system).map(TimeZone::name);
        assert_eq!(name(Some("Asia/Tokyo"), Some("Europe/London")), Some("Asia/Tokyo"));
        assert_eq!(name(Some(":Asia/Tokyo"), None), Some("Asia/Tokyo"));
        assert_eq!(name(Some("JST-9"), Some("Europe/London")), Some("Europe/London"));
        assert_eq!(name(Some(""), Some("Europe/London")), Some("Europe/London"));
        assert_eq!(name(None, Some("n/a")), None);
    }

    #[test]
    fn every_zone_of_chrono_tz_is_compiled_in() {
        for zone in chrono_tz::TZ_VARIANTS {
            assert!(TimeZone::compiled_in(zone.name()).is_some(), "{zone}");
            assert_eq!(TimeZone::from(zone).name(), zone.name());
        }
    }

    #[test]
    fn a_zone_is_the_same_whoever_names_it() {
        let (parsed, made): (TimeZone, TimeZone) = ("Europe/London".parse().unwrap(), chrono_tz::Europe::London.into());
        assert_eq!(parsed, made);
        assert!(std::ptr::eq(parsed.0, made.0), "its rules are read once");
        assert_ne!(parsed, TimeZone::UTC);
    }

    #[test]
    fn instants_and_times_without_rules_are_taken_as_they_are() {
        let london: TimeZone = "Europe/London".parse().unwrap();
        for at in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
            assert!((london.local(at) - at.naive_utc()).abs() < TimeDelta::hours(2));
            assert!(london.first_instant(at.naive_utc()).is_some());
        }
    }
}
