//! What an entry says: a schedule, a job and the policies, in a form that can be stored and compared.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{MissedTicks, Overlap, Schedule, ScheduleError, Template, TimeZone};
use crate::{json, model::NewJob, validate};

/// When, what and how. Two programs that say the same have definitions with one [digest](Self::digest).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Definition {
    pub(crate) rule: Rule,
    pub(crate) job: Template,
    pub(crate) missed: MissedTicks,
    pub(crate) overlap: Overlap,
}

/// A [`Schedule`] that can be stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rule {
    pub(crate) expression: String,
    pub(crate) timezone: String,
    /// Whether the expression means what the `cron` crate takes it for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_of_cron_crate: bool,
    #[serde(default, skip_serializing_if = "is_zero")]
    jitter_ms: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    start: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    end: Option<DateTime<Utc>>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl From<&Schedule> for Rule {
    fn from(schedule: &Schedule) -> Self {
        Self {
            expression: schedule.expression().to_owned(),
            timezone: schedule.timezone().name().to_owned(),
            is_of_cron_crate: schedule.is_of_cron_crate(),
            jitter_ms: u64::try_from(schedule.jitter().as_millis()).unwrap_or(u64::MAX),
            start: schedule.start(),
            end: schedule.end(),
        }
    }
}

impl Rule {
    /// The schedule, by the time zone rules of this process.
    ///
    /// # Errors
    ///
    /// When this version of the program, or its time zone data, does not know what another one has stored.
    pub(crate) fn schedule(&self) -> Result<Schedule, ScheduleError> {
        let mut schedule = match self.is_of_cron_crate.then(|| self.expression.parse::<cron::Schedule>()) {
            Some(Ok(cron)) => Schedule::new(cron, self.timezone.parse::<TimeZone>()?),
            _ => Schedule::parse(&self.expression, &self.timezone)?,
        };
        schedule = schedule.with_jitter(Duration::from_millis(self.jitter_ms))?;
        if let Some(start) = self.start {
            schedule = schedule.with_start(start);
        }
        Ok(match self.end {
            Some(end) => schedule.with_end(end),
            None => schedule,
        })
    }

    /// Whether it ticks at the same instants, but for its jitter.
    pub(crate) fn ticks_as(&self, other: &Self) -> bool {
        (&self.expression, &self.timezone, self.start, self.end)
            == (&other.expression, &other.timezone, other.start, other.end)
    }
}

impl Definition {
    pub(crate) fn new(schedule: &Schedule, job: &NewJob, missed: MissedTicks, overlap: Overlap) -> Self {
        Self { rule: Rule::from(schedule), job: Template::of(job), missed, overlap }
    }

    /// The same in every process that says the same, whatever the order in which its maps and sets are written.
    pub(crate) fn digest(&self) -> String {
        let data = &self.job.data;
        let job = Template { data: json::unordered(data).unwrap_or_else(|| data.clone()), ..self.job.clone() };
        let text = serde_json::to_string(&Self { job, ..self.clone() }).unwrap_or_default();
        validate::digest(&text)
    }

    /// From when on this one owes ticks where another one has ticked until `since`: from `now` on, for it owes nothing of what
    /// the other one did not say. But a tick of the last minute that both say is not lost between the two.
    pub(crate) fn takes_over(&self, other: &Self, since: DateTime<Utc>, now: DateTime<Utc>) -> DateTime<Utc> {
        if self.rule.ticks_as(&other.rule) {
            return since;
        }
        let (Ok(ours), Ok(theirs)) = (self.rule.schedule(), other.rule.schedule()) else { return since.max(now) };
        let hair = TimeDelta::microseconds(1);
        let recent = ours.ticks_after(since.max(now - super::missed::IN_TIME)).take_while(|at| *at <= now);
        let of_both = recent.take(60).find(|at| theirs.next_after(*at - hair) == Some(*at));
        of_both.map_or(since.max(now), |at| at - hair)
    }
}
