//! The list of workflows and batches.

use axum::extract::Query;
use chrono::{DateTime, Utc};
use maud::{Markup, html};
use rexecutor::{
    backend::flows::{self, FlowsPage, FlowsRequest, ListedFlow},
    job::FlowId,
};

use super::{Page, empty, page};
use crate::{format, overview::query, problem::Problem, request::Cx, svg};

/// What is asked for in an address: `status`, `open` or `ended`, from where on, `before`, and how many, `limit`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    is_open: Option<bool>,
    before: Option<i64>,
    limit: Option<usize>,
}

const STATUSES: [(Option<bool>, &str, &str); 3] =
    [(None, "", "All"), (Some(true), "open", "Open"), (Some(false), "ended", "Ended")];

impl Asked {
    pub(crate) fn read(parameters: &[(String, String)]) -> Result<Self, Problem> {
        let get = |name: &str| parameters.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.trim());
        let number = |name: &str| match get(name) {
            "" => Ok(None),
            text => {
                text.parse().map(Some).map_err(|_| Problem::Invalid(format!("`{name}` is a number, not `{text}`.")))
            }
        };
        let status = STATUSES.iter().find(|(_, word, _)| *word == get("status"));
        let (is_open, ..) = *status.ok_or_else(|| Problem::Invalid("`status` is `open` or `ended`.".to_owned()))?;
        let limit: Option<i64> = number("limit")?;
        Ok(Self { is_open, before: number("before")?, limit: limit.map(|limit| usize::try_from(limit).unwrap_or(0)) })
    }

    fn link(&self, cx: &Cx) -> String {
        let status = STATUSES.iter().find(|(is_open, ..)| *is_open == self.is_open).map_or("", |(_, word, _)| word);
        let number = |number: Option<String>| number.unwrap_or_default();
        let query = query(&[
            ("status", status.to_owned()),
            ("limit", number(self.limit.map(|limit| limit.to_string()))),
            ("before", number(self.before.map(|before| before.to_string()))),
        ]);
        cx.link(&if query.is_empty() { "/flows".to_owned() } else { format!("/flows?{query}") })
    }
}

/// The flows. Nobody knows here whose jobs each has, so it takes somebody who sees all.
pub(crate) async fn read(cx: &Cx, asked: &Asked) -> Result<FlowsPage, Problem> {
    if cx.access.executors().is_some() {
        return Err(Problem::Role("viewer of all executors"));
    }
    let request = FlowsRequest::new().that_are_open(asked.is_open).before(asked.before.map(FlowId));
    Ok(flows::flows(cx.backend())?.list_flows(&request.at_most(asked.limit.unwrap_or(50))).await?)
}

pub(crate) async fn show(cx: Cx, Query(parameters): Query<Vec<(String, String)>>) -> Result<Page, Problem> {
    let asked = Asked::read(&parameters)?;
    let found = read(&cx, &asked).await?;
    let body = html! {
        div.bar { h1 { "Flows" } span.soft { "Workflows and batches" } span.grow {}
            nav.segmented aria-label="Status" { @for (is_open, _, name) in STATUSES {
                a href=(Asked { is_open, before: None, ..asked.clone() }.link(&cx)) aria-current=[(is_open == asked.is_open).then_some("true")] { (name) }
            } }
        }
        section.card id="flows" data-live aria-label="Flows" {
            @if found.flows.is_empty() { (empty("No workflow or batch. A flow is deleted with its last job.")) }
            @else { div.scroll { table.rows {
                thead { tr {
                    th scope="col" { "id" } th scope="col" { "name" } th scope="col" { "state" } th scope="col" { "ended" }
                    th.wide scope="col" { "jobs" } th.num scope="col" { "since" } th.num.optional scope="col" { "finished" }
                } }
                tbody { @for flow in &found.flows { (row(&cx, flow, found.now)) } }
            } } }
            div.bar.foot {
                span.soft { (format::number(found.flows.len())) " on this page" }
                span.grow {}
                @if asked.before.is_some() { a.button href=(Asked { before: None, ..asked.clone() }.link(&cx)) { "First page" } }
                @if let Some(next) = found.next {
                    a.button rel="next" href=(Asked { before: Some(next.0), ..asked.clone() }.link(&cx)) { "Next page" }
                }
            }
        }
    };
    Ok(page(&cx, "Flows", "/flows", body))
}

fn row(cx: &Cx, listed: &ListedFlow, now: DateTime<Utc>) -> Markup {
    let (flow, counts) = (&listed.flow, listed.counts);
    let size = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    let more = if listed.is_least { "+" } else { "" };
    let state = match (flow.end().is_some(), flow.cancelled().is_some()) {
        (true, true) => "cancelled",
        (true, false) => "ended",
        (false, true) => "being cancelled",
        (false, false) => "open",
    };
    let parts = [
        ("blocked", counts.blocked),
        ("scheduled", counts.scheduled),
        ("executing", counts.executing),
        ("retryable", counts.retryable),
        ("complete", counts.complete),
        ("cancelled", counts.cancelled),
        ("discarded", counts.discarded),
    ];
    html! {
        tr {
            td.mono { a.open href=(cx.link(&format!("/workflows/{}", listed.id))) { (listed.id) } }
            td.wrap { (format::short(flow.name(), 120)) div.soft { @if flow.is_workflow() { "workflow" } @else { "batch" } } }
            td { (state) }
            td.num { (format::number(size(counts.finished()))) (more) " of " (format::number(size(counts.total()))) (more)
                (svg::meter(size(counts.finished()), size(counts.total()))) }
            td.wide { @for (name, count) in parts { @if count > 0 { span.tag { (name) " " (format::number(size(count))) } " " } } }
            td.num.when { (format::ago(listed.created_at, now)) }
            td.num.when.optional { @if let Some(at) = flow.finished_at() { (format::ago(at, now)) } }
        }
    }
}
