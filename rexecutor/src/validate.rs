//! What is refused before anything is stored.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{
    Serialize,
    de::{DeserializeOwned, IgnoredAny},
};

use crate::{
    json,
    limits::{
        self, MAX_DATA_BYTES, MAX_DELAY, MAX_DEPTH, MAX_HEADER_BYTES, MAX_KEY_BYTES, MAX_PRIORITY, MAX_TAG_BYTES,
        MAX_TAGS,
    },
    model::{Deadline, Debounce, Due, ExecutorName, Headers, JobChange, Limit, LimitChange, NewJob, Pause},
};

/// A field of a job that is not acceptable. Nothing was stored.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct InvalidJob {
    field: &'static str,
    problem: String,
}

crate::debug_as_sentence!(InvalidJob);

impl InvalidJob {
    pub(crate) fn new(field: &'static str, problem: impl Into<String>) -> Self {
        Self { field, problem: problem.into() }
    }

    /// Which field: `name`, `data`, `metadata`, `max_attempts`, `priority`, `tags`,
    /// `headers`, `group_key`, `weight`, `schedule_in`, `schedule_at`, `deadline`, `max_pending`,
    /// `debounce` or `unique`; of a step, its `name`, `output` or `delay`; of a batch, its `name`, a
    /// `threshold`, or a callback that is `unique` or `blocked`.
    pub fn field(&self) -> &'static str {
        self.field
    }
}

type Checked = Result<(), InvalidJob>;

/// Checks a new job whose data may have `max_bytes`.
pub(crate) fn new_job(job: &NewJob, max_bytes: usize) -> Checked {
    name(job.executor.as_str())?;
    json("data", &job.data, max_bytes)?;
    job.metadata.as_deref().map_or(Ok(()), |metadata| json("metadata", metadata, max_bytes))?;
    attempts(job.max_attempts)?;
    priority(job.priority)?;
    tags(&job.tags)?;
    headers(&job.extras.headers)?;
    if job.extras.max_pending == Some(0) {
        return Err(InvalidJob::new("max_pending", "a queue in which no job may wait takes none; the least is 1"));
    }
    match job.extras.deadline {
        None => {}
        Some(Deadline::In(delay)) => self::delay("deadline", delay)?,
        Some(Deadline::At(at)) => instant("deadline", at)?,
    }
    match job.due {
        Due::Now => {}
        Due::In(delay) => self::delay("schedule_in", delay)?,
        Due::At(at) => instant("schedule_at", at)?,
    }
    let is_too_late = match (job.due, job.extras.deadline) {
        (Due::In(delay), Some(Deadline::In(deadline))) => deadline <= delay,
        (Due::At(due), Some(Deadline::At(deadline))) => deadline <= due,
        (_, Some(Deadline::In(deadline))) => deadline.is_zero(),
        _ => false,
    };
    match is_too_late {
        true => Err(InvalidJob::new("deadline", "it passes before the job is due, so the job would never start")),
        false => Ok(()),
    }
}

impl NewJob {
    /// Checks a job that was put together by hand, as a builder checks its own: one whose executor this program does not have. Its data
    /// and metadata may each have `max_bytes`, which are [`MAX_DATA_BYTES`] by default.
    ///
    /// # Errors
    ///
    /// Names the first field that is not acceptable, and what is wrong with it.
    ///
    /// # Examples
    ///
    /// ```
    /// use rexecutor::{backend::NewJob, limits::MAX_DATA_BYTES};
    ///
    /// assert!(NewJob::new("mail", r#"{"to":"ada"}"#).check(MAX_DATA_BYTES).is_ok());
    /// let error = NewJob::new("mail", "{to:ada}").check(MAX_DATA_BYTES).unwrap_err();
    /// assert_eq!(error.to_string(), "data: not JSON: key must be a string at line 1 column 2");
    /// ```
    pub fn check(&self, max_bytes: usize) -> Result<(), InvalidJob> {
        new_job(self, max_bytes)?;
        for (field, text) in [("data", Some(&self.data)), ("metadata", self.metadata.as_ref())] {
            let read = text.map_or(Ok(IgnoredAny), |text| serde_json::from_str::<IgnoredAny>(text));
            read.map_err(|error| InvalidJob::new(field, format!("not JSON: {error}")))?;
        }
        match &self.extras.group_key {
            Some(key) if key.len() > MAX_KEY_BYTES => {
                return Err(InvalidJob::new(
                    "group_key",
                    format!("the key has {} bytes; the limit is {MAX_KEY_BYTES}", key.len()),
                ));
            }
            Some(key) if key.contains('\0') => {
                return Err(InvalidJob::new("group_key", "the key contains U+0000, which PostgreSQL cannot store"));
            }
            _ => {}
        }
        match &self.unique {
            Some(unique) if unique.within.is_some_and(|within| within < TimeDelta::microseconds(1)) => {
                Err(InvalidJob::new("unique", "the time within which jobs are unique must be over zero"))
            }
            _ => Ok(()),
        }
    }
}

/// Checks a job that waits for later calls, by what was said of it beside that.
pub(crate) fn debounced(job: &NewJob, debounce: Debounce) -> Checked {
    let Debounce { within, longest } = debounce;
    let problem = |problem: &str| Err(InvalidJob::new("debounce", problem));
    delay("debounce", within)?;
    delay("debounce", longest)?;
    match (job.due, job.extras.deadline) {
        _ if within.is_zero() => problem("a job that waits for no time for later calls; the least is 1 microsecond"),
        _ if longest < within => problem("the longest wait is shorter than the time that each call waits"),
        (Due::In(_) | Due::At(_), _) => {
            problem("when a debounced job is due follows from its calls: leave `schedule_in` and `schedule_at` out")
        }
        _ if job.blocked => problem("a blocked job waits for its release, and not for later calls"),
        (_, Some(Deadline::In(deadline))) if deadline <= longest => {
            problem("the deadline, which counts from the first call, comes before the longest wait is over")
        }
        (_, Some(Deadline::At(_))) => problem(
            "the deadline of the first call would hold for the later ones: give the time from the first call with \
             `deadline_in`",
        ),
        _ => Ok(()),
    }
}

/// Checks that what was encoded can be decoded again, and loses nothing that cannot be seen in the text: else each of the job's
/// attempts would fail in the same way. Only with debug assertions, as programs are tested: it takes about as long as encoding.
pub(crate) fn comes_back<T: Serialize + DeserializeOwned>(field: &'static str, value: &T, text: &str) -> Checked {
    if !cfg!(debug_assertions) {
        return Ok(());
    }
    if let Some(loss) = json::first_loss(value) {
        return Err(InvalidJob::new(field, loss.to_string()));
    }
    serde_json::from_str::<T>(text).map(drop).map_err(|error| {
        let hint = json::first_wide(value).map(|place| format!("; {place} has 128 bits")).unwrap_or_default();
        InvalidJob::new(field, format!("encoded as JSON, they do not decode again: {error}{hint}"))
    })
}

/// Checks what a job gives, as JSON; the error says what is wrong.
pub(crate) fn output(output: &str, max_bytes: usize) -> Result<(), String> {
    json("the output", output, max_bytes).map_err(|error| error.to_string())
}

/// Checks what is to change in a stored job.
pub(crate) fn change(change: &JobChange, max_bytes: usize) -> Checked {
    json("data", &change.data, max_bytes)?;
    change.metadata.as_deref().map_or(Ok(()), |metadata| json("metadata", metadata, max_bytes))?;
    attempts(change.max_attempts)?;
    priority(change.priority)?;
    tags(&change.tags)?;
    instant("schedule_at", change.scheduled_at)
}

/// Checks the name of an executor.
pub(crate) fn name(name: &str) -> Checked {
    if name.starts_with(Limit::PREFIX) {
        return Err(InvalidJob::new("name", "names that begin with `limit:` are those of limits that executors share"));
    }
    name_of("an executor", name)
}

/// Checks the name of a schedule entry.
pub(crate) fn entry_name(name: &str) -> Checked {
    name_of("a schedule entry", name)
}

/// Checks the name of a batch.
pub(crate) fn batch_name(name: &str) -> Checked {
    name_of("a batch", name)
}

/// Checks the name of a workflow.
pub(crate) fn workflow_name(name: &str) -> Checked {
    name_of("a workflow", name)
}

/// Checks the name of a step, or of a signal.
pub(crate) fn step_name(name: &str) -> Checked {
    name_of("a step", name)
}

/// Checks what a step gave, or a signal's value.
pub(crate) fn step_output(output: &str) -> Checked {
    json("output", output, MAX_DATA_BYTES)
}

/// Checks for how long a step sleeps or waits.
pub(crate) fn step_delay(delay: TimeDelta) -> Checked {
    self::delay("delay", delay)
}

fn name_of(what: &str, name: &str) -> Checked {
    let max = ExecutorName::MAX_BYTES;
    let problem = match name.len() {
        0 => "must not be empty".to_owned(),
        bytes if bytes > max => format!("has {bytes} bytes; the limit is {max}"),
        _ if name.contains('\0') => "contains U+0000".to_owned(),
        _ => return Ok(()),
    };
    Err(InvalidJob::new("name", format!("the name of {what} {problem}")))
}

fn json(field: &'static str, json: &str, max_bytes: usize) -> Checked {
    if json.len() > max_bytes {
        return Err(InvalidJob::new(field, format!("{} bytes as JSON; the limit is {max_bytes}", json.len())));
    }
    let shape = json::shape(json);
    if shape.depth > MAX_DEPTH {
        return Err(InvalidJob::new(field, format!("{} levels of JSON; the limit is {MAX_DEPTH}", shape.depth)));
    }
    if shape.has_nul {
        return Err(InvalidJob::new(field, "a string contains U+0000, which PostgreSQL cannot store"));
    }
    Ok(())
}

fn attempts(max_attempts: u16) -> Checked {
    match max_attempts {
        0 => Err(InvalidJob::new("max_attempts", "0 attempts; the least is 1")),
        _ => Ok(()),
    }
}

fn priority(priority: u16) -> Checked {
    match priority {
        0..=MAX_PRIORITY => Ok(()),
        _ => Err(InvalidJob::new("priority", format!("{priority}; the limit is {MAX_PRIORITY}"))),
    }
}

fn tags(tags: &[String]) -> Checked {
    if tags.len() > MAX_TAGS {
        return Err(InvalidJob::new("tags", format!("{} tags; the limit is {MAX_TAGS}", tags.len())));
    }
    for tag in tags {
        if tag.len() > MAX_TAG_BYTES {
            return Err(InvalidJob::new("tags", format!("a tag of {} bytes; the limit is {MAX_TAG_BYTES}", tag.len())));
        }
        if tag.contains('\0') {
            return Err(InvalidJob::new("tags", "a tag contains U+0000, which PostgreSQL cannot store"));
        }
    }
    Ok(())
}

fn headers(headers: &Headers) -> Checked {
    let bytes: usize = headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    if bytes > MAX_HEADER_BYTES {
        return Err(InvalidJob::new("headers", format!("{bytes} bytes in all; the limit is {MAX_HEADER_BYTES}")));
    }
    if headers.iter().any(|(name, value)| name.contains('\0') || value.contains('\0')) {
        return Err(InvalidJob::new("headers", "one contains U+0000, which PostgreSQL cannot store"));
    }
    Ok(())
}

fn delay(field: &'static str, delay: TimeDelta) -> Checked {
    if delay < TimeDelta::zero() {
        let problem = "the delay is negative; zero is due at once, and `schedule_at` takes an instant in the past";
        return Err(InvalidJob::new(field, problem));
    }
    if delay > MAX_DELAY {
        let problem = format!("a delay of {} days; the limit is {}", delay.num_days(), MAX_DELAY.num_days());
        return Err(InvalidJob::new(field, problem));
    }
    Ok(())
}

fn instant(field: &'static str, at: DateTime<Utc>) -> Checked {
    if limits::is_storable(at) {
        return Ok(());
    }
    Err(InvalidJob::new(field, format!("{at} cannot be stored; the limits are the years 1 and 9999")))
}

/// Text of a job's own making, fit to be stored: at most 64 KiB, U+0000 shown as U+FFFD.
pub(crate) fn text(text: &str) -> String {
    const MAX_BYTES: usize = 64 * 1024;
    let end = (0..=MAX_BYTES.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text[..end].replace('\0', "\u{fffd}")
}

/// A pause whose texts can be stored.
pub(crate) fn pause(pause: Pause) -> Pause {
    Pause { reason: text(&pause.reason), by: pause.by.as_deref().map(text), ..pause }
}

/// Limits whose texts can be stored.
pub(crate) fn limit_change(change: LimitChange) -> LimitChange {
    LimitChange { reason: text(&change.reason), by: change.by.as_deref().map(text), ..change }
}

/// A short text that stands for a long one.
pub(crate) fn digest(text: &str) -> String {
    use sha2::Digest;
    sha2::Sha256::digest(text)[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A delay of a job's own making, fit to be waited for.
pub(crate) fn clamp(delay: TimeDelta) -> TimeDelta {
    delay.clamp(TimeDelta::zero(), MAX_DELAY)
}
