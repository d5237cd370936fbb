//! One workflow or batch: how its jobs stand, and the graph of its tasks.

use axum::{extract::Path, response::Response};
use maud::{Markup, PreEscaped, html};
use rexecutor::{
    backend::{
        AuditObject,
        flows::{self, FlowState, Flows, TaskRow},
    },
    job::{FlowId, JobId},
    workflows::{Graph, TaskState},
};
use serde_json::json;

use super::{Page, empty, hidden, page};
use crate::{
    access::Role,
    audit::Change,
    format,
    problem::Problem,
    request::{Cx, Filled},
};

/// How many tasks are looked at.
const MOST: usize = Graph::MOST_DRAWN * 4;

/// A workflow, and those of its tasks that they may see.
struct Seen {
    state: FlowState,
    tasks: Vec<TaskRow>,
    /// Whether there are others.
    hides: bool,
}

impl Seen {
    async fn of(cx: &Cx, id: FlowId) -> Result<Self, Problem> {
        let none = || Problem::NotFound(format!("There is no workflow {id}. It is deleted with its last job."));
        let flows = flows::flows(cx.backend())?;
        let state = flows.find(id).await?.ok_or_else(none)?;
        let mut tasks = flows.tasks(id, None, MOST).await?;
        let all = tasks.len();
        tasks.retain(|task| cx.access.sees(&task.executor));
        let hides = tasks.len() < all || (all == 0 && cx.access.executors().is_some());
        // Of a batch nobody knows here whose jobs it has.
        if hides && tasks.is_empty() { Err(none()) } else { Ok(Self { state, tasks, hides }) }
    }
}

fn number(id: &str) -> Result<FlowId, Problem> {
    id.parse().map(FlowId).map_err(|_| Problem::NotFound(format!("`{id}` is no number of a workflow.")))
}

pub(crate) async fn show(cx: Cx, Path(id): Path<String>) -> Result<Page, Problem> {
    let Seen { state, tasks, hides } = Seen::of(&cx, number(&id)?).await?;
    let kind = if state.flow.is_workflow() { "Workflow" } else { "Batch" };
    let graph = Graph::of_tasks(state.flow.name(), &tasks);
    let body = html! {
        div.bar id="title" data-live {
            h1 { (state.flow.name()) " " span.mono.soft { (kind.to_lowercase()) " #" (state.id) } }
            span.grow {}
            @if cx.may(Role::Operator) && !hides { (actions(&cx, &state)) }
        }
        section.card id="stands" data-live aria-label="How it stands" { (stands(&state)) }
        @if hides { p.soft { "Tasks of executors that you may not see are left out." } }
        section.card id="graph" data-live {
            h2 { "Tasks" }
            @if tasks.is_empty() { (empty("It has no tasks: its jobs depend on nothing.")) }
            @else {
                div.scroll tabindex="0" { (picture(&cx, &graph)) }
                (list(&cx, &tasks))
            }
        }
    };
    Ok(page(&cx, &format!("{kind} {}", state.id), "/jobs", body))
}

fn actions(cx: &Cx, state: &FlowState) -> Markup {
    let has_ended = state.flow.end().is_some();
    html! {
        form.actions method="post" {
            (hidden(cx))
            @if state.flow.has_tasks() && (has_ended || state.flow.cancelled().is_none()) {
                button name="action" value="retry" { "Retry what failed" }
            }
            @if !has_ended && state.flow.cancelled().is_none() {
                input type="text" name="reason" placeholder="reason" aria-label="Reason for the cancellation";
                button.danger name="action" value="cancel" { "Cancel all" }
            }
        }
    }
}

fn stands(state: &FlowState) -> Markup {
    let (counts, end) = (state.flow.end().map_or(state.counts, |end| end.counts), state.flow.end());
    html! {
        dl.facts {
            div { dt { "ended" } dd { (format::number(usize::try_from(counts.finished()).unwrap_or(usize::MAX))) " of "
                (format::number(usize::try_from(counts.total()).unwrap_or(usize::MAX))) " (" (counts.percent()) " %)" } }
            @for (name, count) in [
                ("blocked", counts.blocked), ("scheduled", counts.scheduled), ("executing", counts.executing),
                ("retryable", counts.retryable), ("complete", counts.complete), ("skipped", counts.skipped),
                ("cancelled", counts.cancelled.saturating_sub(counts.skipped)), ("discarded", counts.discarded),
            ] {
                @if count > 0 { div { dt { (name) } dd { (format::number(usize::try_from(count).unwrap_or(usize::MAX))) } } }
            }
            div { dt { "enqueued" } dd { (format::instant(state.created_at)) } }
            @if let Some(end) = end { div { dt { "finished" } dd { (format::instant(end.at)) } } }
            @if let Some(reason) = state.flow.cancelled() { div { dt { "cancelled" } dd { (reason) } } }
        }
    }
}

/// Within a page of HTML a picture needs no name of its language.
fn picture(cx: &Cx, graph: &Graph) -> Markup {
    let svg = graph.to_svg(|job| Some(cx.link(&format!("/jobs/{job}"))));
    PreEscaped(svg.replacen(" xmlns=\"http://www.w3.org/2000/svg\"", "", 1))
}

/// For those who do not see the picture.
fn list(cx: &Cx, tasks: &[TaskRow]) -> Markup {
    let name = |job: &JobId| tasks.iter().find(|task| task.job == *job).map(|task| task.name.clone());
    let shown = &tasks[..tasks.len().min(Graph::MOST_DRAWN)];
    html! {
        details {
            summary { "As a list" }
            div.scroll { table.rows {
                thead { tr { th scope="col" { "task" } th scope="col" { "state" } th scope="col" { "executor" } th.optional scope="col" { "after" } } }
                tbody { @for task in shown {
                    tr {
                        td { a.open href=(cx.link(&format!("/jobs/{}", task.job))) { (task.name) } }
                        td { (TaskState::of(task).sign()) " " (TaskState::of(task).as_str()) }
                        td { (task.executor) }
                        td.optional { (task.after.iter().take(10).filter_map(name).collect::<Vec<_>>().join(", ")) }
                    }
                } }
            } }
            @if tasks.len() > shown.len() { p.soft.pad { "The first " (format::number(shown.len())) " are shown." } }
        }
    }
}

pub(crate) async fn change(Path(id): Path<String>, form: Filled) -> Result<Response, Problem> {
    let (cx, id) = (&form.cx, number(&id)?);
    cx.need(Role::Operator)?;
    if Seen::of(cx, id).await?.hides {
        return Err(Problem::Role("operator of all executors of the workflow"));
    }
    let flows: &dyn Flows = flows::flows(cx.backend())?;
    let by = cx.access.name();
    let (action, done) = match form.get("action") {
        "cancel" => {
            let reason = form.get("reason").replace('\0', "\u{fffd}");
            let reason = match reason.trim() {
                "" => format!("cancelled by {by}"),
                reason => format!("{reason} (cancelled by {by})"),
            };
            ("cancel", flows.cancel_flow(id, reason.replace('\0', "\u{fffd}")).await)
        }
        "retry" => ("retry", flows.retry_tasks(id).await),
        _ => return Err(Problem::Invalid("There is no such action.".to_owned())),
    };
    let after = json!({ "jobs": done.as_ref().ok() });
    cx.record(Change::new(cx, action, AuditObject::flow(id)).changing(json!({}), after).ended(&done)).await;
    let done = done?;
    Ok(form.back(&format!("{action}.{done}.0")))
}
