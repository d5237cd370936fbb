//! A database for one run, removed when the run is over, however it went.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use rexecutor::backend::Backend;
use tempfile::TempDir;

use crate::{
    error::Result,
    probe::Probe,
    sample::Sample,
    stopwatch::Stopwatch,
    target::{Address, Target},
};

/// What a run works with.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) address: Address,
    /// On PostgreSQL.
    pub(crate) probe: Option<Arc<Probe>>,
}

/// Does `work` in a new database, and removes it afterwards: also after an error, and after Ctrl-C.
///
/// What is found out in the end, the number of dead rows, counts as of `case`.
pub(crate) async fn in_place(
    target: &Target,
    case: &str,
    work: impl AsyncFnOnce(&Place) -> Result<Vec<Sample>>,
) -> Result<Vec<Sample>> {
    // The folder is removed with its value.
    let (address, probe, _folder) = prepare(target).await?;
    let outcome = tokio::select! {
        outcome = async {
            let place = Place { backend: address.open().await?, address: address.clone(), probe: probe.clone() };
            work(&place).await
        } => outcome,
        _ = tokio::signal::ctrl_c() => Err("interrupted".into()),
    };
    let Some(probe) = probe else { return outcome };
    let dead_rows = match probe.settle(outcome.is_ok()).await {
        Ok(()) => probe.dead_rows().await,
        Err(error) => Err(error),
    };
    probe.execute("DROP SCHEMA IF EXISTS {schema} CASCADE").await?;
    let mut samples = outcome?;
    samples.push(Sample::new(case, "dead rows", dead_rows? as f64));
    Ok(samples)
}

async fn prepare(target: &Target) -> Result<(Address, Option<Arc<Probe>>, Option<TempDir>)> {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let name = format!("rexecutor_bench_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    match target {
        Target::Memory => Ok((Address::Memory, None, None)),
        Target::Sqlite(folder) => {
            let program = std::env::current_exe()?;
            // Not the folder for temporary files: it may be in memory, where nothing has to wait for a disk.
            let beside = program.parent().unwrap_or(Path::new("."));
            let folder = tempfile::Builder::new().prefix("jobs-").tempdir_in(folder.as_deref().unwrap_or(beside))?;
            Ok((Address::File(folder.path().join("jobs.db")), None, Some(folder)))
        }
        Target::Postgres(url) => {
            let probe = Probe::connect(url, &name, &name).await?;
            let sign = if url.contains('?') { '&' } else { '?' };
            let url = format!("{url}{sign}application_name={name}");
            Ok((Address::Schema { url, schema: name }, Some(Arc::new(probe)), None))
        }
    }
}

impl Place {
    /// Measures `work`, which handles `jobs` jobs: how many a second, and on PostgreSQL what each costs the server.
    pub(crate) async fn measure<T>(
        &self,
        case: &str,
        jobs: usize,
        work: impl Future<Output = Result<T>>,
    ) -> Result<(T, Vec<Sample>)> {
        let mark = match &self.probe {
            Some(probe) => Some((probe, probe.mark().await?)),
            None => None,
        };
        let watch = Stopwatch::start();
        let value = work.await?;
        let mut samples = vec![Sample::new(case, "jobs/s", watch.rate(jobs))];
        if let Some((probe, mark)) = mark {
            samples.extend(probe.since(mark, case, jobs).await?);
        }
        Ok((value, samples))
    }

    /// What happens to a table that has been at rest for a while.
    pub(crate) async fn rest(&self) -> Result<()> {
        match &self.probe {
            Some(probe) => probe.vacuum().await,
            None => Ok(()),
        }
    }
}
