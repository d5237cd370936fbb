//! What is going on, and what needs attention.

use axum::extract::Query;
use maud::{Markup, html};
use rexecutor::{
    backend::observe::{Cluster, Count, Standing},
    job::JobStatus,
};

use super::{Page, empty, hidden, history, page};
use crate::{
    access::Role,
    format::{self, span},
    history::{Wanted, timeline},
    overview::{Attention, Overview, Quantiles, SAMPLE, jobs_link},
    problem::Problem,
    request::Cx,
    svg,
};

/// How many executors the overview has.
const BUSIEST: usize = 12;

pub(crate) async fn show(cx: Cx, Query(parameters): Query<Vec<(String, String)>>) -> Result<Page, Problem> {
    let asked = Wanted::read(&parameters)?;
    let (seen, timeline) = (Overview::of(&cx).await?, timeline(&cx, asked.span).await?);
    let body = html! {
        div.bar { h1 { "Overview" } }
        (figures(&seen))
        div.grid {
            (attention(&cx, &seen.attention))
            (statuses(&cx, &seen))
            @match &timeline {
                Some(timeline) => { (history::cards(&cx, timeline, &asked)) }
                // A backend that keeps no history: by a sample of its jobs.
                None => { (chart(&seen)) (latency(&seen)) }
            }
            (executors(&cx, &seen.cluster))
        }
    };
    Ok(page(&cx, "Overview", "/", body))
}

fn figures(seen: &Overview) -> Markup {
    let (cluster, recent) = (&seen.cluster, &seen.recent);
    let alive: Vec<_> = cluster.nodes.iter().filter(|node| !node.is_silent(cluster.now)).collect();
    let slots: usize = alive.iter().filter_map(|node| node.about.slots).sum();
    let running: usize = cluster.executors.iter().map(|standing| standing.running).sum();
    let wait = |one: &'_ Standing| one.oldest_wait(cluster.now);
    let oldest = cluster.executors.iter().filter_map(|one| Some((wait(one)?, one))).max_by_key(|(wait, _)| *wait);
    let due = cluster.executors.iter().fold(Count::default(), |sum, one| sum.plus(one.queue.due));
    html! {
        section.figures id="figures" data-live aria-label="Figures" {
            div.card.figure {
                h2 { "Finished" } b { (rate(recent.per_minute(cluster.now))) small { " /min" } }
                span.soft { "over the last " (span(cluster.now - recent.since)) }
            }
            div.card.figure {
                h2 { "Discarded" } b.bad[recent.discarded() > 0] { (recent.discarded()) }
                span.soft { "of the last " (format::jobs(recent.jobs.len())) }
            }
            div.card.figure {
                h2 { "Running" } b { (format::number(running)) @if slots > 0 { small { " of " (format::number(slots)) } } }
                span.soft { "on " (alive.len()) @if alive.len() == 1 { " node" } @else { " nodes" } }
            }
            div.card.figure {
                h2 { "Due" } b { (due) }
                span.soft { @match oldest {
                    Some((wait, one)) => { "oldest wait " (span(wait)) ", " (one.executor) }
                    None => { "nothing waits for a slot" }
                } }
            }
        }
    }
}

fn rate(rate: f64) -> String {
    if rate >= 10.0 || rate == 0.0 { format!("{rate:.0}") } else { format!("{rate:.1}") }
}

fn attention(cx: &Cx, attention: &[Attention]) -> Markup {
    html! {
        section.card.c8 id="attention" data-live {
            h2 { "Needs attention" }
            @if attention.is_empty() { (empty("Nothing: nodes are heard, nothing is paused, and nothing was discarded of late.")) }
            @else { ul.attention { @for one in attention { li {
                span class=(format!("status {}", one.kind)) aria-hidden="true" {}
                div.grow { b { (one.what) } @if !one.why.is_empty() { span.soft { (one.why) } } }
                @if let Some(executor) = one.resume.as_ref().filter(|_| cx.may(Role::Operator)) {
                    form method="post" action=(cx.link("/executors")) {
                        (hidden(cx))
                        input type="hidden" name="executor" value=(executor);
                        button name="action" value="resume" { "Resume" }
                    }
                }
                a.button href=(cx.link(&one.link)) { (one.go) }
            } } } }
        }
    }
}

fn statuses(cx: &Cx, seen: &Overview) -> Markup {
    html! {
        section.card.c4 id="statuses" data-live {
            h2 { "Jobs" }
            table.plain { tbody { @for status in JobStatus::ALL { tr {
                td { a href=(cx.link(&format!("/jobs?status={status}"))) { (super::status(*status)) } }
                td.num { (count(cx, seen, *status)) }
            } } } }
        }
    }
}

/// How many of a status they may see.
fn count(cx: &Cx, seen: &Overview, status: JobStatus) -> Count {
    match cx.access.executors() {
        None => seen.counts.total(status),
        Some(names) => names.iter().fold(Count::default(), |sum, name| sum.plus(seen.counts.of(name, status))),
    }
}

fn chart(seen: &Overview) -> Markup {
    let recent = &seen.recent;
    html! {
        section.card.c8 id="finished" data-live {
            h2 { @if recent.is_cut { "The last " (format::number(SAMPLE)) " finished jobs" } @else { "Finished in the last " (span(seen.cluster.now - recent.since)) } }
            div.pad { (svg::finished(&recent.jobs, recent.since, seen.cluster.now)) }
            div.legend {
                @for status in [JobStatus::Complete, JobStatus::Cancelled, JobStatus::Discarded] { (super::status(status)) }
            }
        }
    }
}

fn latency(seen: &Overview) -> Markup {
    let row = |name: &str, quantiles: &Quantiles| {
        let cell = |time: Option<_>| time.map_or("–".to_owned(), span);
        html! { tr {
            th scope="row" { (name) }
            @for time in [quantiles.p50, quantiles.p95, quantiles.p99] { td.num { (cell(time)) } }
        } }
    };
    html! {
        section.card.c4 id="latency" data-live {
            h2 { "Times of complete jobs" }
            table.plain {
                thead { tr { td {} @for name in ["p50", "p95", "p99"] { th.num scope="col" { (name) } } } }
                tbody { (row("Wait", &seen.recent.wait)) (row("Run", &seen.recent.run)) }
            }
            p.note { "Of the finished jobs beside this. A job waits from when it is due to when it begins." }
        }
    }
}

fn executors(cx: &Cx, cluster: &Cluster) -> Markup {
    let mut executors: Vec<&Standing> = cluster.executors.iter().collect();
    executors.sort_by_key(|one| std::cmp::Reverse((one.queue.due, one.running)));
    html! {
        section.card.c12 id="busiest" data-live {
            h2 { "Executors" }
            @if executors.is_empty() { (empty("No node has said yet what it runs, and no job waits.")) }
            @else { div.scroll { table {
                thead { tr {
                    th scope="col" { "executor" } th.num scope="col" { "due" } th.num scope="col" { "oldest wait" }
                    th.num scope="col" { "running" } th.num.optional scope="col" { "later" } th.num.optional scope="col" { "nodes" }
                } }
                tbody { @for one in executors.iter().take(BUSIEST) { tr {
                    td { a.open href=(cx.link(&jobs_link(&one.executor, ""))) { (format::name(one.executor.as_str())) }
                        @if one.paused.is_some() { " " span.tag { "paused" } } }
                    td.num { (one.queue.due) }
                    td.num { (one.oldest_wait(cluster.now).map_or("–".to_owned(), span)) }
                    td.num { (one.running) }
                    td.num.optional { (later(one)) }
                    td.num.optional { (one.nodes) }
                } } }
            } } }
            @if executors.len() > BUSIEST { p.note { a href=(cx.link("/executors")) { "All " (executors.len()) " executors" } } }
        }
    }
}

/// How many wait for their time.
pub(crate) fn later(one: &Standing) -> Count {
    let mut later = one.queue.waiting;
    later.jobs = later.jobs.saturating_sub(one.queue.due.jobs);
    later
}
