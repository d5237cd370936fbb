//! Enqueuing unique jobs.

use crate::{
    error::{Error, Result},
    jobs::{Single, Work},
    place::in_place,
    sample::Sample,
    settings::Settings,
};

/// The numbers of the jobs: every tenth is an earlier one again.
fn number(place: usize) -> usize {
    if place % 10 == 9 { place - 5 } else { place }
}

pub(super) async fn run(settings: &Settings, jobs: usize) -> Result<Vec<Sample>> {
    in_place(&settings.backend, "", async |place| {
        let (payload, tasks) = (settings.payload(), settings.tasks());
        let work = async {
            let task = |first: usize| {
                let backend = place.backend.clone();
                tokio::spawn(async move {
                    let mut duplicates = 0;
                    for place in (first..jobs).step_by(tasks) {
                        let job = Single::builder().with_data(Work::new(number(place), payload));
                        duplicates += usize::from(job.enqueue_to_backend(&backend).await?.is_duplicate());
                    }
                    Ok::<_, Error>(duplicates)
                })
            };
            let tasks: Vec<_> = (0..tasks).map(task).collect();
            let mut duplicates = 0;
            for task in tasks {
                duplicates += task.await??;
            }
            Ok(duplicates)
        };
        let (duplicates, samples) = place.measure("", jobs, work).await?;
        match duplicates == jobs / 10 {
            true => Ok(samples),
            false => Err(format!("{duplicates} of {jobs} jobs were there already, not {}", jobs / 10).into()),
        }
    })
    .await
}
