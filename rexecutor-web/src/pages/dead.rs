//! Dead letters: jobs that were discarded, grouped by executor and error.

use std::collections::BTreeMap;

use axum::response::Response;
use chrono::{DateTime, TimeDelta, Utc};
use maud::{Markup, html};
use rexecutor::{
    backend::{
        Filter, JobRow,
        observe::{JobOrder, JobsRequest},
    },
    clock::{Clock, SystemClock},
    job::{ExecutorName, JobId, JobStatus},
    pruner::{PruneRule, PruneScope, PruneSpec},
};
use serde_json::json;

use super::{Page, empty, hidden, page};
use crate::{
    access::Role,
    actions::Action,
    audit::Change,
    bulk::{self, MOST},
    format,
    overview::{CAP, jobs_link},
    problem::Problem,
    request::{Cx, Filled},
    search::Search,
};

/// Jobs that failed alike: of one executor, with one type of error, whose first line differs in numbers at most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) executor: ExecutorName,
    pub(crate) error_type: String,
    pub(crate) headline: String,
    pub(crate) jobs: usize,
    /// The one that was discarded last, and when.
    pub(crate) last: (JobId, DateTime<Utc>),
    pub(crate) first_at: DateTime<Utc>,
}

/// The groups among the last jobs that were discarded, the largest first, and whether there are older ones.
pub(crate) async fn groups(cx: &Cx) -> Result<(Vec<Group>, bool, DateTime<Utc>), Problem> {
    let found = cx.observe()?.page(&request(cx, None)?.at_most(MOST)).await?;
    let mut groups = BTreeMap::<_, Group>::new();
    for job in &found.jobs {
        let (error_type, headline) = kind(job);
        let at = job.finished_at().unwrap_or(found.now);
        let new = || Group {
            executor: job.executor.clone(),
            error_type: error_type.clone(),
            headline: headline.clone(),
            jobs: 0,
            last: (job.id, at),
            first_at: at,
        };
        let group = groups.entry((job.executor.clone(), error_type.clone(), headline.clone())).or_insert_with(new);
        group.jobs += 1;
        group.first_at = group.first_at.min(at);
    }
    let mut groups: Vec<Group> = groups.into_values().collect();
    groups.sort_by_key(|group| std::cmp::Reverse((group.jobs, group.last.1)));
    Ok((groups, found.next.is_some(), found.now))
}

fn request(cx: &Cx, executor: Option<&ExecutorName>) -> Result<JobsRequest, Problem> {
    let search = Search { statuses: vec![JobStatus::Discarded], ..Search::default() };
    let filter = search.filter(&cx.access, SystemClock.now())?;
    let filter = executor.map_or(filter.clone(), |executor| filter.and(Filter::Executor(executor.clone())));
    Ok(JobsRequest::new(filter).in_order(JobOrder::Finished))
}

/// The type of its last error, and the first line of it without its numbers.
fn kind(job: &JobRow) -> (String, String) {
    let Some(error) = job.errors.last() else { return (String::new(), String::new()) };
    let mut headline = String::new();
    for character in format::short(&error.details, 160).chars() {
        match character {
            '0'..='9' if headline.ends_with('#') => {}
            '0'..='9' => headline.push('#'),
            other => headline.push(other),
        }
    }
    (error.error_type.to_string(), headline)
}

pub(crate) async fn show(cx: Cx) -> Result<Page, Problem> {
    let (groups, is_cut, now) = groups(&cx).await?;
    let total = cx.observe()?.counts(CAP).await?.total(JobStatus::Discarded);
    let body = html! {
        div.bar {
            h1 { "Dead letters" }
            span.soft id="total" data-live {
                @if is_cut { "the last " (format::number(MOST)) @if cx.access.executors().is_none() { " of " (total) } }
                @else { (format::jobs(groups.iter().map(|group| group.jobs).sum())) }
            }
        }
        section.card id="groups" data-live {
            @if groups.is_empty() { (empty("No job was discarded. A job that has used up its attempts ends here.")) }
            @else { div.scroll { table.rows {
                thead { tr {
                    th.num scope="col" { "jobs" } th scope="col" { "executor" } th scope="col" { "error" }
                    th.num.optional scope="col" { "last" } th.num.optional scope="col" { "first" }
                    @if cx.may(Role::Operator) { td {} }
                } }
                tbody { @for group in &groups { (row(&cx, group, now)) } }
            } } }
        }
        @if cx.may(Role::Admin) && !groups.is_empty() { (purge(&cx, &groups)) }
    };
    Ok(page(&cx, "Dead letters", "/dead", body))
}

pub(crate) async fn change(form: Filled) -> Result<Response, Problem> {
    let (cx, executor) = (&form.cx, form.executor()?);
    match form.get("action") {
        "retry" => {
            let jobs = alike(cx, &executor, form.get("type"), form.get("headline")).await?;
            let (done, refused) = bulk::perform(cx, &Action::Retry, jobs).await?;
            Ok(form.back(&format!("retry.{done}.{refused}")))
        }
        "delete" if form.get("sure") == "1" => {
            let deleted = delete(cx, &executor).await?;
            Ok(form.back(&format!("delete.{deleted}.0")))
        }
        _ => Err(Problem::Invalid("There is no such action, or it was not confirmed.".to_owned())),
    }
}

/// The jobs of a group.
async fn alike(cx: &Cx, executor: &ExecutorName, error_type: &str, headline: &str) -> Result<Vec<JobRow>, Problem> {
    cx.need(Role::Operator)?;
    let mut jobs = bulk::all(cx, request(cx, Some(executor))?).await?.jobs;
    jobs.retain(|job| kind(job) == (error_type.to_owned(), headline.to_owned()));
    Ok(jobs)
}

/// Deletes all discarded jobs of an executor; returns how many.
async fn delete(cx: &Cx, executor: &ExecutorName) -> Result<usize, Problem> {
    cx.need(Role::Admin)?;
    let scope = PruneScope::Only(vec![executor.clone()]);
    let spec = PruneSpec::new(JobStatus::Discarded, PruneRule::MaxAge(TimeDelta::zero()), scope);
    let (mut deleted, mut answer) = (0, Ok(0));
    for _ in 0..10 {
        answer = cx.backend().prune(&spec, MOST).await;
        let Ok(count) = answer else { break };
        deleted += count;
        if count < MOST {
            break;
        }
    }
    let change = Change::new(cx.access.name(), "delete").of_executor(executor);
    cx.record(&change.changing(json!({ "status": "discarded" }), json!({ "deleted": deleted })).ended(&answer));
    answer?;
    Ok(deleted)
}

fn row(cx: &Cx, group: &Group, now: DateTime<Utc>) -> Markup {
    html! {
        tr {
            td.num { (format::number(group.jobs)) }
            td { a href=(cx.link(&jobs_link(&group.executor, "discarded"))) { (format::name(group.executor.as_str())) } }
            td { a.open href=(cx.link(&format!("/jobs/{}", group.last.0))) { code { (group.error_type) } } div.soft.wrap { (group.headline) } }
            td.num.optional { (format::ago(group.last.1, now)) }
            td.num.optional { (format::ago(group.first_at, now)) }
            @if cx.may(Role::Operator) { td.num { form method="post" action=(cx.link("/dead")) {
                (hidden(cx))
                input type="hidden" name="executor" value=(group.executor);
                input type="hidden" name="type" value=(group.error_type);
                input type="hidden" name="headline" value=(group.headline);
                button name="action" value="retry" title=(format!("At most {MOST} at once")) { "Retry all" }
            } } }
        }
    }
}

fn purge(cx: &Cx, groups: &[Group]) -> Markup {
    let mut executors: Vec<&ExecutorName> = groups.iter().map(|group| &group.executor).collect();
    executors.sort_unstable();
    executors.dedup();
    html! {
        details.menu.purge {
            summary { "Delete…" }
            form.card.pad method="post" action=(cx.link("/dead")) {
                (hidden(cx))
                label { "All discarded jobs of " select name="executor" { @for executor in executors { option { (executor) } } } }
                label { input type="checkbox" name="sure" value="1" required; " I am sure. They are gone for good" }
                button.danger name="action" value="delete" { "Delete" }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rexecutor::{
        backend::Failure,
        job::{ErrorType, JobError},
    };

    use super::*;

    #[test]
    fn errors_that_differ_in_numbers_are_one_kind() {
        let of = |details: &str| {
            let mut job = JobRow::empty(1.into(), "mail".into());
            let failure = Failure::new(ErrorType::Timeout, details);
            job.errors.push(JobError::new(1, failure, DateTime::UNIX_EPOCH));
            kind(&job)
        };
        assert_eq!(
            of("order 4711 of 10.0.0.1: late\nmore"),
            ("timeout".to_owned(), "order # of #.#.#.#: late".to_owned())
        );
        assert_eq!(of("order 1 of 9.9.9.9: late"), of("order 22 of 1.1.1.1: late"));
    }
}
