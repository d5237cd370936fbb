//! Drains of jobs that are all alike.

use crate::{
    Result,
    drain::{drain as drain_jobs, fill},
    jobs::{Flaky, Noop},
    place::in_place,
    report::Sample,
    settings::Settings,
};

pub(super) async fn drain(settings: &Settings, jobs: usize) -> Result<Vec<Sample>> {
    in_place(&settings.backend, "", async |place| {
        let ids = fill::<Noop>(place, settings, jobs, |job| job).await?;
        drain_jobs::<Noop>(place, settings, "", &ids).await
    })
    .await
}

pub(super) async fn retry_storm(settings: &Settings, jobs: usize) -> Result<Vec<Sample>> {
    in_place(&settings.backend, "", async |place| {
        let ids = fill::<Flaky>(place, settings, jobs, |job| job).await?;
        drain_jobs::<Flaky>(place, settings, "", &ids).await
    })
    .await
}
