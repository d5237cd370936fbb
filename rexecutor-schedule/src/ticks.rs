//! From local times to instants.
//!
//! Expressions match local times, which come in order; which instants they are is decided here.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

use crate::{
    expression::Expression,
    schedule::{Rule, Schedule},
    time_zone::TimeZone,
};

impl Schedule {
    /// The first tick after `after`; `None` if there is none.
    pub fn next_after(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.memo.or_else(after, || self.search(after))
    }

    /// The local time that a tick is known by, in whatever table of time zones: each comes once. `None` where the instant says it
    /// all: in UTC, and where every hour of a day that is 25 hours long has a tick.
    pub fn local_of(&self, tick: DateTime<Utc>) -> Option<NaiveDateTime> {
        match &self.rule {
            Rule::Cron(expression) if !expression.is_hourly() && self.timezone != TimeZone::UTC => {
                Some(self.timezone.local(tick))
            }
            _ => None,
        }
    }

    fn search(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let start = self.dates.start.and_then(|start| start.checked_sub_signed(TimeDelta::nanoseconds(1)));
        let after = start.map_or(after, |start| start.max(after));
        let next = match &self.rule {
            Rule::Every(interval) => interval.after(after),
            Rule::Cron(expression) => self.cron_after(expression, after),
        };
        next.filter(|next| self.dates.end.is_none_or(|end| *next <= end))
    }

    fn cron_after(&self, expression: &Expression, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if self.timezone == TimeZone::UTC {
            // No clock changes there.
            return expression.after(after.naive_utc()).map(|time| time.and_utc());
        }
        // Local times come in order, and so do the first instants of each. Only when clocks go back are there instants
        // ahead whose local times lie behind: those of the repeated hour.
        let ahead = expression.local_after(self.timezone.local(after)).map(|time| self.first_instant(time));
        let ahead = { ahead }.find(|at| *at > after);
        let repeated = expression.is_hourly().then(|| self.repeated(expression, after)).flatten();
        ahead.into_iter().chain(repeated).min()
    }

    /// The next tick among the second instants of local times that happen twice, around the present day.
    fn repeated(&self, expression: &Expression, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let (early, late) = (after - TimeDelta::days(1), after + TimeDelta::days(1));
        let (old, new) = (self.timezone.offset(early), self.timezone.offset(late));
        if old <= new {
            return None;
        }
        let change = first_second(early, late, |at| self.timezone.offset(at) == new);
        // The iteration leaves out where it starts, and the change itself may be a tick.
        let start = after.max(change - TimeDelta::seconds(1));
        let time = expression.local_after(start.naive_utc() + new).next()?;
        (time < change.naive_utc() + old).then(|| (time - new).and_utc())
    }

    /// The instant of a local time: the first, if it happens twice; the moment of the change, if it is skipped.
    fn first_instant(&self, time: NaiveDateTime) -> DateTime<Utc> {
        self.timezone.first_instant(time).unwrap_or_else(|| self.timezone.change_before(time))
    }
}

impl TimeZone {
    /// The moment at which clocks skip the local time `time`.
    pub(crate) fn change_before(&self, time: NaiveDateTime) -> DateTime<Utc> {
        let near = time.and_utc();
        let (early, late) = (near - TimeDelta::days(2), near + TimeDelta::days(2));
        first_second(early, late, |at| self.local(at) > time)
    }
}

impl Expression {
    fn local_after(&self, time: NaiveDateTime) -> impl Iterator<Item = NaiveDateTime> {
        // Not `successors`, which looks for one more than it is asked for.
        let mut last = Some(time);
        std::iter::from_fn(move || {
            last = self.after(last?);
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
