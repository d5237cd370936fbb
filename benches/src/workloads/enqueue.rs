//! Enqueuing, with no node beside it.

use std::collections::HashSet;

use rexecutor::{
    Executor,
    backend::{Filter, NewJob},
    enqueue_all_to_backend,
    job::JobId,
};

use crate::{
    error::{Error, Result},
    jobs::{Noop, Work, encode},
    place::{Place, in_place},
    sample::Sample,
    settings::Settings,
};

/// How many jobs a call of `enqueue_all` has.
const CALL: usize = 1_000;

/// So many tasks, each of which enqueues a job, waits until it is stored, and then enqueues the next.
pub(super) async fn by_tasks(settings: &Settings, jobs: usize, tasks: usize) -> Result<Vec<Sample>> {
    in_place(&settings.backend, "", async |place| {
        let payload = settings.payload();
        let work = async {
            let task = |first: usize| {
                let backend = place.backend.clone();
                tokio::spawn(async move {
                    let mut ids = Vec::new();
                    for number in (first..jobs).step_by(tasks) {
                        let job = Noop::builder().with_data(Work::new(number, payload));
                        ids.push(job.enqueue_to_backend(&backend).await?.id());
                    }
                    Ok::<_, Error>(ids)
                })
            };
            let tasks: Vec<_> = (0..tasks).map(task).collect();
            let mut ids = Vec::with_capacity(jobs);
            for task in tasks {
                ids.extend(task.await??);
            }
            Ok(ids)
        };
        let (ids, samples) = place.measure("", jobs, work).await?;
        check(place, &ids, jobs).await?;
        Ok(samples)
    })
    .await
}

/// One task, many jobs a call. Encoding them counts, too.
pub(super) async fn in_bulk(settings: &Settings, jobs: usize) -> Result<Vec<Sample>> {
    in_place(&settings.backend, "", async |place| {
        let work = async {
            let mut ids = Vec::with_capacity(jobs);
            for first in (0..jobs).step_by(CALL) {
                let numbers = first..jobs.min(first + CALL);
                let call = numbers.map(|number| encode::<Noop>(number, settings.payload()));
                let stored = enqueue_all_to_backend(call.collect::<Result<Vec<NewJob>>>()?, &place.backend).await?;
                ids.extend(stored.into_iter().map(JobId::from));
            }
            Ok(ids)
        };
        let (ids, samples) = place.measure("", jobs, work).await?;
        check(place, &ids, jobs).await?;
        Ok(samples)
    })
    .await
}

/// Makes sure that all are stored.
async fn check(place: &Place, ids: &[JobId], jobs: usize) -> Result<()> {
    let rows = place.backend.query(&Filter::Executor(Noop::NAME.into()), usize::MAX).await?;
    let stored: HashSet<JobId> = rows.into_iter().map(|row| row.id).collect();
    let answered: HashSet<JobId> = ids.iter().copied().collect();
    match answered.len() == jobs && stored == answered {
        true => Ok(()),
        false => Err(format!("{jobs} jobs: {} were answered, {} are stored", answered.len(), stored.len()).into()),
    }
}
