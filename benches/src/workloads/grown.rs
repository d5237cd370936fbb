//! A table in which much has happened, and much is to come.

use rexecutor::{
    TimeDelta,
    backend::{Due, NewJob},
};

use crate::{
    drain::{drain, fill, ratio},
    error::Result,
    jobs::Noop,
    place::in_place,
    sample::Sample,
    settings::Settings,
};

/// What is due waits behind what is not.
fn due(job: NewJob) -> NewJob {
    job.with_priority(1)
}

fn future(job: NewJob) -> NewJob {
    job.with_priority(0).with_due(Due::In(TimeDelta::days(1_000)))
}

pub(super) async fn run(settings: &Settings, jobs: usize) -> Result<Vec<Sample>> {
    let mut empty = in_place(&settings.backend, "empty table", async |place| {
        let ids = fill::<Noop>(place, settings, jobs, due).await?;
        drain::<Noop>(place, settings, "empty table", &ids).await
    })
    .await?;
    let grown = in_place(&settings.backend, "full table", async |place| {
        let ids = fill::<Noop>(place, settings, settings.history(), |job| job).await?;
        drain::<Noop>(place, settings, "before", &ids).await?;
        fill::<Noop>(place, settings, settings.history(), future).await?;
        place.rest().await?;
        let ids = fill::<Noop>(place, settings, jobs, due).await?;
        drain::<Noop>(place, settings, "full table", &ids).await
    })
    .await?;
    let ratio = ratio("full to empty", &grown, &empty);
    empty.extend(grown);
    empty.extend(ratio);
    Ok(empty)
}
