//! Doing something with many jobs: those that were selected, or all that match.

use axum::response::{IntoResponse, Response};
use maud::html;
use rexecutor::{
    backend::{
        Filter, JobRow,
        observe::{JobsPage, JobsRequest},
    },
    clock::{Clock, SystemClock},
    job::JobId,
};

use crate::{
    access::Role,
    actions::Action,
    format, pages,
    problem::Problem,
    request::{Cx, Filled},
    search::Search,
};

/// The most jobs that one request changes: what is left is for the next.
pub(crate) const MOST: usize = 1_000;

/// Changes jobs, or asks first, where all that match are meant.
pub(crate) async fn change(form: Filled) -> Result<Response, Problem> {
    form.cx.need(Role::Operator)?;
    let action = Action::read(form.get("action"), form.get("reason"), form.get("priority"))?;
    let is_all = form.get("all") == "1";
    let jobs = if is_all { matching(&form).await?.jobs } else { selected(&form).await? };
    if is_all && form.get("sure") != "1" {
        return Ok(ask(&form, &action, jobs.len()));
    }
    let (done, refused) = perform(&form.cx, &action, jobs).await?;
    Ok(form.back(&format!("{}.{done}.{refused}", action.as_str())))
}

/// Does it with each of them; returns how many it was done with, and how many refused.
pub(crate) async fn perform(cx: &Cx, action: &Action, jobs: Vec<JobRow>) -> Result<(usize, usize), Problem> {
    let (mut done, mut refused) = (0, 0);
    for job in jobs {
        match action.perform(cx, &job).await {
            Ok(()) => done += 1,
            // It has changed since, or was never such that this could be done.
            Err(Problem::Refused(_) | Problem::NotFound(_)) => refused += 1,
            Err(problem) => return Err(problem),
        }
    }
    Ok((done, refused))
}

async fn selected(form: &Filled) -> Result<Vec<JobRow>, Problem> {
    let ids: Vec<JobId> = form.all("id").filter_map(|id| id.parse::<i64>().ok()).map(JobId::from).take(MOST).collect();
    if ids.is_empty() {
        return Err(Problem::Invalid("No job is selected. Go back and select some.".to_owned()));
    }
    let jobs = form.cx.backend().query(&Filter::IdIn(ids), MOST).await?;
    Ok(jobs.into_iter().filter(|job| form.cx.access.sees(&job.executor)).collect())
}

async fn matching(form: &Filled) -> Result<JobsPage, Problem> {
    let search = Search { after: None, ..Search::read(form.fields())? };
    all(&form.cx, search.request(&form.cx, SystemClock.now())?).await
}

/// All that match, up to [`MOST`], whatever it takes to find them within reason.
pub(crate) async fn all(cx: &Cx, mut request: JobsRequest) -> Result<JobsPage, Problem> {
    let mut jobs = Vec::new();
    // So many rows are looked at in all: where nothing matches, an answer is better than a search for minutes.
    for _ in 0..20 {
        request.limit = MOST - jobs.len();
        let mut page = cx.observe()?.page(&request).await?;
        jobs.append(&mut page.jobs);
        if !page.is_partial || jobs.len() >= MOST {
            page.jobs = jobs;
            return Ok(page);
        }
        request.after = page.next;
    }
    let mut page = cx.observe()?.page(&request.at_most(1)).await?;
    page.jobs = jobs;
    Ok(page)
}

/// How many it would be.
fn ask(form: &Filled, action: &Action, count: usize) -> Response {
    let verb = match action {
        Action::Cancel { .. } => "Cancel",
        Action::Retry => "Retry",
        Action::Again => "Run again",
        Action::Release => "Release",
        Action::Priority(_) => "Change the priority of",
    };
    let what = format::jobs(count);
    let body = html! {
        section.card.pad.ask {
            h1 { (verb) " " (what) "?" }
            @if count >= MOST {
                p { "At least as many match. One step changes " (format::number(MOST)) " of them; repeat it for those that are left." }
            }
            @if count == 0 { p { "No job matches, or those that do stand far back in the list." } }
            form method="post" action=(form.cx.link("/jobs/bulk")) {
                @for (name, value) in form.fields() {
                    @if name != "sure" { input type="hidden" name=(name) value=(value); }
                }
                input type="hidden" name="sure" value="1";
                div.bar {
                    @if count > 0 { button.primary { (verb) " " (what) } }
                    a.button href=(form.cx.link("/jobs")) { "Leave them" }
                }
            }
        }
    };
    pages::page(&form.cx, "Are you sure?", "/jobs", body).into_response()
}
