//! Enqueuing from programs that are not written in Rust.

use axum::{Json, extract::State, http::StatusCode, response::IntoResponse};
use chrono::{DateTime, TimeDelta, Utc};
use rexecutor::{
    backend::{AuditObject, Due, Enqueued, NewJob},
    job::{ExecutorName, uniqueness_criteria::UniquenessCriteria},
    limits::MAX_DATA_BYTES,
};
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

use crate::{
    access::Role,
    api::{Ask, Wrong},
    audit::Change,
    problem::Problem,
};

/// How many attempts a job has, as those of `#[job]` do.
const ATTEMPTS: u16 = 5;

/// A job that is to be enqueued. Data are stored as they are written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wish {
    executor: String,
    data: Option<Box<RawValue>>,
    scheduled_at: Option<DateTime<Utc>>,
    /// In seconds.
    delay: Option<f64>,
    priority: Option<u16>,
    max_attempts: Option<u16>,
    #[serde(default)]
    tags: Vec<String>,
    metadata: Option<Box<RawValue>>,
    unique_key: Option<String>,
    /// In seconds.
    unique_within: Option<f64>,
}

impl Wish {
    fn job(self) -> Result<NewJob, String> {
        let due = match (self.scheduled_at, self.delay) {
            (Some(_), Some(_)) => return Err("`scheduled_at` and `delay` exclude each other".to_owned()),
            (Some(at), None) => Due::At(at),
            (None, Some(delay)) => Due::In(seconds("delay", delay)?),
            (None, None) => Due::Now,
        };
        let within = self.unique_within.map(|within| seconds("unique_within", within)).transpose()?;
        let criteria = match (&self.unique_key, within) {
            (Some(key), within) => {
                let criteria = UniquenessCriteria::by_key(key).and_executor();
                Some(within.map_or(criteria, |within| criteria.and_within(within)))
            }
            (None, Some(_)) => return Err("unique: `unique_within` needs a `unique_key`".to_owned()),
            (None, None) => None,
        };
        let data = self.data.map_or_else(|| "null".to_owned(), |data| data.get().to_owned());
        let unique = criteria.and_then(|criteria| criteria.encode(&self.executor, &data));
        let job = NewJob::new(self.executor, data)
            .with_metadata(self.metadata.map(|metadata| metadata.get().to_owned()))
            .with_max_attempts(self.max_attempts.unwrap_or(ATTEMPTS))
            .with_priority(self.priority.unwrap_or(0))
            .with_tags(self.tags)
            .with_due(due)
            .with_unique(unique);
        job.check(MAX_DATA_BYTES).map_err(|error| error.to_string())?;
        Ok(job)
    }
}

fn seconds(field: &str, seconds: f64) -> Result<TimeDelta, String> {
    let micros = seconds * 1e6;
    // Far beyond the longest delay, and within what is counted exactly.
    if !micros.is_finite() || micros.abs() > 9e15 * 4.0 {
        return Err(format!("{field}: {seconds} is no number of seconds that a job can wait"));
    }
    #[expect(clippy::cast_possible_truncation, reason = "it was checked")]
    let micros = micros.round() as i64;
    Ok(TimeDelta::microseconds(micros))
}

fn word(answer: Enqueued) -> (StatusCode, &'static str) {
    match answer {
        Enqueued::Inserted(_) => (StatusCode::CREATED, "inserted"),
        Enqueued::Existing(_) => (StatusCode::OK, "existing"),
        Enqueued::Replaced(_) => (StatusCode::OK, "replaced"),
    }
}

/// Stores a job; the answer is 201, or 200 if there is one with its key.
pub(crate) async fn enqueue(
    State(shared): State<crate::app::Shared>,
    Ask(cx): Ask,
    Json(wish): Json<Wish>,
) -> Result<impl IntoResponse, Wrong> {
    cx.need(Role::Operator)?;
    let executor = ExecutorName::from(wish.executor.clone());
    cx.need_executor(&executor)?;
    let job = wish.job().map_err(Problem::Invalid)?;
    let answer = shared.backend.enqueue(vec![job]).await;
    let first = answer.as_ref().ok().and_then(|answers| answers.first().copied());
    let object = first.map_or_else(AuditObject::jobs, |answer| AuditObject::job(answer.id()));
    let after = first.map_or(Value::Null, |answer| json!({ "result": word(answer).1 }));
    let change = Change::new(&cx, "enqueue", object).of_executor(&executor).changing(Value::Null, after);
    cx.record(change.ended(&answer)).await;
    let answer = answer?.into_iter().next().ok_or_else(|| Problem::Refused("Nothing was enqueued.".to_owned()))?;
    let (status, result) = word(answer);
    Ok((status, Json(json!({ "id": answer.id().to_string(), "result": result }))))
}
