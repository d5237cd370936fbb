//! What a job of 0.1 is here.

use chrono::{DateTime, Utc};
use rexecutor::{
    backend::{Due, Failure, Headers, JobRow, NewJob, lifecycle},
    job::{ErrorType, JobError, JobId, JobStatus},
    limits::{self, MAX_ERRORS},
};
use serde::Deserialize;

use super::Import01;
use crate::{
    common::Stored,
    copy::{
        jobs,
        value::{Row, Value},
    },
};

/// A row of 0.1's table. Times are microseconds since 2000.
#[derive(Debug, Clone)]
pub(crate) struct OldJob {
    pub(crate) id: i32,
    pub(crate) status: String,
    pub(crate) executor: String,
    pub(crate) data: String,
    pub(crate) metadata: Option<String>,
    pub(crate) errors: Vec<Option<String>>,
    pub(crate) tags: Vec<Option<String>>,
    pub(crate) attempt: i32,
    pub(crate) max_attempts: i32,
    pub(crate) priority: i32,
    pub(crate) inserted_at: i64,
    pub(crate) scheduled_at: i64,
    pub(crate) attempted_at: Option<i64>,
    pub(crate) completed_at: Option<i64>,
    pub(crate) cancelled_at: Option<i64>,
    pub(crate) discarded_at: Option<i64>,
    /// What time it is.
    pub(crate) now: i64,
}

/// Why it cannot be one of ours.
type Problem = String;

/// An error as 0.1 stores it.
#[derive(Deserialize)]
struct OldError {
    attempt: u16,
    error_type: ErrorType,
    details: String,
    recorded_at: DateTime<Utc>,
}

impl OldJob {
    /// The same job as a row of our table, without a number.
    pub(crate) fn convert(self, max_data_bytes: usize) -> Result<Row, Problem> {
        let (job, cancel_reason) = self.job(max_data_bytes)?;
        Ok(row(&job, cancel_reason))
    }

    /// … and why it was cancelled.
    fn job(self, max_data_bytes: usize) -> Result<(JobRow, Option<String>), Problem> {
        let status = self.status.parse::<JobStatus>().map_err(|error| format!("status: {error}"))?;
        let tags = self.tags.into_iter().collect::<Option<Vec<_>>>().ok_or("tags: one of them is NULL")?;
        // 0.1 stores that there is no metadata as JSON's `null`.
        let metadata = self.metadata.filter(|metadata| metadata != "null");
        let scheduled_at = instant("scheduled_at", self.scheduled_at)?;
        let new = NewJob::new(self.executor, self.data)
            .with_metadata(metadata)
            .with_max_attempts(small("max_attempts", self.max_attempts)?)
            .with_priority(small("priority", self.priority)?)
            .with_tags(tags)
            .with_headers(Headers::from_iter([(Import01::OLD_ID, self.id.to_string())]))
            .with_due(Due::At(scheduled_at));
        new.check(max_data_bytes).map_err(|error| error.to_string())?;
        let now = instant("now", self.now)?;
        let mut job = JobRow::new(JobId::from(0_i64), new, now);
        job.status = status;
        job.attempt = small("attempt", self.attempt)?;
        job.inserted_at = instant("inserted_at", self.inserted_at)?;
        let optional = |name: &'static str, at: Option<i64>| at.map(|at| instant(name, at)).transpose();
        job.attempted_at = optional("attempted_at", self.attempted_at)?;
        let finished_at = match status {
            JobStatus::Complete => optional("completed_at", self.completed_at)?,
            JobStatus::Cancelled => optional("cancelled_at", self.cancelled_at)?,
            _ => optional("discarded_at", self.discarded_at)?,
        };
        if matches!(status, JobStatus::Complete | JobStatus::Cancelled | JobStatus::Discarded) {
            job.set_finished_at(finished_at.or(job.attempted_at).or(Some(scheduled_at)));
        }
        job.errors = self.errors.into_iter().map(error).collect::<Result<_, _>>()?;
        let cancel_reason = cancel_reason(&mut job);
        // The first one says how it began.
        if job.errors.len() > MAX_ERRORS {
            job.errors.drain(1..=job.errors.len() - MAX_ERRORS);
        }
        if job.status == JobStatus::Executing {
            lifecycle::rescue(&mut job, now);
        }
        Ok((job, cancel_reason))
    }
}

/// 0.1 stores why a job was cancelled as an error; here it is none.
fn cancel_reason(job: &mut JobRow) -> Option<String> {
    let is_reason = |error: &&JobError| error.error_type.as_str() == "cancelled";
    match (job.status, job.errors.last().filter(is_reason)) {
        (JobStatus::Cancelled, Some(_)) => job.errors.pop().map(|error| error.details),
        _ => None,
    }
}

fn error(stored: Option<String>) -> Result<JobError, Problem> {
    let stored = stored.ok_or("errors: one of them is NULL")?;
    let read = serde_json::from_str::<OldError>(&stored);
    let OldError { attempt, error_type, details, recorded_at } = read.map_err(|error| format!("errors: {error}"))?;
    match limits::is_storable(recorded_at) {
        true => Ok(JobError::new(attempt, Failure::new(error_type, details), recorded_at)),
        false => Err("errors: one was recorded at a time that is not in the years 1 to 9999".to_owned()),
    }
}

fn small(name: &str, value: i32) -> Result<u16, Problem> {
    u16::try_from(value).map_err(|_| format!("{name}: {value} is not between 0 and 65,535"))
}

fn instant(name: &str, micros: i64) -> Result<DateTime<Utc>, Problem> {
    const EPOCH: i64 = 946_684_800_000_000;
    let at = micros.checked_add(EPOCH).and_then(DateTime::from_timestamp_micros);
    at.filter(|at| limits::is_storable(*at)).ok_or_else(|| format!("{name}: it is not in the years 1 to 9999"))
}

/// In the order of the columns in [`JOBS`](crate::copy::tables::JOBS).
fn row(job: &JobRow, cancel_reason: Option<String>) -> Row {
    let at = |at: DateTime<Utc>| Value::Long(at.timestamp_micros());
    let optional = |instant: Option<DateTime<Utc>>| instant.map_or(Value::Null, at);
    let text = |text: Option<String>| text.map_or(Value::Null, Value::Text);
    let mut row = vec![
        Value::Long(0),
        Value::Text(job.executor.as_str().to_owned()),
        Value::Text(job.status.as_str().to_owned()),
        Value::Long(job.priority.into()),
        at(job.scheduled_at),
        Value::Long(job.attempt.into()),
        Value::Long(job.max_attempts.into()),
        // The lease, and what few jobs have.
        Value::Long(0),
        Value::Null,
        Value::Null,
        at(job.inserted_at),
        optional(job.attempted_at),
        optional(job.finished_at()),
        Value::Null,
        Value::Null,
        Value::Null,
        Value::Null,
        Value::Null,
        Value::Texts(job.tags.clone()),
        text(cancel_reason),
        Value::Texts(job.errors.iter().map(|error| serde_json::json!(error).to_string()).collect()),
        text(job.metadata.clone()),
        Value::Text(job.data.clone()),
        Value::Null,
        text(Stored::of(&job.extras, None).encode()),
    ];
    jobs::normalize(&mut row);
    row
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::copy::tables::JOBS;

    fn old(status: &str) -> OldJob {
        OldJob {
            id: 7,
            status: status.to_owned(),
            executor: "mail".to_owned(),
            data: r#"{"to": "ada"}"#.to_owned(),
            metadata: Some("null".to_owned()),
            errors: Vec::new(),
            tags: Vec::new(),
            attempt: 1,
            max_attempts: 5,
            priority: 3,
            inserted_at: 1,
            scheduled_at: 2,
            attempted_at: Some(3),
            completed_at: None,
            cancelled_at: None,
            discarded_at: None,
            now: 1_000_000,
        }
    }

    fn failure(attempt: u16, kind: &str) -> Option<String> {
        Some(format!(
            r#"{{"attempt": {attempt}, "details": "why", "error_type": "{kind}", "recorded_at": "2024-03-30T22:14:37.5+00:00"}}"#
        ))
    }

    fn job(old: OldJob) -> (JobRow, Option<String>) {
        old.job(1_000).unwrap()
    }

    #[test]
    fn each_column_stands_where_the_table_has_it() {
        let old = OldJob { tags: vec![Some("vip".to_owned())], errors: vec![failure(1, "panic")], ..old("retryable") };
        let row = old.convert(1_000).unwrap();
        let by_name = |name: &str| &row[JOBS.columns.iter().position(|column| column.name == name).unwrap()];
        assert_eq!(row.len(), JOBS.columns.len());
        let text = |text: &str| Value::Text(text.to_owned());
        assert_eq!((by_name("executor"), by_name("status")), (&text("mail"), &text("retryable")));
        assert_eq!((by_name("data"), by_name("metadata")), (&text(r#"{"to": "ada"}"#), &Value::Null));
        assert_eq!(by_name("tags"), &Value::Texts(vec!["vip".to_owned()]));
        assert_eq!(by_name("extras"), &text(r#"{"headers":{"rexecutor_0_1_id":"7"}}"#));
        let long = |name: &str| by_name(name).long();
        assert_eq!(["priority", "attempt", "max_attempts", "lease"].map(long), [3, 1, 5, 0].map(Some));
        let times = ["inserted_at", "scheduled_at", "attempted_at"].map(long);
        assert_eq!(times, [1, 2, 3].map(|micros| Some(946_684_800_000_000 + micros)));
        for name in ["node", "marks", "finished_at", "deadline_at", "group_key", "line", "flow", "unique_key", "output"]
        {
            assert_eq!(by_name(name), &Value::Null, "{name}");
        }
        assert_eq!(by_name("cancel_reason"), &Value::Null);
        assert_eq!(by_name("errors").texts().len(), 1);
    }

    #[test]
    fn a_job_whose_program_died_is_due_again_or_has_used_up_its_attempts() {
        let (again, _) = job(old("executing"));
        assert_eq!((again.status, again.attempt), (JobStatus::Retryable, 1));
        assert_eq!(again.scheduled_at, instant("now", 1_000_000).unwrap());
        assert_eq!(again.errors[0].error_type, ErrorType::NodeLost);
        let (over, _) = job(OldJob { max_attempts: 1, ..old("executing") });
        assert_eq!((over.status, over.finished_at()), (JobStatus::Discarded, Some(again.scheduled_at)));
    }

    #[test]
    fn why_a_job_was_cancelled_is_no_error() {
        let errors = vec![failure(1, "panic"), failure(2, "cancelled")];
        let (cancelled, reason) = job(OldJob { errors: errors.clone(), cancelled_at: Some(9), ..old("cancelled") });
        assert_eq!((cancelled.errors.len(), reason.as_deref()), (1, Some("why")));
        assert_eq!(cancelled.cancelled_at, Some(instant("", 9).unwrap()));
        // An error that only has this name.
        let (retried, reason) = job(OldJob { errors, ..old("retryable") });
        assert_eq!((retried.errors.len(), reason), (2, None));
    }

    #[test]
    fn of_many_errors_the_first_and_the_newest_are_kept() {
        let (job, _) =
            job(OldJob { errors: (1..=25).map(|attempt| failure(attempt, "x")).collect(), ..old("retryable") });
        let attempts: Vec<u16> = job.errors.iter().map(|error| error.attempt).collect();
        assert_eq!(attempts, std::iter::once(1).chain(7..=25).collect::<Vec<_>>());
    }

    #[test]
    fn what_cannot_be_one_of_ours_says_why() {
        let text = |bytes: usize| "x".repeat(bytes);
        for (old, said) in [
            (OldJob { status: "blue".to_owned(), ..old("complete") }, "status: "),
            (OldJob { executor: String::new(), ..old("complete") }, "name: the name of an executor must not be empty"),
            (OldJob { executor: "limit:x".to_owned(), ..old("complete") }, "name: names that begin with `limit:`"),
            (
                OldJob { data: format!("\"{}\"", text(1_000)), ..old("complete") },
                "data: 1002 bytes as JSON; the limit is 1000",
            ),
            (OldJob { metadata: Some(format!("\"{}\"", text(1_000))), ..old("complete") }, "metadata: 1002 bytes"),
            (OldJob { priority: 1_000, ..old("complete") }, "priority: 1000; the limit is 999"),
            (OldJob { priority: -1, ..old("complete") }, "priority: -1 is not between 0 and 65,535"),
            (OldJob { max_attempts: 0, ..old("complete") }, "max_attempts: 0 attempts; the least is 1"),
            (OldJob { attempt: 70_000, ..old("complete") }, "attempt: 70000 is not between"),
            (OldJob { tags: vec![None], ..old("complete") }, "tags: one of them is NULL"),
            (OldJob { tags: vec![Some(text(256))], ..old("complete") }, "tags: a tag of 256 bytes"),
            (OldJob { errors: vec![None], ..old("complete") }, "errors: one of them is NULL"),
            (OldJob { errors: vec![Some("{}".to_owned())], ..old("complete") }, "errors: missing field"),
            (OldJob { scheduled_at: i64::MAX, ..old("complete") }, "scheduled_at: it is not in the years 1 to 9999"),
            (OldJob { inserted_at: i64::MIN, ..old("complete") }, "inserted_at: it is not"),
            (OldJob { completed_at: Some(i64::MAX), ..old("complete") }, "completed_at: it is not"),
        ] {
            let problem = old.clone().convert(1_000).unwrap_err();
            assert!(problem.starts_with(said), "{problem}");
        }
    }
}
