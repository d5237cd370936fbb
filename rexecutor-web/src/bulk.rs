//! Doing something with many jobs: those that were selected, or all that match.

use axum::response::{IntoResponse, Response};
use maud::html;
use rexecutor::{
    backend::{
        AuditObject, Filter, JobRow,
        observe::{JobsPage, JobsRequest},
    },
    clock::{Clock, SystemClock},
    job::{ExecutorName, JobId},
};
use serde_json::{Value, json};

use crate::{
    access::Role,
    actions::Action,
    audit::{self, Change},
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
    let which = match is_all {
        true => json!({ "matching": form.get("q"), "status": form.get("status") }),
        false => json!({ "selected": form.all("id").count() }),
    };
    let (done, refused) = perform(&form.cx, &action, jobs, which).await?;
    Ok(form.back(&format!("{}.{done}.{refused}", action.as_str())))
}

/// How many changes are recorded together.
const RECORDED: usize = 100;

/// Does it with each of them, of which `which` says which they are; returns how many it was done with, and how many refused. Each is recorded,
/// and then how many it were, also where the backend fails in between.
pub(crate) async fn perform(
    cx: &Cx,
    action: &Action,
    jobs: Vec<JobRow>,
    which: Value,
) -> Result<(usize, usize), Problem> {
    cx.need(Role::Operator)?;
    let (mut done, mut refused, mut failed, mut changes) = (0, 0, Ok(()), Vec::new());
    let asked = jobs.len();
    for job in jobs.iter().filter(|job| cx.access.sees(&job.executor)) {
        let (change, answer) = action.attempt(cx, job).await;
        changes.push(change);
        match answer.map_err(Problem::from) {
            Ok(()) => done += 1,
            // It has changed since, or was never such that this could be done.
            Err(Problem::Refused(_) | Problem::NotFound(_)) => refused += 1,
            Err(problem) => {
                failed = Err(problem);
                break;
            }
        }
        if changes.len() >= RECORDED {
            audit::record(cx, &std::mem::take(&mut changes)).await;
        }
    }
    let after = json!({ "jobs": asked, "done": done, "refused": refused });
    let whole = Change::new(cx, action.as_str(), AuditObject::jobs()).changing(which, after);
    let whole = match common(&jobs) {
        Some(executor) => whole.of_executor(executor),
        None => whole,
    };
    changes.push(whole.ended(&failed.as_ref().map_err(|problem| problem.sentence())));
    audit::record(cx, &changes).await;
    failed.map(|()| (done, refused))
}

/// The executor of all of these.
fn common(jobs: &[JobRow]) -> Option<&ExecutorName> {
    let first = &jobs.first()?.executor;
    jobs.iter().all(|job| job.executor == *first).then_some(first)
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
