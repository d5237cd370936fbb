//! How much later than its tick a job starts.

use chrono::TimeDelta;

use super::Schedule;
use crate::{model::ScheduleKey, validate};

/// The same on every node and at every tick, and spread evenly over the schedules that there are.
pub(crate) fn delay(schedule: &Schedule, key: &ScheduleKey) -> TimeDelta {
    let longest = u64::try_from(schedule.jitter().as_millis()).unwrap_or(u64::MAX);
    if longest == 0 {
        return TimeDelta::zero();
    }
    let digest = validate::digest(&key.0);
    let number = digest.get(..15).and_then(|digits| u64::from_str_radix(digits, 16).ok()).unwrap_or_default();
    TimeDelta::milliseconds(i64::try_from(number % longest.saturating_add(1)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn delays_are_the_same_for_one_schedule_and_spread_over_many() {
        let schedule = |jitter| Schedule::parse("@daily", "UTC").unwrap().with_jitter(jitter).unwrap();
        let (none, some) = (schedule(Duration::ZERO), schedule(Duration::from_secs(30)));
        let delays = |schedule: &Schedule| -> Vec<i64> {
            let keys = (0..1_000).map(|number| ScheduleKey(format!("report @daily UTC {number}")));
            keys.map(|key| delay(schedule, &key).num_milliseconds()).collect()
        };
        assert!(delays(&none).iter().all(|delay| *delay == 0));
        let spread = delays(&some);
        assert_eq!(spread, delays(&some));
        assert!(spread.iter().all(|delay| (0..=30_000).contains(delay)));
        // In each second of the 30 begin about 33 of them.
        let most = (0..30).map(|second| spread.iter().filter(|delay| **delay / 1_000 == second).count()).max();
        assert!(most < Some(66), "{most:?}");
    }
}
