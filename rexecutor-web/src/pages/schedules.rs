//! Schedules: when they tick, and pausing and triggering them.

use axum::response::Response;
use maud::{Markup, html};
use rexecutor::{
    clock::Clock,
    clock::SystemClock,
    schedule::{Origin, ScheduleEntry},
};

use super::{Page, empty, hidden, page};
use crate::{
    access::Role,
    format, overview,
    problem::Problem,
    request::{Cx, Filled},
    steer::{self, Step},
};

pub(crate) async fn show(cx: Cx) -> Result<Page, Problem> {
    let entries = overview::schedules(&cx).await?;
    let body = html! {
        div.bar { h1 { "Schedules" } }
        section.card id="schedules" data-live {
            @if entries.is_empty() {
                (empty("No schedule: write #[job(cron = \"…\")], or put an entry with rexecutor::schedules::put."))
            } @else { div.scroll { table.rows {
                thead { tr {
                    th scope="col" { "schedule" } th.optional scope="col" { "when" } th.num.optional scope="col" { "last tick" }
                    th.num scope="col" { "next tick" } th.optional scope="col" { "from" } th scope="col" { "state" }
                } }
                tbody { @for entry in &entries { (row(&cx, entry)) } }
            } } }
        }
    };
    Ok(page(&cx, "Schedules", "/schedules", body))
}

pub(crate) async fn change(form: Filled) -> Result<Response, Problem> {
    let step = match form.get("action") {
        "pause" => Step::Pause { reason: form.get("reason"), minutes: form.get("minutes") },
        "resume" => Step::Resume,
        "trigger" => Step::Trigger,
        "remove" => Step::Remove,
        _ => return Err(Problem::Invalid("There is no such action.".to_owned())),
    };
    let done = steer::schedule(&form.cx, form.get("name"), step).await?;
    Ok(form.back(done))
}

fn row(cx: &Cx, entry: &ScheduleEntry) -> Markup {
    let now = SystemClock.now();
    let from = match entry.origin {
        Origin::Code => "code",
        _ => "run time",
    };
    html! {
        tr {
            td {
                a.open href=(cx.link(&overview::jobs_link(&entry.executor, ""))) { (format::name(&entry.name)) }
                @if entry.executor.as_str() != entry.name { div.soft { (entry.executor) } }
            }
            td.optional {
                div { (entry.description.as_deref().unwrap_or("this program cannot read the expression")) }
                div.soft.mono { (entry.expression) " " (entry.timezone) }
            }
            td.num.optional { @match entry.last_tick { Some(at) => { (last(cx, entry, format::ago(at, now))) } None => { "–" } } }
            td.num { @match entry.next_tick { Some(at) => { (format::ago(at, now)) } None => { "–" } } }
            td.optional { (from) div.soft { (entry.declared_by) } }
            td {
                @if entry.is_orphaned { div { span.tag { "orphaned" } span.soft { " no living node has it in its code" } } }
                @if entry.waiting > 0 { div.soft { (entry.waiting) " ticks wait for a job to end" } }
                @if let Some((since, pause)) = &entry.paused {
                    div { span.tag { "paused" } span.soft {
                        @if let Some(by) = &pause.by { " by " (by) } " " (format::ago(*since, now))
                        @if let Some(until) = pause.until { ", until " (format::ago(until, now)) }
                    } }
                    @if !pause.reason.is_empty() { div.soft { (pause.reason) } }
                }
                @if cx.may(Role::Operator) { (buttons(cx, entry)) }
            }
        }
    }
}

/// A link to the job of the last tick.
fn last(cx: &Cx, entry: &ScheduleEntry, at: Markup) -> Markup {
    match entry.ticks.last().and_then(|tick| tick.job) {
        Some(job) => html! { a href=(cx.link(&format!("/jobs/{job}"))) { (at) } },
        None => at,
    }
}

fn buttons(cx: &Cx, entry: &ScheduleEntry) -> Markup {
    let form = |inner: Markup| {
        html! {
            form method="post" action=(cx.link("/schedules")) {
                (hidden(cx))
                input type="hidden" name="name" value=(entry.name);
                (inner)
            }
        }
    };
    let button = |word: &str, name: &str| form(html! { button name="action" value=(word) { (name) } });
    let is_removable = cx.may(Role::Admin) && (entry.is_orphaned || entry.origin == Origin::RunTime);
    html! {
        div.actions {
            (button("trigger", "Trigger now"))
            @if entry.paused.is_some() { (button("resume", "Resume")) } @else { details.menu {
                summary { "Pause…" }
                (form(html! {
                    input type="text" name="reason" placeholder="reason" aria-label="Reason" required;
                    input type="number" name="minutes" min="1" max="100000" placeholder="minutes"
                        aria-label="For so many minutes; empty: until it is resumed";
                    button.danger name="action" value="pause" { "Pause" }
                }))
            } }
            @if is_removable { details.menu {
                summary { "Remove…" }
                (form(html! { button.danger name="action" value="remove" { "Remove it for good" } }))
            } }
        }
    }
}
