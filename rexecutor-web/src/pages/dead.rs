//! Dead letters: jobs that were discarded, grouped by executor and error.

use axum::response::Response;
use chrono::{DateTime, TimeDelta, Utc};
use maud::{Markup, html};
use rexecutor::{
    backend::{
        AmendError, AuditObject, Filter, JobRow,
        observe::{JobOrder, JobsRequest},
    },
    clock::{Clock, SystemClock},
    job::{ExecutorName, JobStatus},
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
    groups::{Group, kind},
    overview::{CAP, jobs_link},
    problem::Problem,
    request::{Cx, Filled},
    search::Search,
};

/// The groups among the last jobs that were discarded, the largest first, and whether there are older ones.
pub(crate) async fn groups(cx: &Cx) -> Result<(Vec<Group>, bool, DateTime<Utc>), Problem> {
    let found = cx.observe()?.page(&request(cx, None)?.at_most(MOST)).await?;
    Ok((Group::of(&found.jobs), found.next.is_some(), found.now))
}

fn request(cx: &Cx, executor: Option<&ExecutorName>) -> Result<JobsRequest, Problem> {
    let search = Search { statuses: vec![JobStatus::Discarded], ..Search::default() };
    let filter = search.filter(&cx.access, SystemClock.now())?;
    let filter = executor.map_or(filter.clone(), |executor| filter.and(Filter::Executor(executor.clone())));
    Ok(JobsRequest::new(filter).in_order(JobOrder::Finished))
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
            let (error_type, headline) = (form.get("type"), form.get("headline"));
            let jobs = alike(cx, &executor, error_type, headline).await?;
            let which = json!({ "status": "discarded", "type": error_type, "headline": headline });
            let (done, refused) = bulk::perform(cx, &Action::Retry, jobs, which).await?;
            Ok(form.back(&format!("retry.{done}.{refused}")))
        }
        "purge" if form.get("sure") == "1" => {
            let (deleted, refused) = delete_alike(cx, &executor, form.get("type"), form.get("headline")).await?;
            Ok(form.back(&format!("delete.{deleted}.{refused}")))
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

/// Deletes the jobs of a group, up to [`MOST`]; returns how many, and how many are not discarded any more.
async fn delete_alike(
    cx: &Cx,
    executor: &ExecutorName,
    error_type: &str,
    headline: &str,
) -> Result<(usize, usize), Problem> {
    cx.need(Role::Admin)?;
    let jobs = alike(cx, executor, error_type, headline).await?;
    let (mut deleted, mut refused, mut answer) = (0, 0, Ok(()));
    for job in jobs {
        match cx.backend().delete(executor, job.id).await {
            Ok(()) => deleted += 1,
            Err(AmendError::Backend(error)) => {
                answer = Err(error);
                break;
            }
            // It runs again, or is gone.
            Err(_) => refused += 1,
        }
    }
    let before = json!({ "status": "discarded", "type": error_type, "headline": headline });
    let after = json!({ "done": deleted, "refused": refused });
    let change = Change::new(cx, "delete", AuditObject::jobs()).of_executor(executor);
    cx.record(change.changing(before, after).ended(&answer)).await;
    answer?;
    Ok((deleted, refused))
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
    let change = Change::new(cx, "delete", AuditObject::jobs()).of_executor(executor);
    cx.record(change.changing(json!({ "status": "discarded" }), json!({ "done": deleted })).ended(&answer)).await;
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
            }
            @if cx.may(Role::Admin) { details.menu {
                summary { "Delete…" }
                form method="post" action=(cx.link("/dead")) {
                    (hidden(cx))
                    input type="hidden" name="executor" value=(group.executor);
                    input type="hidden" name="type" value=(group.error_type);
                    input type="hidden" name="headline" value=(group.headline);
                    input type="hidden" name="sure" value="1";
                    button.danger name="action" value="purge" title=(format!("At most {MOST} at once")) { "Delete " (format::jobs(group.jobs)) " for good" }
                }
            } } } }
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
