//! Several processes that work on one database.

use std::time::Duration;

use rexecutor::{
    Executor,
    clock::{Clock, SystemClock},
};

use crate::{
    child::{Child, Task},
    drain::{check, fill, ratio},
    error::Result,
    jobs::{Noop, Work},
    place::in_place,
    sample::Sample,
    settings::Settings,
    stopwatch::Stopwatch,
};

/// How many jobs all processes together run at once: as many as one node does by default.
const CONCURRENCY: usize = 1_000;

/// How long nothing may happen before what is missing counts as lost.
const MAX_SILENCE: Duration = Duration::from_secs(60);

pub(super) async fn run(settings: &Settings, jobs: usize) -> Result<Vec<Sample>> {
    let name = |processes| if processes == 1 { "1 process".to_owned() } else { format!("{processes} processes") };
    let alone = by::<Noop>(settings, jobs, (Task::Work, 1), &name(1)).await?;
    let mut samples = alone.clone();
    let counts = settings.nodes.map_or(vec![2, 4], |nodes| vec![nodes]);
    for processes in counts.into_iter().filter(|processes| *processes > 1) {
        let together = by::<Noop>(settings, jobs, (Task::Work, processes), &name(processes)).await?;
        let ratio = ratio(&format!("{processes} processes to 1"), &together, &alone);
        samples.extend(together);
        samples.extend(ratio);
    }
    Ok(samples)
}

/// Jobs of an executor that every child runs, by so many processes.
pub(super) async fn by<E: Executor<Data = Work>>(
    settings: &Settings,
    jobs: usize,
    (task, processes): (Task, usize),
    case: &str,
) -> Result<Vec<Sample>> {
    in_place(&settings.backend, case, async |place| {
        let ids = fill::<E>(place, settings, jobs, |job| job).await?;
        let concurrency = settings.concurrency.unwrap_or(CONCURRENCY).div_ceil(processes);
        let mut children = Vec::new();
        for _ in 0..processes {
            children.push(Child::start(task, &place.address, settings, 0, Some(concurrency)).await?);
        }
        let work = async {
            for child in &mut children {
                child.order("go").await?;
            }
            wait(&mut children, jobs).await?;
            // Their processes end afterwards.
            let counts = children.iter_mut().map(|child| child.ask("stop"));
            Ok(futures::future::try_join_all(counts).await?.into_iter().sum::<usize>())
        };
        let (run, samples) = place.measure(case, jobs, work).await?;
        futures::future::try_join_all(children.into_iter().map(Child::end)).await?;
        if run != jobs {
            return Err(format!("{jobs} jobs were run {run} times").into());
        }
        check(place, &ids).await?;
        Ok(samples)
    })
    .await
}

/// Waits until they have run so many jobs together.
async fn wait(children: &mut [Child], jobs: usize) -> Result<()> {
    let (mut before, mut watch) = (0, Stopwatch::start());
    loop {
        let mut run = 0;
        for child in children.iter_mut() {
            run += child.ask("count").await?;
        }
        if run >= jobs {
            return Ok(());
        }
        if run > before {
            (before, watch) = (run, Stopwatch::start());
        } else if watch.elapsed() > MAX_SILENCE {
            return Err(format!("{run} of {jobs} jobs were run, and then none for {MAX_SILENCE:?}").into());
        }
        // Not more often: to answer takes them time that they would have for their jobs.
        SystemClock.sleep(Duration::from_millis(10)).await;
    }
}
