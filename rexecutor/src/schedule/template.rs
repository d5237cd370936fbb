//! The job of a schedule, in a form that can be stored: any node can enqueue it, also one whose program does not have its code.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::model::{
    Deadline, Debounce, ExecutorName, Fields, FlowId, Headers, JobStatus, NewJob, OnDiscard, Replace, Resolution,
    Statuses, Unique, UniqueKey,
};

/// A [`NewJob`] without its due time, which each tick has its own of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Template {
    pub(crate) executor: String,
    /// JSON.
    pub(crate) data: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) metadata: Option<String>,
    pub(crate) max_attempts: u16,
    pub(crate) priority: u16,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) tags: Vec<String>,
    #[serde(default, skip_serializing_if = "Headers::is_empty")]
    pub(crate) headers: Headers,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) group_key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) order: Option<OnDiscard>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) weight: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) flow: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) deadline: Option<Until>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) unique: Option<Only>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Until {
    /// In microseconds.
    In(i64),
    At(DateTime<Utc>),
}

/// A [`Unique`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Only {
    key: [u8; 16],
    /// In microseconds.
    within: Option<i64>,
    statuses: Vec<JobStatus>,
    replace: Option<(Vec<String>, Vec<JobStatus>)>,
    /// In microseconds: within, and the longest.
    #[serde(default)]
    debounce: Option<(i64, i64)>,
}

impl Template {
    pub(crate) fn of(job: &NewJob) -> Self {
        let extras = &job.extras;
        Self {
            executor: job.executor.to_string(),
            data: job.data.clone(),
            metadata: job.metadata.clone(),
            max_attempts: job.max_attempts,
            priority: job.priority,
            tags: job.tags.clone(),
            headers: extras.headers.clone(),
            group_key: extras.group_key.clone(),
            order: extras.order,
            weight: extras.weight,
            flow: extras.flow.map(|flow| flow.0),
            deadline: extras.deadline.map(|deadline| match deadline {
                Deadline::In(delay) => Until::In(micros(delay)),
                Deadline::At(at) => Until::At(at),
            }),
            unique: job.unique.as_ref().map(Only::of),
        }
    }

    pub(crate) fn job(&self) -> NewJob {
        let deadline = self.deadline.as_ref().map(|until| match until {
            Until::In(delay) => Deadline::In(TimeDelta::microseconds(*delay)),
            Until::At(at) => Deadline::At(*at),
        });
        NewJob::new(ExecutorName::from(self.executor.clone()), self.data.clone())
            .with_metadata(self.metadata.clone())
            .with_max_attempts(self.max_attempts)
            .with_priority(self.priority)
            .with_tags(self.tags.clone())
            .with_headers(self.headers.clone())
            .with_group_key(self.group_key.clone())
            .with_order(self.order)
            .with_weight(self.weight)
            .with_flow(self.flow.map(FlowId))
            .with_deadline(deadline)
            .with_unique(self.unique.as_ref().map(Only::unique))
    }
}

fn micros(delay: TimeDelta) -> i64 {
    delay.num_microseconds().unwrap_or(i64::MAX)
}

impl Only {
    fn of(unique: &Unique) -> Self {
        let (replace, debounce) = match unique.on_conflict {
            Resolution::Replace(replace) => {
                let fields = NAMES.into_iter().filter(|(_, is_in, _)| is_in(&replace.fields()));
                let fields = fields.map(|(name, ..)| name.to_owned()).collect();
                (Some((fields, replace.statuses().iter().collect())), None)
            }
            Resolution::Debounce(Debounce { within, longest }) => (None, Some((micros(within), micros(longest)))),
            Resolution::Ignore => (None, None),
        };
        Self {
            key: unique.key.0,
            within: unique.within.map(micros),
            statuses: unique.statuses.iter().collect(),
            replace,
            debounce,
        }
    }

    fn unique(&self) -> Unique {
        let on_conflict = self.replace.as_ref().and_then(|(fields, statuses)| {
            let named = NAMES.into_iter().filter(|(name, ..)| fields.iter().any(|field| field == name));
            let replace = named.fold(None, |known: Option<Replace>, (_, _, and)| Some(and(known)));
            replace.map(|replace| Resolution::Replace(replace.for_statuses(statuses)))
        });
        let debounce = self.debounce.map(|(within, longest)| {
            Resolution::Debounce(Debounce::new(TimeDelta::microseconds(within), TimeDelta::microseconds(longest)))
        });
        Unique::new(UniqueKey(self.key), Statuses::of(&self.statuses))
            .with_within(self.within.map(TimeDelta::microseconds))
            .with_on_conflict(on_conflict.or(debounce).unwrap_or(Resolution::Ignore))
    }
}

type Named = (&'static str, fn(&Fields) -> bool, fn(Option<Replace>) -> Replace);

/// What can be replaced: its name, whether it is, and how to add it.
const NAMES: [Named; 6] = [
    ("priority", |fields| fields.priority, |known| known.map_or(Replace::priority(), Replace::and_priority)),
    ("data", |fields| fields.data, |known| known.map_or(Replace::data(), Replace::and_data)),
    ("metadata", |fields| fields.metadata, |known| known.map_or(Replace::metadata(), Replace::and_metadata)),
    (
        "scheduled_at",
        |fields| fields.scheduled_at,
        |known| known.map_or(Replace::scheduled_at(), Replace::and_scheduled_at),
    ),
    (
        "max_attempts",
        |fields| fields.max_attempts,
        |known| known.map_or(Replace::max_attempts(), Replace::and_max_attempts),
    ),
    ("tags", |fields| fields.tags, |known| known.map_or(Replace::tags(), Replace::and_tags)),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_comes_back_as_it_was() {
        let replace = Replace::data().and_tags().and_scheduled_at().for_statuses(&[JobStatus::Blocked]);
        let unique = Unique::new(UniqueKey([7; 16]), Statuses::of(&[JobStatus::Complete, JobStatus::Executing]));
        let full = NewJob::new("report", r#"{"b":1,"a":[1.50]}"#)
            .with_metadata(Some("null".to_owned()))
            .with_max_attempts(9)
            .with_priority(3)
            .with_tags(vec!["x".to_owned()])
            .with_headers([("a", "b")].into_iter().collect())
            .with_group_key(Some("g".to_owned()))
            .with_order(OnDiscard::Halt)
            .with_weight(7)
            .with_flow(Some(FlowId(4)))
            .with_deadline(Some(Deadline::In(TimeDelta::seconds(5))))
            .with_unique(Some(
                unique.clone().with_within(TimeDelta::days(1)).with_on_conflict(Resolution::Replace(replace)),
            ));
        let at = Some(Deadline::At(DateTime::UNIX_EPOCH));
        let debounce = Resolution::Debounce(Debounce::new(TimeDelta::seconds(1), TimeDelta::seconds(9)));
        let late = full.clone().with_deadline(at).with_unique(Some(unique.with_on_conflict(debounce)));
        for job in [NewJob::new("plain", "null"), full, late] {
            let text = serde_json::to_string(&Template::of(&job)).unwrap();
            assert_eq!(serde_json::from_str::<Template>(&text).unwrap().job(), job);
        }
    }
}
