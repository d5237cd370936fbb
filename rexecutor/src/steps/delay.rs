//! For how long a step sleeps or waits.

use std::time::Duration;

use chrono::TimeDelta;
use rexecutor_schedule::duration_millis;

/// A length of time: a text such as `"3d"` or `"1h30m"` (ms, s, m, h, d, w), a [`TimeDelta`], or a [`Duration`].
pub trait IntoDelay {
    /// The length.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    fn into_delay(self) -> Result<TimeDelta, String>;
}

impl IntoDelay for &str {
    fn into_delay(self) -> Result<TimeDelta, String> {
        let millis = duration_millis(self).and_then(|millis| i64::try_from(millis).ok());
        millis.and_then(TimeDelta::try_milliseconds).ok_or_else(|| {
            format!("`{self}` is not a duration; write a whole number and a unit, as \"30s\" or \"1h30m\" (ms, s, m, h, d, w)")
        })
    }
}

impl IntoDelay for TimeDelta {
    fn into_delay(self) -> Result<TimeDelta, String> {
        Ok(self)
    }
}

impl IntoDelay for Duration {
    fn into_delay(self) -> Result<TimeDelta, String> {
        TimeDelta::from_std(self).map_err(|_| format!("{self:?} is longer than 1,000 years"))
    }
}
