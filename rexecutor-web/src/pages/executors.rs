//! Executors: what keeps them, what waits, and pausing them.

use axum::response::Response;
use maud::{Markup, html};
use rexecutor::backend::{
    Paused,
    breaker::HeldByBreaker,
    control,
    observe::{Cluster, Standing},
};

use super::{Page, empty, hidden, overview::later, page, tags};
use crate::{
    access::Role,
    format::{self, span},
    overview::jobs_link,
    problem::Problem,
    request::{Cx, Filled},
    steer,
};

pub(crate) async fn show(cx: Cx) -> Result<Page, Problem> {
    let mut cluster = cx.observe()?.cluster().await?;
    cluster.executors.retain(|standing| cx.access.sees(&standing.executor));
    let can_pause = control(cx.backend()).is_ok();
    let body = html! {
        div.bar id="title" data-live {
            h1 { "Executors" }
            span.grow {}
            @if can_pause && cx.may(Role::Admin) && cx.access.executors().is_none() { (whole(&cx, cluster.paused.as_ref())) }
        }
        @if let Some(paused) = &cluster.paused {
            section.why.blocked id="why" data-live { b { "The whole cluster is paused" (words(paused, &cluster)) "." }
                span.soft { (paused.pause.reason) } }
        }
        section.card id="executors" data-live {
            @if cluster.executors.is_empty() { (empty("No node has said yet what it runs, and no job waits.")) }
            @else { div.scroll { table.rows {
                thead { tr {
                    th scope="col" { "executor" } th.num scope="col" { "running" } th.num scope="col" { "due" }
                    th.num.optional scope="col" { "oldest wait" } th.num.optional scope="col" { "later" }
                    th.num.optional scope="col" { "nodes" } th.optional scope="col" { "limits" } th scope="col" { "state" }
                } }
                tbody { @for one in &cluster.executors { (row(&cx, one, &cluster, can_pause)) } }
            } } }
        }
        @let may_all = can_pause && cx.may(Role::Admin) && cx.access.executors().is_none();
        @if may_all || !cluster.tags.is_empty() { (tags::section(&cx, &cluster, may_all)) }
    };
    Ok(page(&cx, "Executors", "/executors", body))
}

pub(crate) async fn change(form: Filled) -> Result<Response, Problem> {
    let is_tag = !form.get("of_tag").is_empty();
    let executor = if is_tag || form.get("cluster") == "1" { None } else { Some(form.executor()?) };
    let done = match form.get("action") {
        "pause" if is_tag => {
            let pause = steer::pause_tag(&form.cx, form.get("tag"), form.get("reason"), form.get("minutes"));
            pause.await.map(|()| "pause")
        }
        "resume" if is_tag => steer::resume_tag(&form.cx, form.get("tag")).await.map(|_| "resume"),
        "pause" => steer::pause(&form.cx, executor, form.get("reason"), form.get("minutes")).await.map(|()| "pause"),
        "resume" => steer::resume(&form.cx, executor).await.map(|_| "resume"),
        _ => Err(Problem::Invalid("There is no such action.".to_owned())),
    };
    Ok(form.back(done?))
}

fn whole(cx: &Cx, paused: Option<&Paused>) -> Markup {
    html! {
        form.inline method="post" action=(cx.link("/executors")) {
            (hidden(cx))
            input type="hidden" name="cluster" value="1";
            @match paused {
                Some(_) => { button.primary name="action" value="resume" { "Resume the cluster" } }
                None => {
                    input type="text" name="reason" placeholder="reason" aria-label="Reason" required;
                    button.danger name="action" value="pause" { "Pause the whole cluster" }
                }
            }
        }
    }
}

/// By whom, and for how long.
pub(super) fn words(paused: &Paused, cluster: &Cluster) -> Markup {
    html! {
        @if let Some(by) = &paused.pause.by { " by " (by) }
        ", for " (span(cluster.now - paused.since))
        @if let Some(until) = paused.pause.until { ", until " (format::ago(until, cluster.now)) }
    }
}

fn row(cx: &Cx, one: &Standing, cluster: &Cluster, can_pause: bool) -> Markup {
    html! {
        tr {
            td { a.open href=(cx.link(&jobs_link(&one.executor, ""))) { (format::name(one.executor.as_str())) } }
            td.num { (one.running) }
            td.num { (one.queue.due) }
            td.num.optional { (one.oldest_wait(cluster.now).map_or("–".to_owned(), span)) }
            td.num.optional { (later(one)) }
            td.num.optional { (one.nodes) }
            td.optional { (limits(one, cluster)) }
            td {
                @if let Some(paused) = &one.paused {
                    div { span.tag { "paused" } span.soft { (words(paused, cluster)) } }
                    @if !paused.pause.reason.is_empty() { div.soft { (paused.pause.reason) } }
                }
                @if let Some(held) = &one.controls.breaker { (breaker(held, cluster)) }
                @if can_pause && cx.may(Role::Operator) {
                    @if one.paused.is_some() || one.controls.breaker.is_some() { form method="post" action=(cx.link("/executors")) {
                        (hidden(cx))
                        input type="hidden" name="executor" value=(one.executor);
                        button name="action" value="resume" { "Resume" }
                    } } @else { details.menu {
                        summary { "Pause…" }
                        form method="post" action=(cx.link("/executors")) {
                            (hidden(cx))
                            input type="hidden" name="executor" value=(one.executor);
                            input type="text" name="reason" placeholder="reason" aria-label="Reason" required;
                            input type="number" name="minutes" min="1" max="100000" placeholder="minutes" aria-label="For so many minutes; empty: until it is resumed";
                            button.danger name="action" value="pause" { "Pause" }
                        }
                    } }
                }
            }
        }
    }
}

/// How the circuit breaker of an executor keeps its jobs.
fn breaker(held: &HeldByBreaker, cluster: &Cluster) -> Markup {
    html! {
        div {
            span.tag { "paused" } span.soft {
                " by its circuit breaker, for " (span(cluster.now - held.open.since))
                @if cluster.now < held.open.until { ", until " (format::ago(held.open.until, cluster.now)) }
                @else if held.is_tried { ", and one job is tried" }
                @else { ", and one job is let through" }
            }
        }
        @if !held.open.reason.is_empty() { div.soft { (held.open.reason) } }
    }
}

fn limits(one: &Standing, cluster: &Cluster) -> Markup {
    let controls = &one.controls;
    let throttled = controls.throttled_until.filter(|until| *until > cluster.now);
    html! {
        @if let Some(concurrency) = &controls.concurrency { div { (concurrency.running) " of " (concurrency.limit) " in the cluster" } }
        @if let Some(limit) = controls.per_key { div { (limit) " of each key" } }
        @if let Some(bucket) = &controls.bucket {
            div { "one each " (span(chrono::TimeDelta::nanoseconds(bucket.interval))) ", burst " (bucket.burst) }
            div.soft { @match bucket.tokens(cluster.now) {
                0 => { "next " (format::ago(bucket.next_token_at(cluster.now), cluster.now)) }
                1 => { "1 token left" }
                tokens => { (tokens) " tokens left" }
            } }
        }
        @if let Some(rate) = &controls.key_rate {
            div { "one each " (span(chrono::TimeDelta::nanoseconds(rate.interval))) " of each key, burst " (rate.burst) }
        }
        @if let Some(aging) = controls.aging.and_then(|aging| chrono::TimeDelta::from_std(aging).ok()) {
            div.soft { "one priority up for each " (span(aging)) " of waiting" }
        }
        @if controls.weighs { div.soft { "each job costs what it weighs" } }
        @if let Some(until) = throttled { div { "held back, " (format::ago(until, cluster.now)) } }
    }
}
