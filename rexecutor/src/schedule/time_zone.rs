//! Time zones, by the rules of the IANA database.

use std::{fmt, str::FromStr};

use chrono::{DateTime, MappedLocalTime, NaiveDateTime, Offset, TimeDelta, TimeZone as _, Utc};

use super::zones;

/// A time zone of the IANA database, such as `Europe/London`.
///
/// # Examples
///
/// ```
/// use rexecutor::schedule::TimeZone;
///
/// let london: TimeZone = "Europe/London".parse()?;
/// assert_eq!(london.name(), "Europe/London");
/// assert!("Europe/Lundon".parse::<TimeZone>().is_err());
/// # Ok::<(), rexecutor::schedule::UnknownTimeZone>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimeZone(chrono_tz::Tz);

/// A text that names no time zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is no time zone; {}", hint(name))]
pub struct UnknownTimeZone {
    name: String,
}

fn hint(text: &str) -> String {
    let unknown = || "write a name of the IANA database, as `Europe/London`".to_owned();
    zones::meant(text).map_or_else(unknown, |zone| format!("did you mean `{zone}`?"))
}

impl TimeZone {
    /// Coordinated universal time, whose clocks never change.
    pub const UTC: Self = Self(chrono_tz::Tz::UTC);

    /// Its name in the IANA database.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// What a clock there shows at this instant.
    pub(super) fn local(self, at: DateTime<Utc>) -> NaiveDateTime {
        at.with_timezone(&self.0).naive_local()
    }

    /// How far a clock there is ahead of UTC at this instant.
    pub(super) fn offset(self, at: DateTime<Utc>) -> TimeDelta {
        let offset = self.0.offset_from_utc_datetime(&at.naive_utc()).fix();
        TimeDelta::seconds(offset.local_minus_utc().into())
    }

    /// The first instant at which a clock there shows this time; `None` if it is skipped.
    pub(super) fn first_instant(self, time: NaiveDateTime) -> Option<DateTime<Utc>> {
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
