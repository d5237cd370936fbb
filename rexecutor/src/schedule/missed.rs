//! Which ticks are owed.

use chrono::{DateTime, TimeDelta, Utc};

use super::cron_schedule::Schedule;

/// What becomes of ticks that nobody enqueued in time, because no node was running.
///
/// A tick is in time for a minute: a node that is a little late drops nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum MissedTicks {
    /// They are dropped.
    Skip,
    /// The last of them is made up for, unless a later one is in time.
    #[default]
    Last,
    /// Each is made up for.
    All,
}

const IN_TIME: TimeDelta = TimeDelta::minutes(1);

impl MissedTicks {
    /// The ticks to enqueue at `now`, oldest first, when that of `last` was the last one enqueued.
    pub(crate) fn owed(
        self,
        schedule: &Schedule,
        last: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> impl Iterator<Item = DateTime<Utc>> + Send {
        let in_time = last.max(now - IN_TIME);
        let mut owed = ticks(schedule, if self == Self::All { last } else { in_time }, now).peekable();
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

/// The last tick after `after` and not after `now`, found by looking back further and further: ticks that are close
/// together are found in a short span, and a long span is looked at only when they are far apart.
fn latest(schedule: &Schedule, after: DateTime<Utc>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let spans = [TimeDelta::hours(1), TimeDelta::days(2), TimeDelta::days(62), TimeDelta::days(1_500)];
    let starts = spans.into_iter().filter_map(|span| now.checked_sub_signed(span)).take_while(|start| *start > after);
    starts.chain([after]).find_map(|start| ticks(schedule, start, now).last())
}
