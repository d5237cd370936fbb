//! Enqueuing jobs whose executor is not here: their data are JSON.

use std::{
    collections::BTreeMap,
    io::{BufRead, Read},
};

use clap::Args;
use rexecutor::{
    backend::{AuditObject, Deadline, Due, Enqueue as _, Enqueued, NewJob},
    executor::GroupKey,
    job::uniqueness_criteria::UniquenessCriteria,
    limits::MAX_DATA_BYTES,
};
use serde::Deserialize;
use serde_json::{error::Category, json, value::RawValue};

use crate::{
    failure::Failure,
    output::jobs,
    session::Session,
    time::{self, When},
};

/// How many bytes data may have. What an executor allows beyond that is known to its program alone.
pub(crate) const MAX_BYTES: usize = MAX_DATA_BYTES;

/// How many attempts a job has, as those of `#[job]` do.
const ATTEMPTS: u16 = 5;

/// How many jobs are stored in one call.
const BATCH: usize = 1_000;

/// Enqueues a job, or many from lines of JSON
#[derive(Debug, Args)]
#[command(
    after_help = "A line of --lines is an object with `executor`, `data`, and what the options are called, with underscores: \
    {\"executor\":\"mail\",\"data\":{\"to\":\"ada\"},\"in\":\"10m\",\"unique_key\":\"welcome-7\"}"
)]
pub(crate) struct Enqueue {
    /// The name of the job
    #[arg(required_unless_present = "lines", conflicts_with = "lines")]
    executor: Option<String>,
    /// Its data, as JSON; `-` reads them from the standard input
    #[arg(default_value = "null", conflicts_with = "lines")]
    data: String,
    /// Enqueues a job for each line of this file; `-` is the standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = Options::NAMES)]
    lines: Option<String>,
    #[command(flatten)]
    options: Options,
}

/// What may be said of a job.
#[derive(Debug, Default, Args, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Options {
    /// Due after this time: 10m, 2h, 7d
    #[arg(long = "in", value_name = "SPAN", conflicts_with = "at")]
    r#in: Option<String>,
    /// Due at this instant: 2026-01-31T09:30Z
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Lower numbers start first; the default is 0
    #[arg(long)]
    priority: Option<u16>,
    /// How many attempts it has; the default is 5
    #[arg(long)]
    max_attempts: Option<u16>,
    /// A word to find it by
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// Its metadata, as JSON
    #[arg(long, value_name = "JSON", value_parser = raw)]
    metadata: Option<Box<RawValue>>,
    /// The key of limits per key
    #[arg(long)]
    group_key: Option<String>,
    /// One job of this executor with this key; another one is not enqueued beside it
    #[arg(long)]
    unique_key: Option<String>,
    /// One job of this executor with the same data
    #[arg(long)]
    unique_data: bool,
    /// … that was enqueued less than this long ago
    #[arg(long, value_name = "SPAN")]
    unique_within: Option<String>,
    /// After this time there is no use in it any more
    #[arg(long, value_name = "SPAN")]
    deadline_in: Option<String>,
    /// It waits to be released
    #[arg(long)]
    blocked: bool,
}

impl Options {
    const NAMES: [&str; 12] = [
        "in",
        "at",
        "priority",
        "max_attempts",
        "tags",
        "metadata",
        "group_key",
        "unique_key",
        "unique_data",
        "unique_within",
        "deadline_in",
        "blocked",
    ];

    fn job(self, executor: String, data: String) -> Result<NewJob, String> {
        let due = match (self.r#in, self.at) {
            (Some(_), Some(_)) => return Err("`in` and `at` exclude each other".to_owned()),
            (Some(span), None) => Due::In(time::span(&span)?),
            (None, Some(at)) => match When::parse(&at)? {
                When::Now => Due::Now,
                When::In(span) => Due::In(span),
                When::At(at) => Due::At(at),
            },
            (None, None) => Due::Now,
        };
        let criteria = match (&self.unique_key, self.unique_data) {
            (Some(key), is_by_data) => {
                let by_key = UniquenessCriteria::by_key(key).and_executor();
                Some(if is_by_data { by_key.and_data() } else { by_key })
            }
            (None, true) => Some(UniquenessCriteria::by_data()),
            (None, false) if self.unique_within.is_some() => {
                return Err("unique_within needs a key or the data to compare: unique_key, or unique_data".to_owned());
            }
            (None, false) => None,
        };
        let within = self.unique_within.as_deref().map(time::span).transpose()?;
        let criteria = criteria.map(|criteria| within.map_or(criteria, |within| criteria.and_within(within)));
        let unique = match criteria {
            None => None,
            Some(criteria) => Some(criteria.encode(&executor, &data).ok_or("data: not JSON")?),
        };
        let deadline = self.deadline_in.as_deref().map(time::span).transpose()?.map(Deadline::In);
        let group_key = self.group_key.map(|key| GroupKey::of(&key).as_str().map(str::to_owned).unwrap_or(key));
        let job = NewJob::new(executor, data)
            .with_metadata(self.metadata.map(|metadata| metadata.get().to_owned()))
            .with_max_attempts(self.max_attempts.unwrap_or(ATTEMPTS))
            .with_priority(self.priority.unwrap_or(0))
            .with_tags(self.tags)
            .with_due(due)
            .with_blocked(self.blocked)
            .with_unique(unique)
            .with_deadline(deadline)
            .with_group_key(group_key);
        job.check(MAX_BYTES).map_err(|error| error.to_string())?;
        Ok(job)
    }
}

/// Any JSON, as it is written.
pub(crate) fn raw(text: &str) -> Result<Box<RawValue>, String> {
    serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))
}

/// Where in a line its JSON ends to be one.
fn not_json(error: &serde_json::Error) -> String {
    format!("not JSON at column {}: {}", error.column(), without_place(error))
}

/// The line that JSON counts in is one line of a file.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.clone(), |(what, _)| what.to_owned())
}

/// The job that a line says.
fn job_of(line: &str) -> Result<NewJob, String> {
    // As it is written: a value that is read would lose digits.
    let mut fields: BTreeMap<String, Box<RawValue>> =
        serde_json::from_str(line).map_err(|error| match error.classify() {
            Category::Data => "it is JSON, and no object; write {\"executor\":\"mail\",\"data\":…}".to_owned(),
            _ => not_json(&error),
        })?;
    let executor = fields.remove("executor").ok_or("it has no `executor`")?;
    let executor = serde_json::from_str(executor.get()).map_err(|_| "executor: it is no text")?;
    let data = fields.remove("data").map_or_else(|| "null".to_owned(), |data| data.get().to_owned());
    let rest = serde_json::to_string(&fields).map_err(|error| error.to_string())?;
    let options: Options = serde_json::from_str(&rest).map_err(|error| without_place(&error))?;
    options.job(executor, data)
}

pub(crate) async fn run(session: &Session, what: Enqueue) -> Result<(), Failure> {
    let answers = match what.lines {
        Some(file) => of_lines(session, &file).await?,
        None => {
            let data = match what.data.as_str() {
                "-" => whole(&mut std::io::stdin().lock())?,
                _ => what.data,
            };
            let job = what.options.job(what.executor.unwrap_or_default(), data).map_err(Failure::usage)?;
            let executor = job.executor.clone();
            let entry = session.entry("enqueue", AuditObject::jobs()).with_executor(Some(executor));
            let answers = session.change("enqueue 1 job", entry)?.enqueue(vec![job]).await?;
            note(session, &answers);
            answers
        }
    };
    tell(session, &answers)
}

fn whole(input: &mut impl Read) -> Result<String, Failure> {
    let mut text = String::new();
    // One byte more says that it is too long.
    let limit = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    input.take(limit).read_to_string(&mut text).map_err(|error| Failure::usage(format!("the data: {error}")))?;
    Ok(text.trim().to_owned())
}

/// All of them are checked before the first is stored.
async fn of_lines(session: &Session, file: &str) -> Result<Vec<Enqueued>, Failure> {
    let problem = |error: std::io::Error| Failure::usage(format!("`{file}`: {error}"));
    let input: Box<dyn BufRead> = match file {
        "-" => Box::new(std::io::stdin().lock()),
        file => Box::new(std::io::BufReader::new(std::fs::File::open(file).map_err(problem)?)),
    };
    let mut all = Vec::new();
    for (number, line) in (1..).zip(input.lines()) {
        let line = line.map_err(problem)?;
        if !line.trim().is_empty() {
            all.push(job_of(&line).map_err(|problem| Failure::usage(format!("line {number}: {problem}")))?);
        }
    }
    let mut answers = Vec::with_capacity(all.len());
    let entry = session.entry("enqueue", AuditObject::jobs());
    let backend = session.change(&format!("enqueue {}", jobs(all.len())), entry)?;
    for some in all.chunks(BATCH) {
        let stored = backend.enqueue(some.to_vec()).await;
        answers.extend(stored.map_err(|error| {
            let done = answers.len();
            Failure::from(error).hint(&format!("the first {} of the lines are stored, and no others", jobs(done)))
        })?);
        note(session, &answers);
    }
    Ok(answers)
}

/// Says in the audit log how many jobs came in, and the number of the first.
fn note(session: &Session, answers: &[Enqueued]) {
    let first = answers.first().map(|answer| answer.id().to_string());
    session.changes.end(&json!({ "done": answers.len(), "first": first }));
}

fn word(answer: Enqueued) -> &'static str {
    match answer {
        Enqueued::Inserted(_) => "inserted",
        Enqueued::Existing(_) => "existing",
        Enqueued::Replaced(_) => "replaced",
    }
}

fn tell(session: &Session, answers: &[Enqueued]) -> Result<(), Failure> {
    let json = answers.iter().map(|answer| json!({ "id": answer.id().to_string(), "result": word(*answer) }));
    session.output.answer(&json!({ "jobs": json.collect::<Vec<_>>() }), || match answers {
        [one] if one.is_duplicate() => format!("job {} is there already", one.id()),
        [one] => format!("job {} was enqueued", one.id()),
        many => {
            let there = many.iter().filter(|answer| answer.is_duplicate()).count();
            format!("{} enqueued, {there} of them there already", jobs(many.len()))
        }
    })
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn a_line_says_all_that_the_options_say() {
        let line = r#"{"executor":"mail","data":{"n":1.50},"in":"10m","priority":3,"tags":["a"],"unique_key":"k","metadata":[1]}"#;
        let job = job_of(line).unwrap();
        assert_eq!((job.data.as_str(), job.metadata.as_deref()), (r#"{"n":1.50}"#, Some("[1]")));
        assert_eq!((job.due, job.priority, job.max_attempts), (Due::In(TimeDelta::minutes(10)), 3, 5));
        let same = UniquenessCriteria::by_key("k").and_executor().encode("mail", "null");
        assert_eq!(job.unique, same, "a program that compares by the same key sees it");
        for (line, problem) in [
            ("{}", "it has no `executor`"),
            (r#"{"executor":"mail","dta":1}"#, "unknown field `dta`"),
            (r#"{"executor":"mail","in":"soon"}"#, "no time span"),
            (r#"{"executor":"","data":1}"#, "must not be empty"),
            (r#"{"executor":"mail","priority":1000}"#, "the limit is 999"),
            (r#"{"executor":"mail","unique_within":"1h"}"#, "unique_key, or unique_data"),
            (r#"{"executor":"mail","in":"1h","at":"now"}"#, "exclude each other"),
            ("7", "it is JSON, and no object"),
            ("{\"executor\":}", "not JSON at column 13: expected value"),
            ("{\"executor\":7}", "executor: it is no text"),
        ] {
            let error = job_of(line).unwrap_err();
            assert!(error.contains(problem), "{line}: {error}");
        }
    }
}
