//! Enqueuing many jobs, running them, and making sure that none was lost: what most workloads are made of.

use std::collections::HashSet;

use rexecutor::{
    Executor, Rexecutor,
    backend::{Filter, JobRow, NewJob},
    enqueue_all_to_backend,
    job::{JobId, JobStatus},
    node::NodeBuilder,
};

use crate::{
    error::Result,
    jobs::{Work, encode},
    place::Place,
    sample::Sample,
    settings::Settings,
    tally::Tally,
    target::Address,
};

/// How many jobs the set-up enqueues at once.
const CALL: usize = 10_000;

/// Enqueues jobs, each as `change` makes it.
pub(crate) async fn fill<E: Executor<Data = Work>>(
    place: &Place,
    settings: &Settings,
    count: usize,
    change: fn(NewJob) -> NewJob,
) -> Result<Vec<JobId>> {
    let mut ids = Vec::with_capacity(count);
    for start in (0..count).step_by(CALL) {
        let jobs = (start..count.min(start + CALL)).map(|number| encode::<E>(number, settings.payload()).map(change));
        let stored = enqueue_all_to_backend(jobs.collect::<Result<Vec<_>>>()?, &place.backend).await?;
        ids.extend(stored.into_iter().map(JobId::from));
    }
    Ok(ids)
}

/// A node at its defaults, but for what was asked for.
pub(crate) fn node(place: &Place, settings: &Settings, tally: &Tally) -> NodeBuilder {
    let node = Rexecutor::builder().with_backend(place.backend.clone()).with_state(tally.clone());
    match settings.concurrency {
        Some(concurrency) => node.with_max_running(concurrency),
        None => node,
    }
}

/// Measures a node that runs these jobs, from its start until it has stored how each ended, and has left.
pub(crate) async fn drain<E: Executor>(
    place: &Place,
    settings: &Settings,
    case: &str,
    ids: &[JobId],
) -> Result<Vec<Sample>> {
    let tally = Tally::default();
    drain_by(place, case, ids, &tally, node(place, settings, &tally).with_executor::<E>()).await
}

/// … a node that is set up already, whose jobs count in `tally`.
pub(crate) async fn drain_by(
    place: &Place,
    case: &str,
    ids: &[JobId],
    tally: &Tally,
    node: NodeBuilder,
) -> Result<Vec<Sample>> {
    let samples = run_all(place, case, ids, tally, node).await?;
    check(place, ids).await?;
    Ok(samples)
}

/// … that keeps none of the jobs that it has completed.
pub(crate) async fn drain_unkept<E: Executor>(
    place: &Place,
    settings: &Settings,
    ids: &[JobId],
) -> Result<Vec<Sample>> {
    let tally = Tally::default();
    let samples = run_all(place, "", ids, &tally, node(place, settings, &tally).with_executor::<E>()).await?;
    match place.backend.query(&Filter::Executor(E::NAME.into()), 1).await?.first() {
        None => Ok(samples),
        Some(job) => Err(format!("job {} was run and is still there, {}", job.id, job.status).into()),
    }
}

async fn run_all(place: &Place, case: &str, ids: &[JobId], tally: &Tally, node: NodeBuilder) -> Result<Vec<Sample>> {
    let work = async {
        let node = node.start().await?;
        tally.wait(ids.len()).await?;
        node.graceful_shutdown().await;
        Ok(())
    };
    let ((), samples) = place.measure(case, ids.len(), work).await?;
    if tally.run() != ids.len() {
        return Err(format!("{} jobs were run {} times", ids.len(), tally.run()).into());
    }
    Ok(samples)
}

/// Makes sure that each of these jobs is stored as complete.
pub(crate) async fn check(place: &Place, ids: &[JobId]) -> Result<()> {
    let wanted: HashSet<JobId> = ids.iter().copied().collect();
    let mut complete = HashSet::new();
    let mut note = |rows: Vec<JobRow>| {
        let rows = rows.into_iter().filter(|row| row.status == JobStatus::Complete && wanted.contains(&row.id));
        complete.extend(rows.map(|row| row.id));
    };
    match place.address {
        // It compares each row with each number.
        Address::Memory => note(place.backend.query(&Filter::All(Vec::new()), usize::MAX).await?),
        _ => {
            for some in ids.chunks(1_000) {
                note(place.backend.query(&Filter::IdIn(some.to_vec()), some.len()).await?);
            }
        }
    }
    match wanted.difference(&complete).next() {
        None => Ok(()),
        Some(lost) => {
            let count = wanted.len() - complete.len();
            Err(format!("{count} of {} jobs are not complete, among them {lost}", wanted.len()).into())
        }
    }
}

/// How a drain compares with another one of the same run.
pub(crate) fn ratio(case: &str, samples: &[Sample], to: &[Sample]) -> Option<Sample> {
    let rate = |samples: &[Sample]| samples.iter().find(|sample| sample.measure == "jobs/s").map(|sample| sample.value);
    Some(Sample::new(case, "ratio", rate(samples)? / rate(to)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::Noop;

    #[tokio::test]
    async fn a_job_that_is_not_complete_is_an_error() {
        let address = Address::Memory;
        let place = Place { backend: address.open().await.unwrap(), address, probe: None };
        let mut job = encode::<Noop>(0, 100).unwrap();
        let run = enqueue_all_to_backend(vec![job.clone()], &place.backend).await.unwrap()[0].id();
        let tally = Tally::default();
        let node = Rexecutor::builder().with_backend(place.backend.clone()).with_state(tally.clone());
        let samples = drain_by(&place, "", &[run], &tally, node.with_executor::<Noop>()).await.unwrap();
        assert!(samples.iter().any(|sample| sample.measure == "jobs/s" && sample.value > 0.0));
        job.executor = "nobody's".into();
        let waits = enqueue_all_to_backend(vec![job], &place.backend).await.unwrap()[0].id();
        for lost in [waits, JobId::from(1_000_i64)] {
            let error = check(&place, &[run, lost]).await.unwrap_err().to_string();
            assert_eq!(error, format!("1 of 2 jobs are not complete, among them {lost}"));
        }
    }
}
