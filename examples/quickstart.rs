//! Every file of a folder is a job: its lines and words are counted, and its SHA-256 is taken.
//! Run it with `cargo run --example quickstart -- [FOLDER]`; without a folder it takes this workspace. Interrupt it with
//! Ctrl-C or `kill -9` and run it again: it goes on where it was.

use std::{collections::BTreeMap, error::Error, fs, io::Write, path::Path, path::PathBuf, sync::Arc, time::Duration};

use indicatif::{ProgressBar, ProgressStyle};
use rexecutor::{
    backend::{Filter, Inspect},
    clock::{Clock, SystemClock},
    prelude::*,
};
use rexecutor_sqlx::SqliteBackend;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

#[derive(Debug, Serialize, Deserialize)]
struct File {
    path: PathBuf,
    bytes: u64,
}

/// The file of the results: a line is added for each, and one that was done twice has two that are the same.
#[derive(Clone)]
struct Results(Arc<fs::File>);

/// The work. It reads files, so it runs on a thread that it may block.
#[job(max_attempts = 3, max_concurrency = 32, blocking)]
async fn count_file(file: File, State(results): State<Results>, State(bar): State<ProgressBar>) -> std::io::Result<()> {
    let content = fs::read(&file.path)?;
    let lines = content.iter().filter(|byte| **byte == b'\n').count();
    let words = content.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).count();
    let line = format!("{} {lines:>8} {words:>8}  {}\n", name(&file.path), hash(&content));
    (&*results.0).write_all(line.as_bytes())?;
    bar.inc(1);
    Ok(())
}

/// A job that fails at first, and is tried again after a second.
#[job(backoff = constant("1s"))]
async fn call_flaky_service(context: JobContext) -> Result<(), String> {
    if context.attempt() == 1 { Err("the service is busy".to_owned()) } else { Ok(()) }
}

/// A job that nobody enqueues: it is due every second.
#[job(cron = "* * * * * *")]
async fn look_at_clock(State(bar): State<ProgressBar>, context: JobContext) {
    bar.set_message(context.clock().now().format("%H:%M:%S").to_string());
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder = std::env::args_os().nth(1).map_or(workspace.clone(), PathBuf::from);
    let folder = folder.canonicalize().map_err(|error| format!("{}: {error}", folder.display()))?;
    let place = workspace.join("target/quickstart").join(name(&folder)); // so that an interrupted run is found again
    fs::create_dir_all(&place)?;
    let results = fs::OpenOptions::new().create(true).append(true).open(place.join("results"))?;
    let backend = SqliteBackend::open(place.join("jobs.db")).await?;
    let files = enqueue(&backend, &folder).await?;
    let complete = CountFile::query_jobs_on_backend(Where::status_equals(JobStatus::Complete), &backend).await?;
    let done = complete.len() as u64;
    println!("{files} files in {}, {done} of them counted by an interrupted run", folder.display());
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} files, {per_sec}, it is {msg}")?;
    let bar = ProgressBar::new(files).with_style(style).with_position(done);
    let started = SystemClock.now();
    let node = Rexecutor::from_registry()
        .with_backend(backend.clone())
        .with_state(Results(Arc::new(results)))
        .with_state(bar.clone())
        .with_node_timeout(Duration::from_secs(3)) // how soon a killed run is found to be dead
        .start()
        .await?;
    let is_interrupted = tokio::select! {
        result = finished(&bar) => result.map(|()| false)?,
        _ = tokio::signal::ctrl_c() => true,
    };
    node.graceful_shutdown().await;
    bar.abandon();
    if is_interrupted {
        println!("\ninterrupted: run it again, and it goes on");
        return Ok(());
    }
    report(&backend, &place, files - done, (SystemClock.now() - started).as_seconds_f64()).await?;
    Ok(fs::remove_dir_all(place)?) // the next run begins anew
}

/// Enqueues a job for each file, unless it has one from an interrupted run.
async fn enqueue(backend: &SqliteBackend, folder: &Path) -> Result<u64, Box<dyn Error>> {
    let once = UniquenessCriteria::by_data().for_statuses(JobStatus::ALL);
    let (mut folders, mut jobs) = (vec![folder.to_owned()], vec![CallFlakyService::builder().unique(once).encode()?]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)?.flatten() {
            let (path, kind) = (entry.path(), entry.file_type()?);
            if kind.is_dir() && entry.file_name() != "target" && entry.file_name() != ".git" {
                folders.push(path);
            } else if kind.is_file() {
                let file = File { bytes: entry.metadata()?.len(), path };
                jobs.push(CountFile::builder().with_data(file).unique(once).encode()?);
            }
        }
    }
    Ok(rexecutor::enqueue_all_to_backend(jobs, backend).await?.len() as u64 - 1)
}

/// Waits until every file was counted, and the flaky service reached.
async fn finished(bar: &ProgressBar) -> Result<(), Box<dyn Error>> {
    let waiting = [JobStatus::Scheduled, JobStatus::Executing, JobStatus::Retryable];
    loop {
        SystemClock.sleep(Duration::from_millis(100)).await;
        if Some(bar.position()) >= bar.length()
            && CountFile::query_jobs(Where::status_in(&waiting)).await?.is_empty()
            && CallFlakyService::query_jobs(Where::status_in(&waiting)).await?.is_empty()
        {
            return Ok(());
        }
    }
}

async fn report(backend: &SqliteBackend, place: &Path, files: u64, seconds: f64) -> Result<(), Box<dyn Error>> {
    let mut totals = BTreeMap::<String, (u32, u32, f64)>::new();
    for row in backend.query(&Filter::All(Vec::new()), usize::MAX).await? {
        let took = row.completed_at.zip(row.attempted_at).map_or(0.0, |(end, start)| (end - start).as_seconds_f64());
        let total = totals.entry(row.executor.to_string()).or_default();
        *total = (total.0 + 1, total.1 + u32::from(row.attempt), total.2 + took);
    }
    println!("\n\n{:<20} {:>6} {:>9} {:>13}", "job", "jobs", "attempts", "mean time");
    for (job, (jobs, attempts, took)) in totals {
        println!("{job:<20} {jobs:>6} {attempts:>9} {:>10.1} ms", took * 1e3 / f64::from(jobs));
    }
    let results = fs::read_to_string(place.join("results"))?;
    let mut jobs = CountFile::query_jobs(Where::any()).await?;
    jobs.sort_by_key(|job| std::cmp::Reverse(job.data.bytes));
    println!("\n{:>8} {:>8} {:>8}  {:<16}  the largest of {} files", "bytes", "lines", "words", "SHA-256", jobs.len());
    for File { path, bytes } in jobs.iter().map(|job| &job.data).take(5) {
        let line = results.lines().find_map(|line| line.strip_prefix(&name(path))).unwrap_or_default();
        println!("{bytes:>8}{line}  {}", path.display());
    }
    println!("\n{files} files in {seconds:.1} s, {:.0} a second", files as f64 / seconds);
    Ok(())
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn name(path: &Path) -> String {
    hash(path.as_os_str().as_encoded_bytes())
}
