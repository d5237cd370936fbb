//! Which jobs are meant, and doing something with each of them.

use std::process::ExitCode;

use clap::{ArgGroup, Args};
use rexecutor::{
    backend::{
        AmendError, AuditObject, Backend, Filter, Inspect, JobRow,
        observe::{JobOrder, JobsRequest},
    },
    clock::{Clock, SystemClock},
    job::{JobId, JobStatus},
};
use rexecutor_sqlx::AnyBackend;
use rexecutor_web::views;
use serde_json::json;

use crate::{
    args::count,
    failure::{Code, Failure},
    output::jobs,
    session::Session,
};

/// Which jobs are meant: by number, or by a search.
#[derive(Debug, Args)]
#[group(skip)]
#[command(group(ArgGroup::new("which").required(true).args(["ids", "search"])))]
pub(crate) struct Which {
    /// The numbers of the jobs
    #[arg(value_name = "ID", value_parser = id)]
    ids: Vec<i64>,
    /// All jobs that match, as in `jobs list`: --where 'executor:mail error:timeout'
    #[arg(long = "where", value_name = "SEARCH")]
    search: Option<String>,
    /// With --where: at most so many
    #[arg(long, default_value_t = 1_000, value_name = "COUNT", value_parser = count)]
    limit: usize,
    /// Says which jobs it would be, and changes nothing
    #[arg(long)]
    dry_run: bool,
}

/// The number of a job.
pub(crate) fn id(text: &str) -> Result<i64, String> {
    text.trim_start_matches('#').parse().map_err(|_| format!("`{text}` is no number of a job"))
}

/// The job of this number.
pub(crate) async fn find(session: &Session, id: i64) -> Result<JobRow, Failure> {
    let found = session.read().query(&Filter::IdIn(vec![id.into()]), 1).await?.pop();
    found.ok_or_else(|| missing(id.into()))
}

fn missing(id: JobId) -> Failure {
    Failure::refused(format!("there is no job {id}; it may have been deleted after it finished"))
}

/// All jobs that match, at most so many of them, whatever it takes to find them.
pub(crate) async fn matching(
    session: &Session,
    filter: Filter,
    order: JobOrder,
    limit: usize,
) -> Result<Vec<JobRow>, Failure> {
    let mut found = Vec::new();
    let mut request = JobsRequest::new(filter).in_order(order);
    while found.len() < limit {
        let page =
            session.observe()?.page(&request.clone().at_most((limit - found.len()).min(JobsRequest::MOST))).await?;
        found.extend(page.jobs);
        match page.next {
            Some(next) => request = request.after(Some(next)),
            None => break,
        }
    }
    Ok(found)
}

impl Which {
    /// Does something with each of the jobs that suit; `verb` says what, as in `cancel 2 jobs`. A search takes those that `suits`
    /// alone, and one that refuses is left alone; that of a number is told.
    pub(crate) async fn each(
        &self,
        session: &Session,
        verb: &'static str,
        suits: fn(JobStatus) -> bool,
        change: impl AsyncFn(&AnyBackend, &JobRow) -> Result<(), AmendError>,
    ) -> Result<ExitCode, Failure> {
        let found = match &self.search {
            Some(search) => {
                let filter = views::filter(search, SystemClock.now())?;
                if matches!(&filter, Filter::All(all) if all.is_empty()) {
                    let which = "this search is of all jobs: say which, as --where 'executor:mail'";
                    return Err(Failure::usage(which));
                }
                let statuses = JobStatus::ALL.iter().copied().filter(|status| suits(*status)).collect();
                matching(session, filter.and(Filter::StatusIn(statuses)), JobOrder::Oldest, self.limit).await?
            }
            None => {
                let ids = self.ids.iter().copied().map(JobId::from).collect();
                session.read().query(&Filter::IdIn(ids), self.ids.len()).await?
            }
        };
        let mut refused = Vec::new();
        for id in &self.ids {
            if !found.iter().any(|job| job.id.as_i64() == *id) {
                refused.push((JobId::from(*id), missing((*id).into()).message().to_owned()));
            }
        }
        let mut done = Vec::new();
        if !self.dry_run && !found.is_empty() {
            let which = match &self.search {
                Some(search) => json!({ "matching": search }),
                None => json!({ "selected": self.ids.len() }),
            };
            let entry = session.entry(verb, AuditObject::jobs()).with_before(which.to_string());
            let backend = session.change(&format!("{verb} {}", jobs(found.len())), entry)?;
            for job in &found {
                let answer = change(backend, job).await;
                session.changed(job, &answer).await;
                match answer {
                    Ok(()) => done.push(job.id),
                    Err(AmendError::Backend(error)) => return Err(error.into()),
                    Err(refusal) => refused.push((job.id, refusal.to_string())),
                }
                session.changes.end(&json!({ "jobs": found.len(), "done": done.len(), "refused": refused.len() }));
            }
        } else {
            for job in &found {
                match suits(job.status) {
                    true => done.push(job.id),
                    false => {
                        let refusal = AmendError::Refused { id: job.id, status: job.status, verb: past(verb) };
                        refused.push((job.id, refusal.to_string()));
                    }
                }
            }
        }
        self.tell(session, verb, &done, &refused)?;
        let is_named = self.search.is_none() && !refused.is_empty();
        Ok(if is_named { ExitCode::from(Code::Refused as u8) } else { ExitCode::SUCCESS })
    }

    fn tell(
        &self,
        session: &Session,
        verb: &'static str,
        done: &[JobId],
        refused: &[(JobId, String)],
    ) -> Result<(), Failure> {
        let json = json!({
            "action": verb, "dry_run": self.dry_run,
            "done": done.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "refused": refused.iter().map(|(id, why)| json!({ "id": id.to_string(), "why": why })).collect::<Vec<_>>(),
        });
        session.output.answer(&json, || {
            let verb = if self.dry_run { format!("would {verb}") } else { past(verb).to_owned() };
            let few = done.iter().take(20).map(ToString::to_string).collect::<Vec<_>>().join(", ");
            let more = if done.len() > 20 { ", …" } else { "" };
            let mut text = match done.len() {
                0 if self.dry_run => "no job would be changed\n".to_owned(),
                0 => "no job was changed\n".to_owned(),
                count => format!("{verb} {}: {few}{more}\n", jobs(count)),
            };
            refused.iter().for_each(|(_, why)| text.push_str(&format!("refused: {why}\n")));
            text
        })
    }
}

/// The past of a verb that says what is done.
pub(crate) fn past(verb: &'static str) -> &'static str {
    match verb {
        "retry" => "retried",
        "cancel" => "cancelled",
        "delete" => "deleted",
        "release" => "released",
        "run" => "made due",
        "purge" => "purged",
        other => other,
    }
}

/// Makes a job due now, which keeps the attempts that it has had.
pub(crate) async fn run_now(backend: &AnyBackend, job: &JobRow) -> Result<(), AmendError> {
    if job.status == JobStatus::Blocked {
        return backend.release(&job.executor, job.id).await;
    }
    if !job.status.is_pending() {
        return Err(AmendError::Refused { id: job.id, status: job.status, verb: "made due" });
    }
    let mut change = rexecutor::backend::JobChange::of(job);
    change.scheduled_at = match backend.observe() {
        Some(observe) => observe.page(&JobsRequest::new(Filter::IdIn(vec![job.id])).at_most(1)).await?.now,
        None => SystemClock.now(),
    };
    backend.update(&job.executor, job.id, change).await
}
