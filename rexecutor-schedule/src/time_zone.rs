//! Time zones, by the rules of the IANA database.

use std::{fmt, str::FromStr};

use chrono::{DateTime, MappedLocalTime, NaiveDateTime, Offset, TimeDelta, TimeZone as _, Utc};

use crate::zones;

/// A time zone of the IANA database, such as `Europe/London`.
///
/// # Examples
///
/// ```
/// use rexecutor_schedule::TimeZone;
///
/// let london: TimeZone = "Europe/London".parse()?;
/// assert_eq!(london.name(), "Europe/London");
/// assert!("Europe/Lundon".parse::<TimeZone>().is_err());
/// # Ok::<(), rexecutor_schedule::UnknownTimeZone>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimeZone(chrono_tz::Tz);

/// A text that names no time zone.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is no time zone; {}", hint(name))]
pub struct UnknownTimeZone {
    name: String,
}

fn hint(text: &str) -> String {
    let unknown = || "write a name of the IANA database, as `Europe/London`".to_owned();
    zones::meant(text).map_or_else(unknown, |zone| format!("did you mean `{zone}`?"))
}

crate::sentence::debug_as_sentence!(UnknownTimeZone);

impl TimeZone {
    /// Coordinated universal time, whose clocks never change.
    pub const UTC: Self = Self(chrono_tz::Tz::UTC);

    /// Its name in the IANA database.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// What a clock there shows at this instant.
    pub(crate) fn local(self, at: DateTime<Utc>) -> NaiveDateTime {
        at.with_timezone(&self.0).naive_local()
    }

    /// How far a clock there is ahead of UTC at this instant.
    pub(crate) fn offset(self, at: DateTime<Utc>) -> TimeDelta {
        let offset = self.0.offset_from_utc_datetime(&at.naive_utc()).fix();
        TimeDelta::seconds(offset.local_minus_utc().into())
    }

    /// The first instant at which a clock there shows this time; `None` if it is skipped.
    pub(crate) fn first_instant(self, time: NaiveDateTime) -> Option<DateTime<Utc>> {
        match self.0.from_local_datetime(&time) {
            MappedLocalTime::Single(at) | MappedLocalTime::Ambiguous(at, _) => Some(at.with_timezone(&Utc)),
            MappedLocalTime::None => None,
        }
    }
}

impl From<chrono_tz::Tz> for TimeZone {
    fn from(zone: chrono_tz::Tz) -> Self {
        Self(zone)
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
        name.parse().map(Self).map_err(|_| UnknownTimeZone { name: name.to_owned() })
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
}
