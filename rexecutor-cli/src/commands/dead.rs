//! Dead letters: jobs that were discarded, by how they failed.

use std::process::ExitCode;

use chrono::TimeDelta;
use clap::{ArgGroup, Args, Subcommand};
use rexecutor::{
    backend::{AmendError, AuditObject, Filter, Inspect, JobRow, observe::JobOrder},
    job::{ExecutorName, JobId, JobStatus},
    pruner::{PruneRule, PruneScope, PruneSpec},
};
use rexecutor_web::{
    shapes,
    views::{self, Group, kind},
};
use serde_json::json;

use super::{
    bulk,
    prune::{self, MOST},
};
use crate::{
    failure::Failure,
    output::{jobs, table},
    session::Session,
};

/// Jobs that have failed for good, by how they failed
#[derive(Debug, Subcommand)]
pub(crate) enum Dead {
    /// Lists them in groups, the largest first
    List(Which),
    /// Makes them due now, with all their attempts
    Retry(Change),
    /// Deletes them
    Purge(Change),
}

#[derive(Debug, Args)]
pub(crate) struct Which {
    /// Only those of this executor
    #[arg(long, value_name = "NAME")]
    executor: Option<String>,
    /// Only those whose last error is of this type, as `timeout`
    #[arg(long = "type", value_name = "TYPE")]
    error_type: Option<String>,
    /// Only those of the group with this headline, as the list shows it
    #[arg(long, value_name = "TEXT")]
    headline: Option<String>,
}

#[derive(Debug, Args)]
#[group(skip)]
#[command(group(ArgGroup::new("named").required(true).multiple(true).args(["executor", "error_type", "headline", "all"])))]
pub(crate) struct Change {
    #[command(flatten)]
    which: Which,
    /// All of them
    #[arg(long)]
    all: bool,
    /// Says how many it would be, and changes nothing
    #[arg(long)]
    dry_run: bool,
}

impl Which {
    fn filter(&self) -> Filter {
        let filter = Filter::StatusIn(vec![JobStatus::Discarded]);
        match &self.executor {
            Some(executor) => filter.and(Filter::Executor(ExecutorName::from(executor.clone()))),
            None => filter,
        }
    }

    fn has(&self, job: &JobRow) -> bool {
        let (error_type, headline) = kind(job);
        self.error_type.as_ref().is_none_or(|wanted| *wanted == error_type)
            && self.headline.as_ref().is_none_or(|wanted| *wanted == headline)
    }

    /// The last of them, up to so many, and whether there may be more.
    async fn find(&self, session: &Session) -> Result<(Vec<JobRow>, bool), Failure> {
        let mut found = bulk::matching(session, self.filter(), JobOrder::Finished, MOST).await?;
        let is_cut = found.len() >= MOST;
        found.retain(|job| self.has(job));
        Ok((found, is_cut))
    }
}

pub(crate) async fn run(session: &Session, what: Dead) -> Result<ExitCode, Failure> {
    match what {
        Dead::List(which) => list(session, &which).await?,
        Dead::Retry(change) => {
            let retry = async |session: &Session, job: &JobRow| {
                session.read().rerun_unless_complete(&job.executor, job.id).await
            };
            each(session, &change, "retry", retry).await?;
        }
        Dead::Purge(change)
            if !change.dry_run && change.which.error_type.is_none() && change.which.headline.is_none() =>
        {
            let scope = match &change.which.executor {
                Some(executor) => PruneScope::Only(vec![ExecutorName::from(executor.clone())]),
                None => PruneScope::All,
            };
            let spec = PruneSpec::new(JobStatus::Discarded, PruneRule::MaxAge(TimeDelta::zero()), scope);
            let count = prune::delete(session, &spec).await?;
            tell(session, "purge", false, count, &[])?;
        }
        Dead::Purge(change) => {
            let delete = async |session: &Session, job: &JobRow| session.read().delete(&job.executor, job.id).await;
            each(session, &change, "purge", delete).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(session: &Session, which: &Which) -> Result<(), Failure> {
    let (found, is_cut) = which.find(session).await?;
    let now = session.observe()?.cluster().await?.now;
    let groups = Group::of(&found);
    let json = json!({
        "now": shapes::instant(now), "is_cut": is_cut, "groups": groups.iter().map(shapes::group).collect::<Vec<_>>(),
    });
    session.output.answer(&json, || {
        if groups.is_empty() {
            return "no job was discarded".to_owned();
        }
        let rows = groups.iter().map(|group| {
            let last = format!("{} (job {})", views::relative(group.last.1, now), group.last.0);
            let name = group.executor.to_string();
            vec![group.jobs.to_string(), name, group.error_type.clone(), last, group.headline.clone()]
        });
        let more = if is_cut { format!("\nof the last {MOST} jobs that were discarded") } else { String::new() };
        format!("{}{more}", table(&[">jobs", "executor", "type", "last", "headline"], rows))
    })
}

/// Does something with each of them. One that has changed meanwhile is left alone.
async fn each(
    session: &Session,
    change: &Change,
    verb: &'static str,
    step: impl AsyncFn(&Session, &JobRow) -> Result<(), AmendError>,
) -> Result<(), Failure> {
    let (found, _) = change.which.find(session).await?;
    if change.dry_run {
        return tell(session, verb, true, found.len(), &[]);
    }
    let before = json!({ "status": "discarded", "executor": change.which.executor, "type": change.which.error_type, "headline": change.which.headline });
    let entry = session.entry(verb, AuditObject::jobs()).with_before(before.to_string());
    session.change(&format!("{verb} {}", jobs(found.len())), entry)?;
    let (mut done, mut refused) = (0, Vec::new());
    for job in &found {
        let answer = step(session, job).await;
        session.changed(job, &answer).await;
        match answer {
            Ok(()) => done += 1,
            Err(AmendError::Backend(error)) => return Err(error.into()),
            Err(refusal) => refused.push((job.id, refusal.to_string())),
        }
        session.changes.end(&json!({ "jobs": found.len(), "done": done, "refused": refused.len() }));
    }
    tell(session, verb, false, done, &refused)
}

fn tell(
    session: &Session,
    verb: &'static str,
    is_dry_run: bool,
    count: usize,
    refused: &[(JobId, String)],
) -> Result<(), Failure> {
    let refusals = refused.iter().map(|(id, why)| json!({ "id": id.to_string(), "why": why })).collect::<Vec<_>>();
    let json = json!({ "action": verb, "dry_run": is_dry_run, "count": count, "refused": refusals });
    session.output.answer(&json, || {
        let verb = if is_dry_run { format!("would {verb}") } else { bulk::past(verb).to_owned() };
        let refusals = refused.iter().map(|(_, why)| format!("refused: {why}\n")).collect::<String>();
        format!("{verb} {}\n{refusals}", jobs(count))
    })
}
