//! Which ticks are owed.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::Schedule;

/// What becomes of ticks that nobody enqueued in time, because no node was running.
///
/// A tick is in time for a minute: a node that is a little late drops nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MissedTicks {
    /// They are dropped.
    Skip,
    /// The last of them is made up for, unless a later one is in time.
    #[default]
    Last,
    /// Each is made up for.
    All,
    /// The newest ones are made up for, at most so many of them; those in time are among them. At least 1.
    AtMost(u16),
}

pub(super) const IN_TIME: TimeDelta = TimeDelta::minutes(1);

impl MissedTicks {
    /// The ticks to enqueue at `now`, oldest first, when that of `last` was the last one enqueued.
    pub(crate) fn owed(
        self,
        schedule: &Schedule,
        last: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> impl Iterator<Item = DateTime<Utc>> + Send {
        let in_time = last.max(now - IN_TIME);
        let from = match self {
            Self::All => last,
            Self::AtMost(most) => newest(schedule, last, now, most.max(1).into()),
            Self::Skip | Self::Last => in_time,
        };
        let mut owed = ticks(schedule, from, now).peekable();
        let made_up = match self == Self::Last && owed.peek().is_none() {
            true => latest(schedule, last, now),
            false => None,
        };
        made_up.into_iter().chain(owed)
    }
}

fn ticks(schedule: &Schedule, after: DateTime<Utc>, now: DateTime<Utc>) -> impl Iterator<Item = DateTime<Utc>> + Send {
    let first = schedule.next_after(after);
    std::iter::successors(first, move |at| schedule.next_after(*at)).take_while(move |at| *at <= now)
}

/// The latest instant after which there are at most `most` ticks that are owed, but all in time.
fn newest(schedule: &Schedule, after: DateTime<Utc>, now: DateTime<Utc>, most: usize) -> DateTime<Utc> {
    let spans = [TimeDelta::hours(1), TimeDelta::days(2), TimeDelta::days(62), TimeDelta::days(1_500)];
    let starts = spans.into_iter().filter_map(|span| now.checked_sub_signed(span)).take_while(|start| *start > after);
    let mut last = std::collections::VecDeque::new();
    for start in starts.chain([after]) {
        last.clear();
        for at in ticks(schedule, start, now) {
            last.push_back(at);
            if last.len() > most + 1 {
                last.pop_front();
            }
        }
        if last.len() > most {
            break;
        }
    }
    let first = (last.len() > most).then(|| last.pop_front()).flatten().unwrap_or(after);
    // What is in time is owed, however much it is.
    first.min(after.max(now - IN_TIME))
}

/// The last tick after `after` and not after `now`, found by looking back further and further: ticks that are close
/// together are found in a short span, and a long span is looked at only when they are far apart.
fn latest(schedule: &Schedule, after: DateTime<Utc>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let spans = [TimeDelta::hours(1), TimeDelta::days(2), TimeDelta::days(62), TimeDelta::days(1_500)];
    let starts = spans.into_iter().filter_map(|span| now.checked_sub_signed(span)).take_while(|start| *start > after);
    starts.chain([after]).find_map(|start| ticks(schedule, start, now).last())
}

#[cfg(test)]
mod tests {
    use chrono::Timelike;

    use super::*;

    fn schedule(expression: &str) -> Schedule {
        Schedule::parse(expression, "UTC").unwrap()
    }

    fn at(instant: &str) -> DateTime<Utc> {
        instant.parse().unwrap()
    }

    /// Trap 21: a schedule with no further due time panics its task.
    #[test]
    fn trap_21_a_schedule_that_is_over_owes_nothing() {
        let over = schedule("0 0 0 1 1 * 2020");
        for policy in [MissedTicks::Skip, MissedTicks::Last, MissedTicks::All] {
            assert_eq!(policy.owed(&over, at("2030-01-01T00:00:00Z"), at("2031-01-01T00:00:00Z")).count(), 0);
        }
    }

    #[test]
    fn missed_ticks_are_owed_as_the_policy_says() {
        let hourly = schedule("0 0 * * * *");
        let (last, now) = (at("2030-01-01T00:00:00Z"), at("2030-01-01T05:30:00Z"));
        let owed = |policy: MissedTicks, now| policy.owed(&hourly, last, now).map(|at| at.hour()).collect::<Vec<_>>();
        assert_eq!(owed(MissedTicks::Skip, now), [0; 0]);
        assert_eq!(owed(MissedTicks::Last, now), [5]);
        assert_eq!(owed(MissedTicks::All, now), [1, 2, 3, 4, 5]);
        let in_time = at("2030-01-01T05:00:02Z");
        assert_eq!(owed(MissedTicks::Skip, in_time), [5]);
        assert_eq!(owed(MissedTicks::Last, in_time), [5]);
    }

    #[test]
    fn at_most_so_many_missed_ticks_are_owed_and_the_newest_of_them() {
        let hourly = schedule("0 0 * * * *");
        let now = at("2030-01-01T05:30:00Z");
        let owed = |most, last| {
            let owed = MissedTicks::AtMost(most).owed(&hourly, at(last), now);
            owed.map(|at| at.hour()).collect::<Vec<_>>()
        };
        assert_eq!(owed(2, "2030-01-01T00:00:00Z"), [4, 5]);
        assert_eq!(owed(2, "2020-01-01T00:00:00Z"), [4, 5]);
        assert_eq!(owed(5, "2030-01-01T00:00:00Z"), [1, 2, 3, 4, 5]);
        assert_eq!(owed(9, "2030-01-01T02:00:00Z"), [3, 4, 5]);
        assert_eq!(owed(0, "2030-01-01T00:00:00Z"), [5]);
        let each_second = schedule("* * * * * *");
        let owed = MissedTicks::AtMost(3).owed(&each_second, at("2030-01-01T00:00:00Z"), now).count();
        assert_eq!(owed, 60, "those in time are not missed");
    }

    #[test]
    fn the_last_missed_tick_is_found_however_long_ago_it_was() {
        let now = at("2030-06-15T12:00:00Z");
        for (expression, expected) in [
            ("* * * * * *", "2030-06-15T12:00:00Z"),
            ("0 50 11 * * *", "2030-06-15T11:50:00Z"),
            ("0 0 0 1 * *", "2030-06-01T00:00:00Z"),
            ("0 0 0 1 1 *", "2030-01-01T00:00:00Z"),
            ("0 0 0 29 2 *", "2028-02-29T00:00:00Z"),
        ] {
            let schedule = schedule(expression);
            let owed = MissedTicks::Last.owed(&schedule, at("2020-01-01T00:00:00Z"), now);
            assert_eq!(owed.last(), Some(at(expected)), "{expression}");
        }
    }
}
