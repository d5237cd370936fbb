//! Schedules.

use std::time::Duration;

use chrono::{DateTime, Utc};
use clap::{ArgGroup, Args, Subcommand};
use rexecutor::{
    backend::{AuditEntry, AuditObject, NewJob},
    schedule::{MissedTicks, NewEntry, Origin, Overlap, Schedule, ScheduleEntry},
    schedules,
};
use rexecutor_web::{shapes, views};
use serde_json::{Value, json};

use super::pause::PauseArgs;
use crate::{audit, failure::Failure, output::table, session::Session, time};

/// Schedules: their next ticks, pausing, triggering, adding and removing them
#[derive(Debug, Subcommand)]
pub(crate) enum Schedules {
    /// The schedules, and when they tick next
    List {
        /// How many ticks of each
        #[arg(long, default_value_t = 1, value_name = "COUNT", value_parser = clap::value_parser!(u8).range(1..=100))]
        ticks: u8,
    },
    /// Keeps a schedule from ticking
    Pause {
        name: String,
        #[command(flatten)]
        args: PauseArgs,
    },
    /// Lets it tick again
    Resume { name: String },
    /// Enqueues its job now, beside its ticks
    Trigger { name: String },
    /// Adds a schedule, or changes one that was added so
    Add(Add),
    /// Removes a schedule that was added, or that no living node has in its code any more
    Remove { name: String },
}

#[derive(Debug, Args)]
#[group(skip)]
#[command(group(ArgGroup::new("rule").required(true).args(["cron", "every"])))]
pub(crate) struct Add {
    name: String,
    /// The name of the job that each tick enqueues
    #[arg(long)]
    executor: String,
    /// When: seconds, minutes, hours, days of the month, months, weekdays, as in "0 30 9 * * MON-FRI"
    #[arg(long)]
    cron: Option<String>,
    /// … or every so often: 5m
    #[arg(long, value_name = "SPAN")]
    every: Option<String>,
    /// The time zone of --cron
    #[arg(long, default_value = "UTC")]
    timezone: String,
    /// The data of the jobs, as JSON
    #[arg(long, default_value = "null", value_name = "JSON")]
    data: String,
    /// Lower numbers start first
    #[arg(long, default_value_t = 0)]
    priority: u16,
    /// How many attempts the jobs have
    #[arg(long, default_value_t = 5)]
    max_attempts: u16,
    /// A word to find the jobs by
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// How much later than a tick its job may start
    #[arg(long, value_name = "SPAN", value_parser = time::span)]
    jitter: Option<chrono::TimeDelta>,
    /// What becomes of ticks that nobody enqueued in time: skip, last or all
    #[arg(long, default_value = "last", value_parser = missed)]
    missed: MissedTicks,
    /// What becomes of ticks while an earlier job is not finished: allow, skip, queue or replace
    #[arg(long, default_value = "allow", value_parser = overlap)]
    overlap: Overlap,
}

fn missed(text: &str) -> Result<MissedTicks, String> {
    match text {
        "skip" => Ok(MissedTicks::Skip),
        "last" => Ok(MissedTicks::Last),
        "all" => Ok(MissedTicks::All),
        _ => Err("it is skip, last or all".to_owned()),
    }
}

fn overlap(text: &str) -> Result<Overlap, String> {
    match text {
        "allow" => Ok(Overlap::Allow),
        "skip" => Ok(Overlap::Skip),
        "queue" => Ok(Overlap::Queue),
        "replace" => Ok(Overlap::Replace),
        _ => Err("it is allow, skip, queue or replace".to_owned()),
    }
}

pub(crate) async fn run(session: &Session, what: Schedules) -> Result<(), Failure> {
    match what {
        Schedules::List { ticks } => list(session, ticks.into()).await,
        Schedules::Pause { name, args } => {
            let pause = args.pause(session).await?;
            let entry = entry(session, "pause", &name).await?.with_after(audit::shown(Some(&pause)));
            let backend = session.change(&format!("pause the schedule `{name}`"), entry)?;
            schedules::pause_on_backend(&name, pause, backend).await?;
            session.output.answer(&json!({ "done": "pause", "name": name }), || format!("`{name}` is paused"))
        }
        Schedules::Resume { name } => {
            let entry = entry(session, "resume", &name).await?.with_after(audit::shown(None));
            let backend = session.change(&format!("resume the schedule `{name}`"), entry)?;
            let was = schedules::resume_on_backend(&name, backend).await?;
            session.output.answer(&json!({ "done": "resume", "name": name, "was_paused": was }), || match was {
                true => format!("`{name}` is resumed"),
                false => format!("`{name}` was not paused"),
            })
        }
        Schedules::Trigger { name } => {
            let entry = entry(session, "trigger", &name).await?;
            let backend = session.change(&format!("trigger the schedule `{name}`"), entry)?;
            let job = schedules::trigger_on_backend(&name, session.by.clone(), backend).await?;
            let json = json!({ "done": "trigger", "name": name, "job": job.map(|job| job.to_string()) });
            session.changes.end(&json!({ "job": json["job"] }));
            session.output.answer(&json, || match job {
                Some(job) => format!("job {job} was enqueued"),
                None => "nothing was enqueued: an earlier job of the schedule is not finished".to_owned(),
            })
        }
        Schedules::Add(add) => self::add(session, add).await,
        Schedules::Remove { name } => {
            let entry = entry(session, "remove", &name).await?;
            let backend = session.change(&format!("remove the schedule `{name}`"), entry)?;
            schedules::remove_on_backend(&name, backend).await?;
            session.output.answer(&json!({ "done": "remove", "name": name }), || format!("`{name}` is removed"))
        }
    }
}

/// An entry of the audit log about a schedule, with how that is at present.
async fn entry(session: &Session, action: &str, name: &str) -> Result<AuditEntry, Failure> {
    let known = schedules::get_on_backend(name, session.read()).await?;
    let entry = session.entry(action, AuditObject::schedule(name));
    Ok(match known {
        Some(known) => {
            entry.with_before(shapes::schedule(&known).to_string()).with_executor(Some(known.executor.clone()))
        }
        None => entry,
    })
}

async fn add(session: &Session, add: Add) -> Result<(), Failure> {
    let expression = match (add.cron, add.every) {
        (_, Some(every)) => format!("@every {every}"),
        (cron, None) => cron.unwrap_or_default(),
    };
    let mut schedule = Schedule::parse(&expression, &add.timezone)?;
    if let Some(jitter) = add.jitter {
        schedule = schedule.with_jitter(jitter.to_std().unwrap_or(Duration::ZERO))?;
    }
    let job = NewJob::new(add.executor, add.data)
        .with_priority(add.priority)
        .with_max_attempts(add.max_attempts)
        .with_tags(add.tags);
    job.check(super::enqueue::MAX_BYTES)?;
    let described = schedule.describe();
    let entry = NewEntry::new(schedule, &job).with_missed(add.missed).with_overlap(add.overlap);
    let change = self::entry(session, "add", &add.name).await?.with_executor(Some(job.executor.clone()));
    let backend = session.change(&format!("add the schedule `{}`", add.name), change)?;
    schedules::put_entry_on_backend(add.name.clone(), entry, session.by.clone(), backend).await?;
    let put = schedules::get_on_backend(&add.name, backend).await?;
    session.changes.end(&put.as_ref().map_or(Value::Null, shapes::schedule));
    session.output.answer(&json!({ "done": "add", "name": add.name, "description": described }), || {
        format!("`{}` enqueues `{}` {described}", add.name, job.executor)
    })
}

/// The next ticks of an entry, as far as this program knows its expression.
fn next(entry: &ScheduleEntry, count: usize) -> Vec<DateTime<Utc>> {
    let Some(first) = entry.next_tick else { return Vec::new() };
    let rest = Schedule::parse(&entry.expression, &entry.timezone);
    let rest = rest.iter().flat_map(|schedule| schedule.ticks_after(first).take(count - 1)).collect::<Vec<_>>();
    std::iter::once(first).chain(rest).collect()
}

async fn list(session: &Session, ticks: usize) -> Result<(), Failure> {
    let entries = schedules::list_on_backend(session.read()).await?;
    let now = session.observe()?.cluster().await?.now;
    let shape = |entry: &ScheduleEntry| {
        let mut shape = shapes::schedule(entry);
        if let Value::Object(fields) = &mut shape {
            let ticks: Vec<String> = next(entry, ticks).into_iter().map(shapes::instant).collect();
            fields.insert("next_ticks".to_owned(), json!(ticks));
        }
        shape
    };
    session.output.answer(&json!({ "schedules": entries.iter().map(shape).collect::<Vec<_>>() }), || {
        if entries.is_empty() {
            return "no schedules".to_owned();
        }
        let rows = entries.iter().flat_map(|entry| {
            let state = match (&entry.paused, entry.is_orphaned, entry.origin) {
                (Some(_), ..) => "paused",
                (None, true, _) => "orphaned",
                (None, false, Origin::Code) => "code",
                _ => "added",
            };
            let description = entry.description.clone().unwrap_or_else(|| entry.expression.clone());
            let ticks = next(entry, ticks);
            let shown =
                |at: &DateTime<Utc>| format!("{} ({})", at.format("%Y-%m-%d %H:%M:%S"), views::relative(*at, now));
            let first = ticks.first().map_or("never".to_owned(), shown);
            let head = vec![entry.name.clone(), entry.executor.to_string(), state.to_owned(), first, description];
            let empty = String::new;
            let more =
                ticks.iter().skip(1).map(|at| vec![empty(), empty(), empty(), shown(at), empty()]).collect::<Vec<_>>();
            std::iter::once(head).chain(more)
        });
        table(&["name", "executor", "", "next tick (UTC)", "when"], rows.collect::<Vec<_>>())
    })
}
