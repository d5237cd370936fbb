//! The list of jobs.

use axum::extract::Query;
use chrono::{DateTime, Utc};
use maud::{Markup, html};
use rexecutor::{
    backend::{
        JobRow,
        observe::{Counts, JobOrder, JobsPage},
    },
    clock::{Clock, SystemClock},
    job::JobStatus,
};

use super::{Page, empty, hidden, page};
use crate::{
    access::Role,
    bulk::MOST,
    format,
    overview::{CAP, query},
    problem::Problem,
    request::Cx,
    search::{HINTS, Search},
};

pub(crate) async fn show(cx: Cx, Query(parameters): Query<Vec<(String, String)>>) -> Result<Page, Problem> {
    let search = Search::read(&parameters)?;
    let counts = cx.observe()?.counts(CAP).await?;
    let found = cx.observe()?.page(&search.request(&cx, SystemClock.now())?).await?;
    let body = html! {
        div.bar { h1 { "Jobs" } span.grow {} (orders(&cx, &search)) }
        (field(&cx, &search))
        (chips(&cx, &search, &counts))
        (list(&cx, &search, &found))
    };
    Ok(page(&cx, "Jobs", "/jobs", body))
}

/// The address of a search.
fn link(cx: &Cx, search: &Search) -> String {
    let query = query(&search.parameters());
    cx.link(&if query.is_empty() { "/jobs".to_owned() } else { format!("/jobs?{query}") })
}

fn orders(cx: &Cx, search: &Search) -> Markup {
    let name = |order| match order {
        JobOrder::Newest => "Newest",
        JobOrder::Oldest => "Oldest",
        JobOrder::Due => "Next due",
        _ => "Last finished",
    };
    html! {
        nav.segmented aria-label="Order" { @for order in search.orders() {
            @let this = Search { order: Some(order), after: None, ..search.clone() };
            a href=(link(cx, &this)) aria-current=[(order == search.order()).then_some("true")] { (name(order)) }
        } }
    }
}

fn field(cx: &Cx, search: &Search) -> Markup {
    html! {
        form.search method="get" action=(cx.link("/jobs")) role="search" {
            input type="search" name="q" value=(search.text) aria-label="Search" autocomplete="off" spellcheck="false"
                placeholder="executor:  tag:  id:  error:  data:  since:";
            @for (name, value) in search.parameters() { @if name != "q" { input type="hidden" name=(name) value=(value); } }
            button { "Search" }
        }
        details.hints {
            summary { "What can be searched for" }
            dl { @for (example, what) in HINTS { dt { code { (example) } } dd { (what) } } }
        }
    }
}

fn chips(cx: &Cx, search: &Search, counts: &Counts) -> Markup {
    html! {
        nav.chips id="chips" data-live aria-label="Status" {
            @for status in JobStatus::ALL {
                @let is_on = search.statuses.contains(status);
                @let statuses = toggled(&search.statuses, *status);
                @let this = Search { statuses, after: None, order: None, ..search.clone() };
                a.chip href=(link(cx, &this)) aria-current=[is_on.then_some("true")] {
                    (super::status(*status)) @if cx.access.executors().is_none() { b { (counts.total(*status)) } }
                }
            }
        }
    }
}

fn toggled(statuses: &[JobStatus], status: JobStatus) -> Vec<JobStatus> {
    let mut statuses = statuses.to_vec();
    match statuses.iter().position(|one| *one == status) {
        Some(place) => drop(statuses.remove(place)),
        None => statuses.push(status),
    }
    statuses
}

fn list(cx: &Cx, search: &Search, found: &JobsPage) -> Markup {
    let may = cx.may(Role::Operator);
    html! {
        form.card.list method="post" action=(cx.link("/jobs/bulk")) {
            @if may {
                (hidden(cx))
                @for (name, value) in search.parameters() { input type="hidden" name=(name) value=(value); }
                (bulk())
            }
            div id="rows" data-live {
                @if found.jobs.is_empty() { (nothing(cx, search, found)) }
                @else { div.scroll { table.rows {
                    thead { tr {
                        @if may { td.check {} }
                        th scope="col" { "id" } th scope="col" { "executor" } th scope="col" { "status" }
                        th.num.optional scope="col" { "attempt" } th.optional scope="col" { "data" }
                        th.wide scope="col" { "last error" } th.num scope="col" { (heading(search.order())) }
                    } }
                    tbody { @for job in &found.jobs { (row(cx, job, may, search.order(), found.now)) } }
                } } }
                (foot(cx, search, found))
            }
        }
    }
}

fn foot(cx: &Cx, search: &Search, found: &JobsPage) -> Markup {
    html! {
        div.bar.foot {
            span.soft { (format::jobs(found.jobs.len())) " on this page" }
            span.grow {}
            @if search.after.is_some() {
                a.button href=(link(cx, &Search { after: None, ..search.clone() })) { "First page" }
            }
            @if let Some(next) = found.next {
                @let parameters: Vec<_> = search.parameters().into_iter().chain([("after", next.to_string())]).collect();
                a.button rel="next" href=(cx.link(&format!("/jobs?{}", query(&parameters)))) {
                    @if found.is_partial { "Search on" } @else { "Next page" }
                }
            }
        }
    }
}

fn bulk() -> Markup {
    let retry = format!("Makes them due now, with all attempts. Complete ones stay. At most {MOST} at once");
    html! {
        div.bar.bulk {
            label { input type="checkbox" name="all" value="1"; " all that match" }
            span.soft.selected {}
            span.grow {}
            button name="action" value="retry" title=(retry) { "Retry" }
            button.danger name="action" value="cancel" { "Cancel" }
            span.inline.optional {
                input type="number" name="priority" min="0" max="999" value="0" aria-label="New priority";
                button name="action" value="priority" { "Set priority" }
            }
        }
    }
}

fn nothing(cx: &Cx, search: &Search, found: &JobsPage) -> Markup {
    let is_plain = search.text.is_empty() && search.statuses.is_empty() && search.after.is_none();
    html! {
        @if found.is_partial {
            (empty("None among the rows that were looked at so far; there are more."))
        } @else if is_plain {
            (empty("No job is stored. What is enqueued from here on stands here."))
        } @else {
            p.empty { "No job matches. " a href=(cx.link("/jobs")) { "Show all jobs" } }
        }
    }
}

fn heading(order: JobOrder) -> &'static str {
    match order {
        JobOrder::Due => "due",
        JobOrder::Finished => "finished",
        _ => "when",
    }
}

/// What is worth knowing of it in time: when it is due, when it began, or when it ended.
fn at(job: &JobRow) -> DateTime<Utc> {
    match job.status {
        status if status.is_pending() => job.scheduled_at,
        JobStatus::Executing => job.attempted_at.unwrap_or(job.inserted_at),
        _ => job.finished_at().unwrap_or(job.inserted_at),
    }
}

fn row(cx: &Cx, job: &JobRow, may: bool, order: JobOrder, now: DateTime<Utc>) -> Markup {
    let at = if order == JobOrder::Due { job.scheduled_at } else { at(job) };
    html! {
        tr {
            @if may { td.check {
                input type="checkbox" name="id" value=(job.id) aria-label=(format!("Select job {}", job.id));
            } }
            td.mono { a.open href=(cx.link(&format!("/jobs/{}", job.id))) { (job.id) } }
            td.executor { (format::name(job.executor.as_str())) }
            td { (super::status(job.status)) }
            td.num.optional { (job.attempt) "/" (job.max_attempts) }
            td.mono.optional { div.clip { (format::short(&cx.shown(job, &job.data), 80)) } }
            td.soft.wide { div.clip {
                @if let Some(error) = job.errors.last() { (error.error_type) ": " (format::short(&error.details, 120)) }
            } }
            td.num.when { (format::ago(at, now)) }
        }
    }
}
