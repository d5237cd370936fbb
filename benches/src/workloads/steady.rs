//! Jobs that come and are run at once: at a given rate, and at the highest at which they do not pile up.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use rexecutor::{
    clock::{Clock, SystemClock},
    job::JobId,
};
use tokio::task::JoinSet;

use crate::{
    drain::{check, node},
    error::{Error, Result},
    jobs::{Timed, Work},
    place::{Place, in_place},
    sample::Sample,
    settings::Settings,
    stopwatch::Stopwatch,
    tally::Tally,
};

/// How many jobs may wait when they are enqueued as fast as they are run.
const BACKLOG: usize = 1_000;

/// How many calls of `enqueue` may be open at once.
const CALLS: usize = 1_000;

pub(super) async fn run(settings: &Settings) -> Result<Vec<Sample>> {
    in_place(&settings.backend, "", async |place| {
        let given = settings.rate as f64;
        let mut samples = offer(place, settings, "at the given rate", given).await?.samples;
        let most = fastest(place, settings).await?;
        // A rate at which jobs can be run when some always wait may be too high when they come by themselves.
        for share in [1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3] {
            let offered = offer(place, settings, "at the highest rate", most * share).await?;
            if offered.keeps_up {
                samples.extend(offered.samples);
                return Ok(samples);
            }
        }
        Err(format!("jobs pile up at {:.0} a second, although {most:.0} a second were run before", most * 0.3).into())
    })
    .await
}

/// What came of a rate.
struct Offered {
    /// Whether no more jobs waited in the end than come in a tenth of a second, or a hundred.
    keeps_up: bool,
    samples: Vec<Sample>,
}

/// Enqueues so many jobs a second, one a call, while a node runs them.
async fn offer(place: &Place, settings: &Settings, case: &str, rate: f64) -> Result<Offered> {
    let tally = Tally::default();
    let node = node(place, settings, &tally).with_executor::<Timed>().start().await?;
    let (payload, seconds) = (settings.payload(), settings.seconds(10.0));
    let (mut calls, mut ids, mut sent) = (JoinSet::new(), Vec::<JobId>::new(), 0);
    let watch = Stopwatch::start();
    let due = |elapsed: Duration| {
        #[expect(clippy::cast_possible_truncation, reason = "it is a number of jobs")]
        let due = (elapsed.as_secs_f64().min(seconds) * rate) as usize;
        due
    };
    while watch.elapsed().as_secs_f64() < seconds {
        while sent < due(watch.elapsed()) && calls.len() < CALLS {
            let (backend, data) = (place.backend.clone(), Work::new(sent, payload));
            calls.spawn(async move { Timed::builder().with_data(data).enqueue_to_backend(&backend).await });
            sent += 1;
        }
        while let Some(stored) = calls.try_join_next() {
            ids.push(stored??.id());
        }
        SystemClock.sleep(Duration::from_millis(1)).await;
    }
    // A disk may take longer than a short run lasts.
    tally.wait(sent.min(1)).await?;
    let run = tally.run();
    let waiting = due(watch.elapsed()).saturating_sub(run);
    let achieved = watch.rate(run);
    while let Some(stored) = calls.join_next().await {
        ids.push(stored??.id());
    }
    tally.wait(sent).await?;
    node.graceful_shutdown().await;
    check(place, &ids).await?;
    let mut samples = vec![Sample::new(case, "jobs/s", achieved)];
    samples.extend(tally.delays(case, 0));
    Ok(Offered { keeps_up: waiting as f64 <= (rate / 10.0).max(100.0), samples })
}

/// How many jobs a second are run when tasks enqueue as fast as they can, unless many wait.
async fn fastest(place: &Place, settings: &Settings) -> Result<f64> {
    let (tally, sent) = (Tally::default(), Arc::new(AtomicUsize::new(0)));
    let node = node(place, settings, &tally).with_executor::<Timed>().start().await?;
    let (payload, seconds) = (settings.payload(), settings.seconds(10.0));
    let watch = Stopwatch::start();
    let task = |_| {
        let (backend, tally, sent) = (place.backend.clone(), tally.clone(), sent.clone());
        tokio::spawn(async move {
            while watch.elapsed().as_secs_f64() < seconds {
                if sent.load(Ordering::SeqCst).saturating_sub(tally.run()) > BACKLOG {
                    SystemClock.sleep(Duration::from_millis(1)).await;
                    continue;
                }
                let number = sent.fetch_add(1, Ordering::SeqCst);
                let job = Timed::builder().with_data(Work::new(number, payload));
                let _ = job.enqueue_to_backend(&backend).await?;
            }
            Ok::<_, Error>(())
        })
    };
    let tasks: Vec<_> = (0..settings.tasks()).map(task).collect();
    for task in tasks {
        task.await??;
    }
    tally.wait(1).await?;
    let rate = watch.rate(tally.run());
    tally.wait(sent.load(Ordering::SeqCst)).await?;
    node.graceful_shutdown().await;
    Ok(rate)
}
