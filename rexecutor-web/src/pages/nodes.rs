//! Nodes: what each runs, and since when.

use maud::{Markup, html};
use rexecutor::{
    backend::observe::{Cluster, SeenNode},
    job::ExecutorName,
};

use super::{Page, empty, page};
use crate::{
    format::{self, span},
    overview::query,
    problem::Problem,
    request::Cx,
    svg,
};

pub(crate) async fn show(cx: Cx) -> Result<Page, Problem> {
    let cluster = cx.observe()?.cluster().await?;
    let body = html! {
        div.bar { h1 { "Nodes" } }
        section.card id="nodes" data-live {
            @if cluster.nodes.is_empty() { (empty("No node is a member of the cluster. Start one with Rexecutor::builder().")) }
            @else { div.scroll { table.rows {
                thead { tr {
                    th scope="col" { "node" } th scope="col" { "slots" } th scope="col" { "last heard" }
                    th.num.optional scope="col" { "since" } th.optional scope="col" { "program" } th.optional scope="col" { "executors" }
                } }
                tbody { @for node in &cluster.nodes { (row(&cx, node, &cluster)) } }
            } } }
        }
        (lost(&cx, &cluster))
    };
    Ok(page(&cx, "Nodes", "/nodes", body))
}

fn running(cx: &Cx, node: &SeenNode) -> String {
    cx.link(&format!("/jobs?{}", query(&[("q", format!("node:{}", node.node)), ("status", "executing".to_owned())])))
}

fn row(cx: &Cx, node: &SeenNode, cluster: &Cluster) -> Markup {
    let running = (running(cx, node), cluster.running_on(node.node));
    let about = &node.about;
    let is_silent = node.is_silent(cluster.now);
    html! {
        tr {
            td { a.open href=(running.0) { (node.label) } div.soft.mono { "#" (node.node) } }
            td {
                (format::number(running.1)) @if let Some(slots) = about.slots { " of " (format::number(slots)) (svg::meter(running.1, slots)) }
            }
            td {
                span class=(if is_silent { "status discarded" } else { "status complete" }) {
                    span { @if is_silent { "silent for " (span(cluster.now - node.seen_at)) } @else { (format::ago(node.seen_at, cluster.now)) } }
                }
            }
            td.num.optional { (format::ago(node.since, cluster.now)) }
            td.optional {
                @if let Some(version) = &about.version { div { (version) } }
                div.soft { @if let Some(host) = &about.host { (host) } @if let Some(pid) = about.pid { ", process " (pid) } }
            }
            td.optional { (executors(cx, node)) }
        }
    }
}

fn executors(cx: &Cx, node: &SeenNode) -> Markup {
    let seen = |executors: &Vec<ExecutorName>| -> Vec<ExecutorName> {
        executors.iter().filter(|executor| cx.access.sees(executor)).cloned().collect()
    };
    html! {
        @match node.executors.as_ref().map(seen) {
            None => { span.soft { "has not said yet" } }
            Some(executors) => {
                details.menu {
                    summary { (executors.len()) @if executors.len() == 1 { " executor" } @else { " executors" } }
                    p { @for executor in &executors { span.tag { (executor) } " " } }
                }
            }
        }
    }
}

/// Runs of nodes that are no members any more: they are about to be rescued.
fn lost(cx: &Cx, cluster: &Cluster) -> Markup {
    let lost =
        cluster.runs.iter().filter(|((node, executor), _)| cluster.node(*node).is_none() && cx.access.sees(executor));
    let lost: usize = lost.map(|(_, jobs)| jobs).sum();
    html! {
        div id="lost" data-live { @if lost > 0 {
            section.why.discarded { b { (format::jobs(lost)) " of nodes that are gone" } span.soft { "The next heartbeat of another node makes them due again." } }
        } }
    }
}
