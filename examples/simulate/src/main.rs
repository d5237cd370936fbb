//! Simulates clusters in which everything goes wrong, until a promise is broken.
//!
//! Run it with `cargo run --release -p example-simulate -- --seeds 100000`, or with `--seed 7` for one with its trace.

use std::{
    process::ExitCode,
    sync::atomic::{AtomicU64, Ordering},
};

use rexecutor::clock::{Clock, SystemClock};
use rexecutor_testing::simulate;

const USAGE: &str = "usage: simulate [--seeds NUMBER] [--from SEED] | simulate --seed SEED";

enum Task {
    Many { from: u64, count: u64 },
    One(u64),
}

fn main() -> ExitCode {
    match task(std::env::args().skip(1)) {
        Ok(Task::One(seed)) => one(seed),
        Ok(Task::Many { from, count }) => many(from, count),
        Err(problem) => {
            eprintln!("{problem}\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn task(mut words: impl Iterator<Item = String>) -> Result<Task, String> {
    let mut task = Task::Many { from: 0, count: 10_000 };
    while let Some(name) = words.next() {
        let value = words.next().ok_or_else(|| format!("`{name}` needs a number"))?;
        let value = value.parse().map_err(|_| format!("`{value}` is no number"))?;
        task = match (name.as_str(), task) {
            ("--seed", _) => Task::One(value),
            ("--seeds", Task::Many { from, .. }) => Task::Many { from, count: value },
            ("--from", Task::Many { count, .. }) => Task::Many { from: value, count },
            _ => return Err(format!("`{name}` is not known here")),
        };
    }
    Ok(task)
}

fn one(seed: u64) -> ExitCode {
    let report = simulate(seed);
    report.trace.iter().for_each(|line| println!("{line}"));
    println!("{report}");
    ExitCode::from(u8::from(!report.broken.is_empty()))
}

/// On all cores, each seed on one.
fn many(from: u64, count: u64) -> ExitCode {
    let (next, first_broken) = (AtomicU64::new(from), AtomicU64::new(u64::MAX));
    let until = from.saturating_add(count);
    let start = SystemClock.now();
    let events = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= until || seed > first_broken.load(Ordering::Relaxed) {
                        return;
                    }
                    let report = simulate(seed);
                    events.fetch_add(report.trace.len() as u64, Ordering::Relaxed);
                    if !report.broken.is_empty() {
                        first_broken.fetch_min(seed, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let seconds = (SystemClock.now() - start).as_seconds_f64();
    let first_broken = first_broken.into_inner();
    let done = first_broken.saturating_add(1).min(until) - from;
    let events = events.into_inner();
    println!("{done} seeds, {events} events, {seconds:.1} s: {:.0} seeds/s", done as f64 / seconds);
    if first_broken == u64::MAX {
        return ExitCode::SUCCESS;
    }
    println!("{}", simulate(first_broken));
    ExitCode::FAILURE
}
