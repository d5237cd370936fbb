//! Drains of jobs that are all alike.

use crate::{
    drain::{self, fill},
    error::Result,
    jobs::{Flaky, Noop, Unkept},
    place::in_place,
    sample::Sample,
    settings::Settings,
};

pub(super) async fn drain(settings: &Settings, jobs: usize) -> Result<Vec<Sample>> {
    in_place(&settings.backend, "", async |place| {
        let ids = fill::<Noop>(place, settings, jobs, |job| job).await?;
        drain::drain::<Noop>(place, settings, "", &ids).await
    })
    .await
}

pub(super) async fn drain_unkept(settings: &Settings, jobs: usize) -> Result<Vec<Sample>> {
    in_place(&settings.backend, "", async |place| {
        let ids = fill::<Unkept>(place, settings, jobs, |job| job).await?;
        drain::drain_unkept::<Unkept>(place, settings, &ids).await
    })
    .await
}

pub(super) async fn retry_storm(settings: &Settings, jobs: usize) -> Result<Vec<Sample>> {
    in_place(&settings.backend, "", async |place| {
        let ids = fill::<Flaky>(place, settings, jobs, |job| job).await?;
        drain::drain::<Flaky>(place, settings, "", &ids).await
    })
    .await
}
