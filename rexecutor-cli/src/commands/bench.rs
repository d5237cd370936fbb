//! How fast this database is, with us.
//!
//! It works on tables of its own beside those that are there, and removes them in the end, also when it is interrupted.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use chrono::TimeDelta;
use clap::Args;
use rexecutor::{
    backend::{Enqueue, NewJob},
    clock::{Clock, SystemClock},
    prelude::*,
};
use rexecutor_sqlx::{AnyBackend, Scratch};
use rexecutor_web::views::{self, Quantiles};
use serde_json::{Value, json};

use crate::{
    args::Global,
    failure::Failure,
    output::{facts, remark},
    session::Guard,
    stopping::stopped,
    time,
};

/// Measures how fast this database is, and leaves nothing behind
#[derive(Debug, Args)]
pub(crate) struct Bench {
    /// How long it measures in all
    #[arg(long, default_value = "30s", value_name = "SPAN", value_parser = time::span)]
    time: TimeDelta,
    /// How many callers enqueue at once
    #[arg(long, default_value_t = 8, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=256))]
    callers: u16,
}

/// Whether a measurement was ended. Then each part of it comes to its end by itself, so that nobody uses the tables that are removed.
#[derive(Debug, Clone, Default)]
struct Ended(Arc<AtomicBool>);

impl Ended {
    /// Whether something that has begun then, and takes so long, goes on.
    fn goes_on(&self, began: Duration, time: Duration) -> bool {
        !self.0.load(Ordering::Relaxed) && SystemClock.elapsed().saturating_sub(began) < time
    }
}

/// What the jobs of a measurement tell.
#[derive(Debug, Clone, Default)]
struct Tally {
    ran: Arc<AtomicUsize>,
    /// How long after it was enqueued each started.
    delays: Arc<Mutex<Vec<TimeDelta>>>,
}

/// It does nothing.
#[job(name = "rexecutor_bench_noop", max_attempts = 1)]
async fn noop(_number: usize, State(tally): State<Tally>) {
    tally.ran.fetch_add(1, Ordering::Relaxed);
}

/// It notes how late it is.
#[job(name = "rexecutor_bench_timed", max_attempts = 1)]
async fn timed(enqueued: Duration, State(tally): State<Tally>) {
    let delay = SystemClock.elapsed().saturating_sub(enqueued);
    if let (Ok(mut delays), Ok(delay)) = (tally.delays.lock(), TimeDelta::from_std(delay)) {
        delays.push(delay);
    }
}

#[derive(Debug, Clone, Copy)]
struct Results {
    one_by_one: f64,
    many: f64,
    run: f64,
    delays: Quantiles,
}

pub(crate) async fn run(global: &Global, bench: &Bench) -> Result<(), Failure> {
    let guard = Guard::new(global)?;
    // That there are tables is asked first: an SQLite file that does not exist is a mistake.
    let backend = guard.options().connect(&guard.target.url).await.map_err(|error| guard.failure(error))?;
    guard.confirm("measure how fast it is, which keeps it busy")?;
    backend.close().await;
    let stop = stopped();
    let scratch = Scratch::beside(&guard.target.url).await.map_err(|error| guard.failure(error))?;
    remark(&format!("measuring for {}; what it needs for that is removed in the end", views::span(bench.time)));
    let ended = Ended::default();
    let results = {
        let mut measuring = std::pin::pin!(measure(scratch.backend(), bench, &ended));
        tokio::select! {
            results = &mut measuring => results,
            () = stop => {
                ended.0.store(true, Ordering::Relaxed);
                let _ = measuring.await;
                Err(Failure::refused("interrupted"))
            }
        }
    };
    scratch.remove().await?;
    let results = results?;
    global.output().answer(&shape(results), || text(results, bench))
}

fn shape(results: Results) -> Value {
    let ms = |time: Option<TimeDelta>| time.map(|time| time.as_seconds_f64() * 1_000.0);
    let Results { one_by_one, many, run, delays } = results;
    json!({
        "enqueued_one_by_one_per_second": one_by_one, "enqueued_in_batches_per_second": many, "run_per_second": run,
        "start_delay_ms": { "p50": ms(delays.p50), "p95": ms(delays.p95), "p99": ms(delays.p99) },
    })
}

fn text(results: Results, bench: &Bench) -> String {
    let per_second = |rate: f64| format!("{rate:.0} jobs/s");
    let ms =
        |time: Option<TimeDelta>| time.map_or("?".to_owned(), |time| format!("{:.1} ms", time.as_seconds_f64() * 1e3));
    let delays = results.delays;
    let delays = format!("{} (median), {} (95%), {} (99%)", ms(delays.p50), ms(delays.p95), ms(delays.p99));
    let rows = [
        (format!("enqueued one by one, by {} callers", bench.callers), per_second(results.one_by_one)),
        ("enqueued in batches of 1,000".to_owned(), per_second(results.many)),
        ("run by one node".to_owned(), per_second(results.run)),
        ("from enqueue to start, on an idle node".to_owned(), delays),
    ];
    facts(rows)
}

async fn measure(backend: &AnyBackend, bench: &Bench, ended: &Ended) -> Result<Results, Failure> {
    let part = bench.time.to_std().unwrap_or_default() / 4;
    let one_by_one = one_by_one(backend, part, bench.callers, ended).await?;
    let many = many(backend, part, ended).await?;
    let tally = Tally::default();
    let node = Rexecutor::builder().with_backend(backend.clone()).with_state(tally.clone());
    let node = node.with_executor::<Noop>().with_executor::<Timed>().start().await;
    let node = node.map_err(|error| Failure::refused(format!("{error:?}")))?;
    let run = drained(&tally, part, ended).await;
    let delays = delays(backend, &tally, part, ended).await;
    node.graceful_shutdown().await;
    Ok(Results { one_by_one, many, run, delays: delays? })
}

fn per_second(count: usize, since: Duration) -> f64 {
    let seconds = SystemClock.elapsed().saturating_sub(since).as_secs_f64();
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    if seconds > 0.0 { f64::from(count) / seconds } else { 0.0 }
}

async fn one_by_one(backend: &AnyBackend, time: Duration, callers: u16, ended: &Ended) -> Result<f64, Failure> {
    let began = SystemClock.elapsed();
    let caller = |number: u16| {
        let (backend, ended) = (backend.clone(), ended.clone());
        tokio::spawn(async move {
            let mut count = 0;
            while ended.goes_on(began, time) {
                let _ = backend.enqueue(vec![NewJob::new(Noop::NAME, number.to_string())]).await?;
                count += 1;
            }
            Ok::<usize, rexecutor::backend::BackendError>(count)
        })
    };
    let callers: Vec<_> = (0..callers).map(caller).collect();
    // All of them have ended, also when one has failed.
    let counts = futures::future::join_all(callers).await;
    let mut count = 0;
    for counted in counts {
        count += counted.map_err(Failure::io)??;
    }
    Ok(per_second(count, began))
}

/// No more than are run in the time that follows.
const MOST: usize = 500_000;

async fn many(backend: &AnyBackend, time: Duration, ended: &Ended) -> Result<f64, Failure> {
    let (began, mut count) = (SystemClock.elapsed(), 0);
    while ended.goes_on(began, time) && count < MOST {
        let jobs = (0..1_000).map(|number| NewJob::new(Noop::NAME, number.to_string())).collect();
        count += backend.enqueue(jobs).await?.len();
    }
    Ok(per_second(count, began))
}

/// How many a node runs a second, until no more come or the time is over.
async fn drained(tally: &Tally, time: Duration, ended: &Ended) -> f64 {
    let (began, mut last) = (SystemClock.elapsed(), 0);
    let (mut rate, step) = (0.0, (time / 50).clamp(Duration::from_millis(10), Duration::from_millis(200)));
    while ended.goes_on(began, time) {
        SystemClock.sleep(step).await;
        let ran = tally.ran.load(Ordering::Relaxed);
        if ran == last && ran > 0 {
            break;
        }
        (last, rate) = (ran, per_second(ran, began));
    }
    rate
}

async fn delays(backend: &AnyBackend, tally: &Tally, time: Duration, ended: &Ended) -> Result<Quantiles, Failure> {
    // What is left of the jobs before would stand in the way.
    let noops = rexecutor::backend::Scope::Executor(Noop::NAME.into());
    rexecutor::backend::control(backend)?.pause(&noops, Pause::new("the next measurement")).await?;
    SystemClock.sleep((time / 10).min(Duration::from_secs(1))).await;
    let began = SystemClock.elapsed();
    while ended.goes_on(began, time) {
        let job = Timed::builder().with_data(SystemClock.elapsed()).encode().map_err(Failure::from)?;
        let _ = backend.enqueue(vec![job]).await?;
        SystemClock.sleep(Duration::from_millis(10)).await;
    }
    let measured = tally.delays.lock().map(|delays| delays.clone()).unwrap_or_default();
    Ok(Quantiles::of(measured))
}
