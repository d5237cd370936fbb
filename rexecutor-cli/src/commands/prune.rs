//! Deleting finished jobs.

use chrono::TimeDelta;
use clap::{ArgGroup, Args};
use rexecutor::{
    backend::{AuditObject, Filter, Maintain, ago, observe::JobOrder},
    job::{ExecutorName, JobStatus},
    pruner::{PruneRule, PruneScope, PruneSpec},
};
use serde_json::json;

use super::{bulk, jobs::status};
use crate::{failure::Failure, output::jobs, session::Session, time};

/// Deletes finished jobs
#[derive(Debug, Args)]
#[group(skip)]
#[command(group(ArgGroup::new("rule").required(true).args(["older_than", "keep"])))]
pub(crate) struct Prune {
    /// Of these statuses, with commas between them: complete, cancelled, discarded
    #[arg(long, value_delimiter = ',', required = true, value_parser = status)]
    status: Vec<JobStatus>,
    /// Those that finished longer ago than this: 7d
    #[arg(long, value_name = "SPAN", value_parser = time::span)]
    older_than: Option<TimeDelta>,
    /// All but so many of each status that finished last
    #[arg(long, value_name = "COUNT")]
    keep: Option<u32>,
    /// Only those of these executors, with commas between them
    #[arg(long, value_delimiter = ',', value_name = "NAME", conflicts_with = "except")]
    executor: Vec<String>,
    /// Those of every executor but these
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    except: Vec<String>,
    /// Says how many it would be, and deletes nothing
    #[arg(long)]
    dry_run: bool,
}

/// How many are deleted in one call.
const BATCH: usize = 1_000;

/// The most that are counted.
pub(crate) const MOST: usize = 10_000;

impl Prune {
    fn scope(&self) -> PruneScope {
        let names = |names: &[String]| names.iter().cloned().map(ExecutorName::from).collect();
        match (self.executor.is_empty(), self.except.is_empty()) {
            (false, _) => PruneScope::Only(names(&self.executor)),
            (true, false) => PruneScope::Except(names(&self.except)),
            (true, true) => PruneScope::All,
        }
    }

    fn rule(&self) -> PruneRule {
        match self.older_than {
            Some(age) => PruneRule::MaxAge(age),
            None => PruneRule::MaxLength(self.keep.unwrap_or(u32::MAX)),
        }
    }
}

pub(crate) async fn run(session: &Session, prune: Prune) -> Result<(), Failure> {
    let mut count = 0;
    let specs = prune.status.iter().map(|status| PruneSpec::new(*status, prune.rule(), prune.scope()));
    let specs: Vec<PruneSpec> = specs.collect();
    if let Some(problem) = specs.iter().find_map(PruneSpec::problem) {
        return Err(Failure::usage(problem));
    }
    for spec in &specs {
        count += match prune.dry_run {
            true => self::count(session, spec).await?,
            false => delete(session, spec).await?,
        };
    }
    let is_least = prune.dry_run && count >= MOST;
    let key = if prune.dry_run { "would_delete" } else { "deleted" };
    session.output.answer(&json!({ key: count, "is_least": is_least }), || match (prune.dry_run, is_least) {
        (true, true) => format!("it would delete {} at least", jobs(count)),
        (true, false) => format!("it would delete {}", jobs(count)),
        (false, _) => format!("{} deleted", jobs(count)),
    })
}

/// Deletes all that match; gives how many there were.
pub(crate) async fn delete(session: &Session, spec: &PruneSpec) -> Result<usize, Failure> {
    let before = json!({ "status": spec.status, "rule": format!("{:?}", spec.rule), "executors": format!("{:?}", spec.executors) });
    let entry = session.entry("prune", AuditObject::jobs()).with_before(before.to_string());
    let backend = session.change(&format!("delete {} jobs", spec.status), entry)?;
    let mut deleted = 0;
    loop {
        let count = backend.prune(spec, BATCH).await?;
        deleted += count;
        session.changes.end(&json!({ "done": deleted }));
        if count < BATCH {
            return Ok(deleted);
        }
    }
}

/// How many would be deleted, of the first some thousands. Jobs that halt a line stay.
async fn count(session: &Session, spec: &PruneSpec) -> Result<usize, Failure> {
    let mut filter = Filter::StatusIn(vec![spec.status]).and(Filter::HaltsLine.negated());
    let any = |names: &[ExecutorName]| Filter::Any(names.iter().cloned().map(Filter::Executor).collect());
    match &spec.executors {
        PruneScope::Only(names) => filter = filter.and(any(names)),
        PruneScope::Except(names) => filter = filter.and(any(names).negated()),
        _ => {}
    }
    let mut spared = 0;
    match spec.rule {
        PruneRule::MaxAge(age) => {
            let now = session.observe()?.cluster().await?.now;
            filter = filter.and(Filter::FinishedBefore(ago(now, age)));
        }
        PruneRule::MaxLength(length) => spared = usize::try_from(length).unwrap_or(usize::MAX),
        _ => {}
    }
    let most = MOST.saturating_add(spared);
    let found = bulk::matching(session, filter, JobOrder::Finished, most).await?.len();
    Ok(found.saturating_sub(spared))
}
