//! From local times to instants.
//!
//! Expressions match local times, which come in order; which instants they are is decided here.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

use crate::{cron_schedule::Schedule, time_zone::TimeZone};

impl Schedule {
    /// The first tick after `after`; `None` if there is none.
    pub fn next_after(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.memo.or_else(after, || self.search(after))
    }

    fn search(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if self.timezone == TimeZone::UTC {
            // No clock changes there.
            return self.fields.after(&self.cron, after.naive_utc()).map(|time| time.and_utc());
        }
        // Local times come in order, and so do the first instants of each. Only when clocks go back are there instants
        // ahead whose local times lie behind: those of the repeated hour.
        let ahead =
            self.local_after(self.timezone.local(after)).map(|time| self.first_instant(time)).find(|at| *at > after);
        let repeated = self.fields.is_hourly().then(|| self.repeated(after)).flatten();
        ahead.into_iter().chain(repeated).min()
    }

    /// The next tick among the second instants of local times that happen twice, around the present day.
    fn repeated(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let (early, late) = (after - TimeDelta::days(1), after + TimeDelta::days(1));
        let (old, new) = (self.timezone.offset(early), self.timezone.offset(late));
        if old <= new {
            return None;
        }
        let change = first_second(early, late, |at| self.timezone.offset(at) == new);
        // The iteration leaves out where it starts, and the change itself may be a tick.
        let start = after.max(change - TimeDelta::seconds(1));
        let time = self.local_after(start.naive_utc() + new).next()?;
        (time < change.naive_utc() + old).then(|| (time - new).and_utc())
    }

    /// The instant of a local time: the first, if it happens twice; the moment of the change, if it is skipped.
    fn first_instant(&self, time: NaiveDateTime) -> DateTime<Utc> {
        self.timezone.first_instant(time).unwrap_or_else(|| self.change_before(time))
    }

    /// The moment at which clocks skip the local time `time`.
    fn change_before(&self, time: NaiveDateTime) -> DateTime<Utc> {
        let near = time.and_utc();
        let (early, late) = (near - TimeDelta::days(2), near + TimeDelta::days(2));
        first_second(early, late, |at| self.timezone.local(at) > time)
    }

    fn local_after(&self, time: NaiveDateTime) -> impl Iterator<Item = NaiveDateTime> {
        // Not `successors`, which looks for one more than it is asked for.
        let mut last = Some(time);
        std::iter::from_fn(move || {
            last = self.fields.after(&self.cron, last?);
            last
        })
    }
}

/// The first whole second between two instants from which `holds` holds, given that it does not at `early` and does at
/// `late`. Clocks change on whole seconds.
fn first_second(early: DateTime<Utc>, late: DateTime<Utc>, holds: impl Fn(DateTime<Utc>) -> bool) -> DateTime<Utc> {
    let (mut no, mut yes) = (early.timestamp(), late.timestamp());
    let instant = |second| DateTime::from_timestamp(second, 0).unwrap_or(late);
    while yes - no > 1 {
        let middle = no + (yes - no) / 2;
        if holds(instant(middle)) { yes = middle } else { no = middle }
    }
    instant(yes)
}
