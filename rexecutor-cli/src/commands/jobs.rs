//! Jobs: listing, showing, explaining and changing them.

use std::process::ExitCode;

use chrono::{DateTime, Utc};
use clap::{ArgGroup, Args, Subcommand};
use rexecutor::{
    backend::{
        AuditObject, Filter, Inspect, JobRow,
        observe::{Explanation, JobOrder, JobsRequest, Position},
    },
    clock::{Clock, SystemClock},
    job::JobStatus,
    observe,
};
use rexecutor_web::{shapes, views};
use serde_json::{Value, json};

use super::{
    bulk::{self, Which},
    enqueue,
};
use crate::{
    args::count,
    failure::Failure,
    output::{facts, remark, table},
    session::Session,
    time::{When, instant},
};

/// Jobs: listing, showing, explaining and changing them
#[derive(Debug, Subcommand)]
pub(crate) enum Jobs {
    /// Lists jobs, as the dashboard does
    List(List),
    /// Shows all of a job, and why it is not running
    Show {
        #[arg(value_parser = bulk::id)]
        id: i64,
    },
    /// Says in one sentence why a job is not running
    Explain {
        #[arg(value_parser = bulk::id)]
        id: i64,
    },
    /// Makes jobs due now, with all their attempts, unless they are complete
    Retry {
        #[command(flatten)]
        which: Which,
        /// Also those that are complete
        #[arg(long)]
        again: bool,
    },
    /// Cancels jobs: at once those that wait, and those that run as soon as they stop
    Cancel {
        #[command(flatten)]
        which: Which,
        /// Why, for whoever looks at the job
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Deletes finished jobs
    Delete(Which),
    /// Makes waiting jobs due now; their attempts count as before
    RunNow(Which),
    /// Lets blocked jobs run, and the jobs behind one that halts its line
    Release(Which),
    /// Changes a job that does not run
    Edit(Edit),
    /// Enqueues a job, or many from lines of JSON
    Enqueue(enqueue::Enqueue),
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// What is looked for, as on the dashboard: executor:mail tag:vip error:timeout since:1h …
    #[arg(value_name = "SEARCH")]
    search: Vec<String>,
    /// Only jobs of these statuses, with commas between them
    #[arg(long, value_delimiter = ',', value_parser = status)]
    status: Vec<JobStatus>,
    /// The order: newest, oldest, due (of jobs that wait) or finished
    #[arg(long, default_value = "newest", value_parser = order)]
    order: JobOrder,
    /// How many, up to 1,000
    #[arg(long, default_value_t = 50, value_name = "COUNT", value_parser = count)]
    limit: usize,
    /// Behind this position, which the page before has told
    #[arg(long, value_name = "POSITION")]
    after: Option<Position>,
}

#[derive(Debug, Args)]
#[group(skip)]
#[command(group(ArgGroup::new("change").required(true).multiple(true).args(["data", "metadata", "priority", "max_attempts", "tags", "due"])))]
pub(crate) struct Edit {
    #[arg(value_parser = bulk::id)]
    id: i64,
    /// New data, as JSON
    #[arg(long, value_name = "JSON")]
    data: Option<String>,
    /// New metadata, as JSON
    #[arg(long, value_name = "JSON")]
    metadata: Option<String>,
    /// Lower numbers start first
    #[arg(long)]
    priority: Option<u16>,
    /// How many attempts it has
    #[arg(long)]
    max_attempts: Option<u16>,
    /// New tags, in place of all the others
    #[arg(long = "tag", value_name = "TAG")]
    tags: Option<Vec<String>>,
    /// When it is due: now, 10m, 2026-01-31T09:30Z
    #[arg(long, value_parser = When::parse)]
    due: Option<When>,
}

pub(crate) fn status(text: &str) -> Result<JobStatus, String> {
    text.parse().map_err(|error: rexecutor::job::UnknownStatus| error.to_string())
}

fn order(text: &str) -> Result<JobOrder, String> {
    JobOrder::of_word(text).ok_or_else(|| "it is newest, oldest, due or finished".to_owned())
}

pub(crate) async fn run(session: &Session, what: Jobs) -> Result<ExitCode, Failure> {
    let done = |()| ExitCode::SUCCESS;
    match what {
        Jobs::List(list) => self::list(session, &list).await.map(done),
        Jobs::Show { id } => show(session, id).await.map(done),
        Jobs::Explain { id } => explain(session, id).await.map(done),
        Jobs::Retry { which, again: true } => {
            let suits = |status| !matches!(status, JobStatus::Executing | JobStatus::Blocked);
            which.each(session, "retry", suits, async |backend, job| backend.rerun(&job.executor, job.id).await).await
        }
        Jobs::Retry { which, again: false } => {
            let suits =
                |status: JobStatus| !matches!(status, JobStatus::Executing | JobStatus::Blocked | JobStatus::Complete);
            let retry = async |backend: &rexecutor_sqlx::AnyBackend, job: &JobRow| {
                backend.rerun_unless_complete(&job.executor, job.id).await
            };
            which.each(session, "retry", suits, retry).await
        }
        Jobs::Cancel { which, reason } => {
            let by = format!("cancelled by {}", session.by);
            let reason = if reason.is_empty() { by } else { format!("{reason} ({by})") };
            let reason = reason.replace('\0', "\u{fffd}");
            let cancel = async |backend: &rexecutor_sqlx::AnyBackend, job: &JobRow| {
                backend.cancel(&job.executor, job.id, reason.clone()).await
            };
            which.each(session, "cancel", |status| !status.is_finished(), cancel).await
        }
        Jobs::Delete(which) => {
            let delete =
                async |backend: &rexecutor_sqlx::AnyBackend, job: &JobRow| backend.delete(&job.executor, job.id).await;
            which.each(session, "delete", JobStatus::is_finished, delete).await
        }
        Jobs::RunNow(which) => {
            which
                .each(session, "run", |status| status.is_pending() || status == JobStatus::Blocked, bulk::run_now)
                .await
        }
        Jobs::Release(which) => {
            let suits = |status| matches!(status, JobStatus::Blocked | JobStatus::Discarded);
            let release =
                async |backend: &rexecutor_sqlx::AnyBackend, job: &JobRow| backend.release(&job.executor, job.id).await;
            which.each(session, "release", suits, release).await
        }
        Jobs::Edit(edit) => self::edit(session, edit).await.map(done),
        Jobs::Enqueue(enqueue) => enqueue::run(session, enqueue).await.map(done),
    }
}

/// Words of a search as one text. An argument with spaces in it is one word, as the shell has read it.
pub(super) fn search(words: &[String]) -> String {
    let quoted = |word: &String| match word.contains(char::is_whitespace) && !word.contains('"') {
        true => format!("\"{word}\""),
        false => word.clone(),
    };
    words.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

async fn list(session: &Session, list: &List) -> Result<(), Failure> {
    let mut filter = views::filter(&search(&list.search), SystemClock.now())?;
    if !list.status.is_empty() {
        filter = filter.and(Filter::StatusIn(list.status.clone()));
    }
    let request = JobsRequest::new(filter).in_order(list.order).after(list.after).at_most(list.limit);
    let page = session.observe()?.page(&request).await?;
    let json = json!({
        "jobs": page.jobs.iter().map(|job| shapes::job(job, str::to_owned)).collect::<Vec<_>>(),
        "next": page.next.map(|next| next.to_string()), "is_partial": page.is_partial, "now": shapes::instant(page.now),
    });
    session.output.answer(&json, || match page.jobs.is_empty() {
        true => "no jobs".to_owned(),
        false => table(&HEADINGS, page.jobs.iter().map(|job| row(job, page.now))),
    })?;
    if let (Some(next), false) = (page.next, session.output.json) {
        remark(&format!("there may be more: --after {next}"));
    }
    Ok(())
}

/// What stands over the rows of jobs.
pub(super) const HEADINGS: [&str; 6] = [">id", "status", "executor", ">attempt", "when", "last error"];

pub(super) fn row(job: &JobRow, now: DateTime<Utc>) -> Vec<String> {
    let at = match job.status {
        JobStatus::Executing => job.attempted_at.unwrap_or(job.scheduled_at),
        _ => job.finished_at().unwrap_or(job.scheduled_at),
    };
    let error = job.errors.last().map(|error| format!("{}: {}", error.error_type, views::short(&error.details, 60)));
    let attempt = format!("{}/{}", job.attempt, job.max_attempts);
    let status = job.status.to_string();
    let when = views::relative(at, now);
    vec![job.id.to_string(), status, job.executor.to_string(), attempt, when, error.unwrap_or_default()]
}

pub(super) async fn why(session: &Session, id: i64) -> Result<Explanation, Failure> {
    let why = observe::explain_on_backend(id, session.read()).await?;
    why.ok_or_else(|| Failure::refused(format!("there is no job {id}; it may have been deleted after it finished")))
}

async fn explain(session: &Session, id: i64) -> Result<(), Failure> {
    let why = why(session, id).await?;
    session.output.answer(&shapes::explanation(&why), || {
        let evidence = why.evidence.iter().map(|(what, fact)| (format!("  {what}"), fact.clone()));
        format!("{why}\n{}", facts(evidence))
    })
}

async fn show(session: &Session, id: i64) -> Result<(), Failure> {
    let (job, why) = (bulk::find(session, id).await?, why(session, id).await?);
    let mut json = shapes::job(&job, str::to_owned);
    if let Value::Object(fields) = &mut json {
        fields.insert("why".to_owned(), shapes::explanation(&why));
    }
    session.output.answer(&json, || text(&job, &why))
}

pub(super) fn text(job: &JobRow, why: &Explanation) -> String {
    let fact = |name: &str, fact: String| (name.to_owned(), fact);
    let at = |at: Option<DateTime<Utc>>| at.map_or(String::new(), |at| instant(at, why.now));
    let extras = &job.extras;
    let mut shown = vec![
        fact("job", job.id.to_string()),
        fact("executor", job.executor.to_string()),
        fact("status", job.status.to_string()),
        fact("why", why.to_string()),
        fact("attempt", format!("{} of {}", job.attempt, job.max_attempts)),
        fact("priority", job.priority.to_string()),
        fact("tags", job.tags.join(", ")),
        fact("key", extras.group_key.clone().unwrap_or_default()),
        fact(
            "unique",
            job.unique_key.map_or(String::new(), |key| key.0.iter().map(|byte| format!("{byte:02x}")).collect()),
        ),
        fact("part of", part_of(job)),
        fact("node", job.node.map_or(String::new(), |node| node.to_string())),
        fact("enqueued", at(Some(job.inserted_at))),
        fact("due", at(Some(job.scheduled_at))),
        fact("started", at(job.attempted_at)),
        fact("finished", at(job.finished_at())),
        fact("deadline", at(job.deadline())),
        fact("cancelled", extras.cancel_reason.clone().unwrap_or_default()),
    ];
    shown.extend(extras.headers.iter().map(|(name, value)| fact(name, value.to_owned())));
    shown.push(fact("data", views::pretty(&job.data)));
    shown.extend(job.metadata.iter().map(|text| fact("metadata", views::pretty(text))));
    shown.extend(extras.output.iter().map(|text| fact("output", views::pretty(text))));
    for error in &job.errors {
        let details = format!("{} at {}\n{}", error.error_type, instant(error.recorded_at, why.now), error.details);
        shown.push(fact(&format!("failure {}", error.attempt), details));
    }
    facts(shown)
}

/// Its workflow or batch.
fn part_of(job: &JobRow) -> String {
    match (job.extras.flow, &job.extras.task) {
        (Some(flow), Some(task)) => format!("workflow {flow}, as `{}`", task.name),
        (Some(flow), None) => format!("batch {flow}"),
        (None, _) => String::new(),
    }
}

async fn edit(session: &Session, edit: Edit) -> Result<(), Failure> {
    let job = bulk::find(session, edit.id).await?;
    let now = why(session, edit.id).await?.now;
    let mut change = rexecutor::backend::JobChange::of(&job);
    if let Some(data) = edit.data {
        if job.unique_key.is_some_and(|key| key.is_of_data()) {
            let problem =
                "it is unique by its data, by criteria that are not stored: cancel it and enqueue another one";
            return Err(Failure::refused(format!("job {} cannot be updated: {problem}", job.id)));
        }
        change.data = data;
    }
    change.metadata = edit.metadata.or(change.metadata);
    change.priority = edit.priority.unwrap_or(change.priority);
    change.max_attempts = edit.max_attempts.unwrap_or(change.max_attempts);
    change.tags = edit.tags.unwrap_or(change.tags);
    change.scheduled_at = edit.due.map_or(change.scheduled_at, |due| due.at(now));
    let checked = rexecutor::backend::NewJob::new(job.executor.clone(), change.data.clone())
        .with_metadata(change.metadata.clone())
        .with_priority(change.priority)
        .with_max_attempts(change.max_attempts)
        .with_tags(change.tags.clone())
        .with_due(rexecutor::backend::Due::At(change.scheduled_at));
    // The executor says how large data may be, and is not here: what is stored has passed.
    checked.check(enqueue::MAX_BYTES.max(job.data.len()).max(job.metadata.as_ref().map_or(0, String::len)))?;
    // Data are not told.
    let shown = |job: &rexecutor::backend::JobChange| {
        json!({
            "priority": job.priority, "max_attempts": job.max_attempts, "tags": job.tags,
            "scheduled_at": shapes::instant(job.scheduled_at),
        })
    };
    let (before, mut after) = (shown(&rexecutor::backend::JobChange::of(&job)), shown(&change));
    after["has_new_data"] = json!(change.data != job.data);
    let entry = session.entry("edit", AuditObject::job(job.id)).with_executor(Some(job.executor.clone()));
    let entry = entry.with_before(before.to_string()).with_after(after.to_string());
    session.change(&format!("change job {}", job.id), entry)?.update(&job.executor, job.id, change).await?;
    let job = bulk::find(session, edit.id).await?;
    session.output.answer(&shapes::job(&job, str::to_owned), || format!("job {} was changed", job.id))
}
