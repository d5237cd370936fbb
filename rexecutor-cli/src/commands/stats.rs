//! How many jobs there are, and how those of the last hour went.

use std::{collections::BTreeMap, time::Duration};

use rexecutor::{
    TimeDelta,
    backend::{Backend, observe::Count},
    history::{Point, RunEnd, Timeline},
    job::{ExecutorName, JobStatus},
};
use rexecutor_web::{
    shapes,
    views::{self, Overview},
};
use serde_json::{Map, Value, json};

use crate::{failure::Failure, output::table, session::Session};

pub(crate) async fn run(session: &Session) -> Result<(), Failure> {
    let seen = Overview::read(session.read(), None).await?;
    let history = history(session).await?;
    let (counts, recent, now) = (&seen.counts, &seen.recent, seen.cluster.now);
    let shape = |of: &dyn Fn(JobStatus) -> Count| -> Map<String, Value> {
        JobStatus::ALL.iter().map(|status| (status.to_string(), shapes::count(of(*status)))).collect()
    };
    let executors: BTreeMap<&ExecutorName, _> =
        counts.by_executor.keys().map(|name| (name, shape(&|status| counts.of(name, status)))).collect();
    let executors: Map<String, Value> =
        executors.into_iter().map(|(name, shape)| (name.to_string(), shape.into())).collect();
    let json = json!({
        "now": shapes::instant(now), "counts": shape(&|status| counts.total(status)), "executors": executors,
        "finished": {
            "since": shapes::instant(recent.since), "is_cut": recent.is_cut, "jobs": recent.jobs.len(),
            "discarded": recent.discarded(), "per_minute": recent.per_minute(now),
            "wait_seconds": shapes::quantiles(recent.wait), "run_seconds": shapes::quantiles(recent.run),
        },
        "last_24_hours": history.as_ref().map(|timeline| {
            let of = |name: &ExecutorName| (name.to_string(), shapes::point(&timeline.total_of(name.as_str())));
            json!({ "total": shapes::point(&timeline.total()), "executors": timeline.executors().map(of).collect::<Map<_, _>>() })
        }),
    });
    session.output.answer(&json, || {
        let names: Vec<String> = JobStatus::ALL.iter().map(|status| format!(">{status}")).collect();
        let headings: Vec<&str> = std::iter::once("executor").chain(names.iter().map(String::as_str)).collect();
        let row = |name: String, of: &dyn Fn(JobStatus) -> Count| {
            let numbers = JobStatus::ALL.iter().map(|status| of(*status).to_string());
            std::iter::once(name).chain(numbers).collect::<Vec<_>>()
        };
        let mut rows: Vec<_> =
            counts.by_executor.keys().map(|name| row(name.to_string(), &|status| counts.of(name, status))).collect();
        rows.push(row("(all)".to_owned(), &|status| counts.total(status)));
        let went = history.as_ref().map(went).unwrap_or_default();
        format!("{}\n\n{}{went}", table(&headings, rows), finished(&seen))
    })
}

/// How runs went; `None`: the backend keeps no history.
async fn history(session: &Session) -> Result<Option<Timeline>, Failure> {
    if session.read().history().is_none() {
        return Ok(None);
    }
    let last = rexecutor::history().last_on_backend(Duration::from_secs(24 * 3_600), session.read());
    Ok(Some(last.await?))
}

/// The same for people: a line for each executor, and nothing if nothing has ended.
fn went(timeline: &Timeline) -> String {
    let time = |time: Option<Duration>| {
        time.and_then(|time| TimeDelta::from_std(time).ok()).map_or("-".to_owned(), views::span)
    };
    let row = |name: String, point: &Point| {
        let (wait, run) = (point.wait(), point.run_of(RunEnd::Completed));
        let times = [wait.p50(), wait.p95(), wait.p99(), run.p50(), run.p95(), run.p99()].map(time);
        [name, point.runs().to_string(), point.failures().to_string()].into_iter().chain(times).collect::<Vec<_>>()
    };
    let mut rows: Vec<_> =
        timeline.executors().map(|name| row(name.to_string(), &timeline.total_of(name.as_str()))).collect();
    if rows.is_empty() {
        return String::new();
    }
    rows.push(row("(all)".to_owned(), &timeline.total()));
    let headings = ["executor", ">runs", ">failed", ">wait p50", ">p95", ">p99", ">run p50", ">p95", ">p99"];
    format!("\nruns of the last 24 h\n{}\n", table(&headings, rows))
}

fn finished(seen: &Overview) -> String {
    let recent = &seen.recent;
    let since = views::span(seen.cluster.now - recent.since);
    let mut text = format!(
        "in the last {since}: {} finished, {} discarded, {:.1} a minute\n",
        recent.jobs.len(),
        recent.discarded(),
        recent.per_minute(seen.cluster.now),
    );
    for (name, times) in [("waited", recent.wait), ("ran for", recent.run)] {
        if let (Some(p50), Some(p95), Some(p99)) = (times.p50, times.p95, times.p99) {
            let [p50, p95, p99] = [p50, p95, p99].map(views::span);
            text.push_str(&format!("they {name} {p50} (median), {p95} (95%), {p99} (99%)\n"));
        }
    }
    text
}
