//! Jobs that run while others are pruned.

use std::time::Duration;

use rexecutor::{
    backend::Filter,
    clock::{Clock, SystemClock},
    prelude::*,
};

use crate::{
    drain::{drain, fill, node, ratio},
    error::Result,
    jobs::{History, Noop},
    place::{Place, in_place},
    sample::Sample,
    settings::Settings,
    stopwatch::Stopwatch,
    tally::Tally,
};

pub(super) async fn run(settings: &Settings, jobs: usize) -> Result<Vec<Sample>> {
    in_place(&settings.backend, "", async |place| {
        let history = settings.history();
        let old = fill::<History>(place, settings, history, |job| job).await?;
        drain::<History>(place, settings, "", &old).await?;
        place.rest().await?;
        let ids = fill::<Noop>(place, settings, jobs, |job| job).await?;
        let mut samples = drain::<Noop>(place, settings, "before", &ids).await?;
        let ids = fill::<Noop>(place, settings, jobs, |job| job).await?;

        let every_second = PrunerConfig::new("* * * * * *".parse()?);
        let config = every_second.with_pruner(Pruner::max_length(0, JobStatus::Complete).only::<History>());
        let pruner = node(place, settings, &Tally::default()).with_executor::<History>().with_job_pruner(config);
        let pruner = pruner.start().await?;
        let Some(oldest) = old.first() else { return Err("there is nothing to prune".into()) };
        until_none(place, &Filter::IdIn(vec![*oldest])).await?;
        let watch = Stopwatch::start();
        let meanwhile = drain::<Noop>(place, settings, "while pruning", &ids).await?;
        until_none(place, &Filter::Executor(History::NAME.into())).await?;
        samples.push(Sample::new("", "pruned rows/s", watch.rate(history)));
        pruner.graceful_shutdown().await;
        let ratio = ratio("while pruning to before", &meanwhile, &samples);
        samples.extend(meanwhile);
        samples.extend(ratio);
        Ok(samples)
    })
    .await
}

/// Waits until no job matches.
async fn until_none(place: &Place, filter: &Filter) -> Result<()> {
    while !place.backend.query(filter, 1).await?.is_empty() {
        SystemClock.sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}
