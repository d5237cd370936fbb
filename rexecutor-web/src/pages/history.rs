//! How jobs went: throughput, failures and times over an hour, a day or a week, by executor.

use maud::{Markup, html};
use rexecutor::{
    history::{Histogram, Point, RunEnd, Timeline},
    job::ExecutorName,
};

use super::empty;
use crate::{
    charts::{ENDS, SHARES, throughput, times},
    format::{self, span},
    history::{Span, Wanted, minutes, step},
    overview::query,
    request::Cx,
};

/// How many executors are listed.
const MOST: usize = 20;

/// The cards of the overview that are about how jobs went.
pub(crate) fn cards(cx: &Cx, timeline: &Timeline, asked: &Wanted) -> Markup {
    let points = match &asked.of {
        Some(executor) => timeline.points_of(executor),
        None => timeline.points(),
    };
    let total = match &asked.of {
        Some(executor) => timeline.total_of(executor),
        None => timeline.total(),
    };
    html! {
        section.card.c8 id="history" data-live {
            h2.bar {
                span.wrap { "Runs" @if let Some(executor) = &asked.of { " of " (executor) } }
                span.grow.soft { (format::number(count(total.runs()))) ", " (failed(&total)) " failed" }
                @if asked.of.is_some() { a href=(cx.link(&link(asked.span, None))) { "All executors" } }
                span.segmented { @for one in Span::ALL {
                    a href=(cx.link(&link(one, asked.of.as_deref()))) aria-current=[(one == asked.span).then_some("true")] { (one.as_str()) }
                } }
            }
            @if total.runs() == 0 { (empty("Nothing has ended in this time.")) }
            @else {
                div.pad { (throughput(&points, timeline.step())) }
            }
        }
        (ends(&total))
        @if total.runs() > 0 {
            section.card.c6 id="waits" data-live {
                h2 { "Wait" }
                div.pad { (times(&points, timeline.step(), "How long jobs waited", Point::wait)) }
                (legend(&total.wait()))
            }
            section.card.c6 id="run-times" data-live {
                h2 { "Run time" }
                div.pad { (times(&points, timeline.step(), "How long runs took that were completed", completed)) }
                (legend(&completed(&total)))
            }
            (executors(cx, timeline, asked))
        }
    }
}

/// How the runs of the whole span have ended.
fn ends(total: &Point) -> Markup {
    html! {
        section.card.c4 id="ends" data-live {
            h2 { "How they ended" }
            table.plain { tbody { @for (word, class, ends) in ENDS {
                @let runs: u64 = ends.iter().map(|end| total.count(*end)).sum();
                tr {
                    td { span class=(format!("status {class}")) { span { (word) } } }
                    td.num { (format::number(count(runs))) }
                    td.num.soft { @if total.runs() > 0 { (share(runs, total.runs())) } }
                }
            } } }
        }
    }
}

/// In percent.
fn share(part: u64, of: u64) -> String {
    let tenths = u128::from(part) * 1_000 / u128::from(of.max(1));
    format!("{}.{} %", tenths / 10, tenths % 10)
}

fn completed(point: &Point) -> Histogram {
    point.run_of(RunEnd::Completed)
}

/// The address of the overview with this much of the history.
fn link(span: Span, of: Option<&str>) -> String {
    format!("/?{}", query(&[("last", span.as_str().to_owned()), ("of", of.unwrap_or_default().to_owned())]))
}

fn legend(all: &Histogram) -> Markup {
    html! {
        div.legend { @for (word, class, share) in SHARES { span.key {
            svg.sample viewBox="0 0 24 8" aria-hidden="true" { polyline class=(format!("line {class}")) points="0,4 24,4" {} }
            (word) " " b { (time(all, share)) }
        } } }
    }
}

fn executors(cx: &Cx, timeline: &Timeline, asked: &Wanted) -> Markup {
    let mut rows: Vec<(&ExecutorName, Point)> =
        timeline.executors().map(|executor| (executor, timeline.total_of(executor.as_str()))).collect();
    rows.sort_by_key(|(_, total)| std::cmp::Reverse(total.runs()));
    let cells = |times: &Histogram| {
        html! { @for (place, (_, _, share)) in SHARES.iter().enumerate() {
            td.num.optional[place != 1] { (time(times, *share)) }
        } }
    };
    html! {
        section.card.c12 id="went" data-live {
            h2 { "How jobs went, by executor" }
            div.scroll { table {
                thead { tr {
                    th scope="col" { "executor" } th.num scope="col" { "runs" } th.num.optional scope="col" { "/min" }
                    th.num scope="col" { "failed" }
                    @for (place, (word, _, _)) in SHARES.iter().enumerate() { th.num.optional[place != 1] scope="col" { "wait " (word) } }
                    @for (place, (word, _, _)) in SHARES.iter().enumerate() { th.num.optional[place != 1] scope="col" { "run " (word) } }
                } }
                tbody { @for (executor, total) in rows.iter().take(MOST) { tr {
                    td.executor { a.open href=(cx.link(&link(asked.span, Some(executor.as_str())))) { (format::name(executor.as_str())) } }
                    td.num { (format::number(count(total.runs()))) }
                    td.num.optional { (per_minute(total, timeline)) }
                    td.num { (failed(total)) }
                    (cells(&total.wait())) (cells(&completed(total)))
                } } }
            } }
            p.note {
                "By the " (step(timeline)) ", as nodes have counted it. Wait is from when a job is due to when a node claims it, run time is of completed runs; \
                 both are exact to a quarter."
                @if rows.len() > MOST { " " (rows.len() - MOST) " more executors are in the JSON." }
            }
        }
    }
}

/// A share of the attempts, and how many.
fn failed(total: &Point) -> String {
    let (failures, runs) = (total.failures(), total.runs());
    match failures {
        0 => "0".to_owned(),
        _ => format!("{} ({})", format::number(count(failures)), share(failures, runs)),
    }
}

fn per_minute(total: &Point, timeline: &Timeline) -> String {
    let runs = u32::try_from(total.runs()).map_or(f64::MAX, f64::from);
    let rate = runs / minutes(timeline);
    match rate {
        10.0.. => format!("{rate:.0}"),
        0.05.. => format!("{rate:.1}"),
        _ => "< 0.1".to_owned(),
    }
}

fn time(times: &Histogram, share: f64) -> String {
    let found = times.quantile(share).and_then(|time| chrono::TimeDelta::from_std(time).ok());
    found.map_or("–".to_owned(), span)
}

fn count(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
