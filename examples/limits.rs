//! A shop on two worker processes, which together keep to its limits: ten calls a second to the bank, whatever they are about; the
//! mails of a customer one after another, in their order; and four pictures at once.
//! Run it with `cargo run --example limits`; it shows a table while it works, and in the end what it has measured.

use std::{
    collections::BTreeMap,
    error::Error,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use rexecutor::{
    backend::{Filter, Inspect, JobRow, NewJob},
    clock::{Clock, SystemClock},
    enqueue_all_to_backend,
    prelude::*,
};
use rexecutor_sqlx::SqliteBackend;
use serde::{Deserialize, Serialize};
use tokio::io::AsyncReadExt;

/// The bank answers ten calls a second. Two jobs make some.
static BANK: Limit = Limit::new("bank").rate("10/s").burst(1);

#[job(limit = BANK)]
async fn charge(order: u32, context: JobContext) {
    work(&context, 20 + u64::from(order % 5)).await;
}

#[job(limit = BANK)]
async fn refund(_order: u32, context: JobContext) {
    work(&context, 20).await;
}

#[derive(Serialize, Deserialize)]
struct Mail {
    customer: u32,
    number: u32,
}

/// A customer's mails are sent in the order in which they were written. Every fifth one fails at first, and the next ones wait for it.
#[job(ordered_by = |mail| mail.customer, backoff = constant("300ms"))]
async fn send_mail(mail: Mail, context: JobContext) -> Result<(), String> {
    work(&context, 50).await;
    if mail.number % 5 == 4 && context.attempt() == 1 { Err("the server is busy".to_owned()) } else { Ok(()) }
}

/// Resizing takes a core, of which all machines together have four for it.
#[job(cluster_concurrency = 4)]
async fn resize(_picture: u32, context: JobContext) {
    work(&context, 250).await;
}

async fn work(context: &JobContext, millis: u64) {
    context.clock().sleep(Duration::from_millis(millis)).await;
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // A worker is told where the jobs are.
    if let Some(file) = std::env::args_os().nth(1) {
        let node = Rexecutor::from_registry().with_backend(SqliteBackend::open(file).await?).start().await?;
        tokio::io::stdin().read_to_end(&mut Vec::new()).await?; // until its parent closes it
        node.graceful_shutdown().await;
        return Ok(());
    }
    let folder = std::env::temp_dir().join(format!("rexecutor-limits-{}", std::process::id()));
    std::fs::create_dir(&folder)?;
    let outcome = shop(&folder.join("jobs.db")).await;
    std::fs::remove_dir_all(folder)?;
    outcome
}

async fn shop(file: &Path) -> Result<(), Box<dyn Error>> {
    let backend = SqliteBackend::open(file).await?;
    let jobs = enqueue_all_to_backend(jobs()?, &backend).await?.len();
    println!("{jobs} jobs on two processes");
    let mut workers = [worker(file)?, worker(file)?];
    let table = Table::new()?;
    loop {
        SystemClock.sleep(Duration::from_millis(100)).await;
        let rows = backend.query(&Filter::All(Vec::new()), usize::MAX).await?;
        table.show(&rows);
        if rows.iter().all(|row| row.status == JobStatus::Complete) {
            table.end();
            report(&rows);
            break;
        }
    }
    for worker in &mut workers {
        drop(worker.stdin.take());
        worker.wait()?;
    }
    backend.close().await;
    Ok(())
}

fn jobs() -> Result<Vec<NewJob>, Box<dyn Error>> {
    let mut jobs = Vec::new();
    for number in 0..25 {
        jobs.push(Charge::builder().with_data(number).encode()?);
    }
    for number in 0..5 {
        jobs.push(Refund::builder().with_data(number).encode()?);
    }
    for number in 0..30 {
        let mail = Mail { customer: number % 3, number: number / 3 };
        jobs.push(SendMail::builder().with_data(mail).encode()?);
        jobs.push(Resize::builder().with_data(number).encode()?);
    }
    Ok(jobs)
}

fn worker(file: &Path) -> Result<Child, std::io::Error> {
    Command::new(std::env::current_exe()?).arg(file).stdin(Stdio::piped()).spawn()
}

/// A line for each kind of job.
struct Table {
    lines: BTreeMap<&'static str, ProgressBar>,
    _all: MultiProgress,
}

impl Table {
    fn new() -> Result<Self, Box<dyn Error>> {
        let style = ProgressStyle::with_template("{prefix:<10} {bar:30} {pos:>3}/{len:<3} {msg}")?;
        let all = MultiProgress::new();
        let line = |name| {
            let bar = ProgressBar::new(0).with_style(style.clone()).with_prefix(name);
            (name, all.add(bar))
        };
        let lines = [Charge::NAME, Refund::NAME, SendMail::NAME, Resize::NAME].map(line).into();
        Ok(Self { lines, _all: all })
    }

    fn show(&self, rows: &[JobRow]) {
        for (name, bar) in &self.lines {
            let of = |status| {
                let is_it = |row: &&JobRow| row.executor.as_str() == *name && row.status == status;
                rows.iter().filter(is_it).count()
            };
            let all = rows.iter().filter(|row| row.executor.as_str() == *name).count();
            bar.set_length(all as u64);
            bar.set_position(of(JobStatus::Complete) as u64);
            let (runs, retries) = (of(JobStatus::Executing), of(JobStatus::Retryable));
            bar.set_message(format!("{runs} run, {retries} wait for a retry"));
        }
    }

    fn end(&self) {
        self.lines.values().for_each(ProgressBar::abandon);
    }
}

/// What the times say that the database has recorded.
fn report(rows: &[JobRow]) {
    let of = |names: &[&str]| {
        let mut spans: Vec<_> = rows
            .iter()
            .filter(|row| names.contains(&row.executor.as_str()))
            .filter_map(|row| Some((row.attempted_at?, row.completed_at?, row)))
            .collect();
        spans.sort_by_key(|(start, ..)| *start);
        spans
    };
    let calls = of(&[Charge::NAME, Refund::NAME]);
    let within = |from| calls.iter().filter(|(start, ..)| (from..from + TimeDelta::seconds(1)).contains(start)).count();
    println!(
        "\ncalls to the bank in any second: {} at most",
        calls.iter().map(|(start, ..)| within(*start)).max().unwrap_or(0)
    );
    let pictures = of(&[Resize::NAME]);
    let beside = |at| pictures.iter().filter(|(start, end, _)| (*start..*end).contains(&at)).count();
    println!("pictures at once: {} at most", pictures.iter().map(|(start, ..)| beside(*start)).max().unwrap_or(0));
    let mut mails = BTreeMap::<_, Vec<_>>::new();
    for (start, end, row) in of(&[SendMail::NAME]) {
        mails.entry(row.extras.group_key.clone()).or_default().push((row.id, start, end));
    }
    let is_in_order =
        |mails: &Vec<(JobId, _, _)>| mails.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].2 <= pair[1].1);
    let in_order = mails.values().filter(|mails| is_in_order(mails)).count();
    println!("customers whose mails were sent one after another, in order: {in_order} of {}", mails.len());
}
