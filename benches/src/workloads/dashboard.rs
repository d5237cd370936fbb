//! The dashboard on a large table: how long its pages take, and what its viewers cost a drain.

use axum::{
    Router,
    body::{Body, Bytes},
    http::{Request, StatusCode, request::Parts},
};
use futures::StreamExt;
use rexecutor::{
    TimeDelta,
    backend::{Due, NewJob},
    prelude::*,
};
use rexecutor_web::{Access, Role};
use tokio::task::JoinSet;
use tower::ServiceExt;

use crate::{
    drain::{drain, fill, node, ratio},
    error::Result,
    jobs::{History, Noop, Work},
    place::{Place, in_place},
    sample::Sample,
    settings::Settings,
    stats::percentile,
    stopwatch::Stopwatch,
    tally::Tally,
};

/// Each page, and what it is called. `{job}` is a job's number.
const PAGES: [(&str, &str); 14] = [
    ("overview", "/"),
    ("overview, 7 days", "/?last=7d"),
    ("newest jobs", "/jobs"),
    ("waiting jobs", "/jobs?status=scheduled,retryable"),
    ("complete jobs", "/jobs?status=complete"),
    ("discarded jobs", "/jobs?status=discarded"),
    ("jobs of an executor", "/jobs?q=executor:doomed"),
    ("jobs with a tag", "/jobs?q=tag:vip"),
    ("jobs with a text in their data", "/jobs?q=data:nowhere"),
    ("a job", "/jobs/{job}"),
    ("executors", "/executors"),
    ("schedules", "/schedules"),
    ("nodes", "/nodes"),
    ("dead letters", "/dead"),
];

/// How often each page is asked for.
const LOOKS: usize = 20;

const VIEWERS: usize = 50;

/// It fails for good, in one of seven ways.
#[job(max_attempts = 1)]
async fn doomed(work: Work, State(tally): State<Tally>) -> Result<(), String> {
    tally.count();
    Err(format!("tray {} is empty", work.number % 7))
}

fn future(job: NewJob) -> NewJob {
    job.with_due(Due::In(TimeDelta::days(1_000))).with_tags(vec!["vip".to_owned()])
}

pub(super) async fn run(settings: &Settings, jobs: usize) -> Result<Vec<Sample>> {
    in_place(&settings.backend, "with viewers", async |place| {
        let history = settings.history();
        let ids = fill::<History>(place, settings, history, |job| job).await?;
        drain::<History>(place, settings, "before", &ids).await?;
        fill::<Noop>(place, settings, history / 10, future).await?;
        fail(place, settings, history / 100).await?;
        place.rest().await?;
        let authorize = |_: &Parts| Ok(Access::new("a viewer", Role::Admin));
        let site = rexecutor_web::router(place.backend.clone(), authorize);
        let mut samples = Vec::new();
        let job = ids.first().map(ToString::to_string).unwrap_or_default();
        for (case, path) in PAGES {
            samples.extend(page(&site, case, &path.replace("{job}", &job)).await?);
        }
        let ids = fill::<Noop>(place, settings, jobs, |job| job).await?;
        let alone = drain::<Noop>(place, settings, "without viewers", &ids).await?;
        let ids = fill::<Noop>(place, settings, jobs, |job| job).await?;
        let mut viewers = JoinSet::new();
        for number in 0..VIEWERS {
            viewers.spawn(view(site.clone(), if number % 2 == 0 { "/" } else { "/jobs" }));
        }
        let watched = drain::<Noop>(place, settings, "with viewers", &ids).await?;
        viewers.shutdown().await;
        let ratio = ratio("with viewers to without", &watched, &alone);
        samples.extend(alone.into_iter().chain(watched).chain(ratio));
        Ok(samples)
    })
    .await
}

/// Jobs that are discarded.
async fn fail(place: &Place, settings: &Settings, count: usize) -> Result<()> {
    fill::<Doomed>(place, settings, count, |job| job).await?;
    let tally = Tally::default();
    let node = node(place, settings, &tally).with_executor::<Doomed>().start().await?;
    tally.wait(count).await?;
    node.graceful_shutdown().await;
    Ok(())
}

async fn ask(site: &Router, path: &str) -> Result<Body> {
    let answer = site.clone().oneshot(Request::get(path).body(Body::empty())?).await?;
    match answer.status() {
        StatusCode::OK => Ok(answer.into_body()),
        status => Err(format!("{path} was answered with {status}").into()),
    }
}

/// All of an answer.
async fn read(site: &Router, path: &str) -> Result<usize> {
    let mut parts = ask(site, path).await?.into_data_stream();
    let mut bytes = 0;
    while let Some(part) = parts.next().await {
        bytes += part?.len();
    }
    Ok(bytes)
}

/// How long a page takes, from the request to its last byte.
async fn page(site: &Router, case: &str, path: &str) -> Result<Vec<Sample>> {
    let mut times = Vec::with_capacity(LOOKS);
    for _ in 0..LOOKS {
        let watch = Stopwatch::start();
        read(site, path).await?;
        times.push(watch.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    let sample = |measure, share| Some(Sample::new(case, measure, percentile(&times, share)?));
    Ok([sample("p50 ms", 0.5), sample("max ms", 1.0)].into_iter().flatten().collect())
}

/// An open page: it is told of changes, and fetches itself anew.
async fn view(site: Router, path: &'static str) -> Result<()> {
    loop {
        read(&site, path).await?;
        let mut told = ask(&site, "/events").await?.into_data_stream();
        while let Some(part) = told.next().await {
            let part: Bytes = part?;
            if part.windows(13).any(|some| some == b"event: change") {
                read(&site, path).await?;
            }
        }
    }
}
