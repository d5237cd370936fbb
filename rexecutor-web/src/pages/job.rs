//! One job.

use axum::{extract::Path, response::Response};
use maud::{Markup, html};
use rexecutor::{
    backend::{
        JobRow,
        observe::{self, Circumstances, Explanation, Reason},
    },
    job::{JobId, JobStatus},
};

use super::{Page, empty, hidden, page};
use crate::{
    access::Role,
    actions::Action,
    format,
    json::pretty,
    overview::jobs_link,
    problem::Problem,
    request::{Cx, Filled},
};

pub(crate) async fn show(cx: Cx, Path(id): Path<String>) -> Result<Page, Problem> {
    let job = cx.job(number(&id)?).await?;
    let why = why(&cx, &job).await?;
    let body = html! {
        (title(&cx, &job))
        section class=(format!("why {}", mood(&why))) id="why" data-live aria-label="Why it is not running" {
            b { (why) }
            dl.facts { @for (what, fact) in &why.evidence { div { dt { (what) } dd { (fact) } } } }
        }
        (life(&job, &why))
        div.grid {
            (facts(&cx, &job))
            (content(&cx, &job))
            (attempts(&job, &why))
        }
    };
    Ok(page(&cx, &format!("Job {}", job.id), "/jobs", body))
}

pub(crate) async fn change(Path(id): Path<String>, form: Filled) -> Result<Response, Problem> {
    let job = form.cx.job(number(&id)?).await?;
    let action = Action::read(form.get("action"), form.get("reason"), form.get("priority"))?;
    action.perform(&form.cx, &job).await?;
    Ok(form.back(&format!("{}.1.0", action.as_str())))
}

/// The number of a job in an address.
pub(crate) fn number(id: &str) -> Result<JobId, Problem> {
    let number: Result<i64, _> = id.parse();
    number.map(JobId::from).map_err(|_| Problem::NotFound(format!("`{id}` is no number of a job.")))
}

/// Why it is not running.
pub(crate) async fn why(cx: &Cx, job: &JobRow) -> Result<Explanation, Problem> {
    Ok(observe::explain(&Circumstances::of(job.clone(), cx.backend()).await?))
}

/// The class of the answer.
fn mood(why: &Explanation) -> JobStatus {
    match &why.reason {
        Reason::Finished { status, .. } => *status,
        Reason::Running { .. } => JobStatus::Executing,
        Reason::NoNode { .. } | Reason::NodeIsSilent { .. } | Reason::DeadlinePassed(_) => JobStatus::Discarded,
        Reason::NotDue { .. } | Reason::Ready => JobStatus::Scheduled,
        Reason::Unreadable { .. } => JobStatus::Retryable,
        _ => JobStatus::Blocked,
    }
}

fn title(cx: &Cx, job: &JobRow) -> Markup {
    html! {
        div.bar id="title" data-live data-job=(job.id) {
            h1 { (job.executor) " " span.mono.soft { "#" (job.id) } }
            (super::status(job.status))
            span.grow {}
            @if cx.may(Role::Operator) {
                form.actions method="post" {
                    (hidden(cx))
                    @for (word, name) in Action::of(job.status) {
                        @if *word == "cancel" {
                            input type="text" name="reason" placeholder="reason" aria-label="Reason for the cancellation";
                        }
                        button name="action" value=(word) class=[(*word == "cancel").then_some("danger")] { (name) }
                    }
                }
            }
        }
    }
}

/// Its life, as a line.
fn life(job: &JobRow, why: &Explanation) -> Markup {
    let step = |class: &str, name: &str, at: Markup| html! { li class=(class) { b { (name) } span.soft { (at) } } };
    let started = || job.attempted_at.map(|at| (format!("attempt {} started", job.attempt), format::instant(at)));
    let due = if job.scheduled_at > why.now { "is due" } else { "was due" };
    let last_error = job.errors.last().filter(|error| Some(error.recorded_at) != job.finished_at());
    html! {
        section.card id="life" data-live {
            h2 { "Life" }
            ol.life {
                (step("complete", "enqueued", format::instant(job.inserted_at)))
                @if let Some(error) = last_error {
                    (step("retryable", &format!("attempt {} failed", error.attempt), format::instant(error.recorded_at)))
                }
                @match job.status {
                    JobStatus::Blocked => { (step("blocked", "blocked", html! { "until it is released" })) }
                    JobStatus::Cancelled if job.attempt == 0 => {}
                    _ => { (step("scheduled", due, format::instant(job.scheduled_at))) }
                }
                @match started().filter(|_| job.status == JobStatus::Executing || job.status.is_finished()) {
                    Some((name, at)) => { (step("executing", &name, at)) }
                    None if !job.status.is_finished() => { (step("todo", "starts", html! {})) }
                    None => {}
                }
                @match job.finished_at() {
                    Some(at) => { (step(job.status.as_str(), job.status.as_str(), format::instant(at))) }
                    None => { (step("todo", "ends", html! {})) }
                }
            }
        }
    }
}

fn facts(cx: &Cx, job: &JobRow) -> Markup {
    let extras = &job.extras;
    let fact = |name: &str, value: Markup| html! { dt { (name) } dd { (value) } };
    let may_set = cx.may(Role::Operator) && !job.status.is_finished() && job.status != JobStatus::Executing;
    html! {
        section.card.c6 id="facts" data-live {
            h2 { "Job" }
            dl.pad {
                (fact("Executor", html! { a href=(cx.link(&jobs_link(&job.executor, ""))) { (job.executor) } }))
                (fact("Attempt", html! { (job.attempt) " of " (job.max_attempts) }))
                (fact("Claimed", html! { (job.lease) @if job.lease.0 == 1 { " time" } @else { " times" } }))
                (fact("Priority", html! {
                    @if may_set { form.inline method="post" {
                        (hidden(cx))
                        input type="number" name="priority" min="0" max="999" value=(job.priority) aria-label="Priority";
                        button name="action" value="priority" { "Set" }
                    } } @else { (job.priority) }
                }))
                @if !job.tags.is_empty() { (fact("Tags", html! { @for tag in &job.tags { span.tag { (tag) } " " } })) }
                @if let Some(flow) = extras.flow {
                    @let what = match &extras.task { Some(task) => format!("{} of workflow {flow}", task.name), None => format!("batch {flow}") };
                    (fact("Part of", html! { a href=(cx.link(&format!("/workflows/{flow}"))) { (what) } }))
                }
                @if cx.may(Role::Operator) { (fact("Audit", html! { a href=(super::audit::link_of(cx, job.id)) { "changes by hand" } })) }
                @if let Some(key) = &extras.group_key { (fact("Key", html! { code { (key) } })) }
                @if let Some(node) = job.node { (fact("Node", html! { a href=(cx.link("/nodes")) { (node) } })) }
                @if let Some(at) = job.deadline() { (fact("Deadline", format::instant(at))) }
                @if let Some(at) = extras.tick_at { (fact("Tick", format::instant(at))) }
                @if let Some(key) = &job.unique_key {
                    (fact("Unique key", html! { code { @for byte in key.0 { (format!("{byte:02x}")) } } }))
                }
                @if let Some(reason) = &extras.cancel_reason { (fact("Cancel reason", html! { (reason) })) }
                @for (name, value) in extras.headers.iter() { (fact(name, html! { code { (value) } })) }
            }
        }
    }
}

fn content(cx: &Cx, job: &JobRow) -> Markup {
    let block = |name: &str, text: &str| {
        html! {
            details open {
                summary { (name) }
                div.code { button.copy type="button" hidden { "Copy" } pre tabindex="0" { (pretty(&cx.shown(job, text))) } }
            }
        }
    };
    html! {
        section.card.c6 id="content" data-live {
            h2 { "Content" }
            (block("Data", &job.data))
            @if let Some(metadata) = &job.metadata { (block("Metadata", metadata)) }
            @if let Some(output) = &job.extras.output { (block("Output", output)) }
        }
    }
}

fn attempts(job: &JobRow, why: &Explanation) -> Markup {
    let none = if job.attempt == 0 { "No attempt yet." } else { "No attempt has failed." };
    html! {
        section.card.c12 id="attempts" data-live {
            h2 { "Failed attempts" }
            @if job.errors.is_empty() { (empty(none)) }
            @else { ol.attempts { @for error in job.errors.iter().rev() { li {
                div.bar {
                    b { "Attempt " (error.attempt) } code { (error.error_type) }
                    span.grow {}
                    span.soft { (format::ago(error.recorded_at, why.now)) }
                }
                (chain(&error.details))
            } } } }
        }
    }
}

/// An error with the causes behind it: the first line, and the others where there are any.
fn chain(details: &str) -> Markup {
    let (first, rest) = details.split_once('\n').unwrap_or((details, ""));
    html! {
        p.error { (first) }
        @if !rest.trim().is_empty() { details open { summary { "More" } pre tabindex="0" { (rest) } } }
    }
}
