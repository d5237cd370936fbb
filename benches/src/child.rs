//! Other processes of a workload: this program, started once more.
//!
//! A child opens the database, says `ready`, and does what it is told, a word a line. It answers with numbers, and ends
//! when its input does. Its parent knows it by its process and kills it if the run goes wrong.

use std::{path::PathBuf, process::Stdio, time::Duration};

use clap::{Args, ValueEnum};
use rexecutor::{
    Rexecutor,
    clock::{Clock, SystemClock},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{ChildStdin, ChildStdout, Command},
};

use crate::{
    error::Result,
    jobs::{Noop, Timed, Work},
    settings::Settings,
    tally::Tally,
    target::Address,
    workloads::limits,
};

/// How long a job of `latency` waits for the next.
pub(crate) const PACE: Duration = Duration::from_millis(10);

/// What a child does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Task {
    /// It runs jobs from `go` on, says how many at `count`, and again when its node has left at `stop`.
    Work,
    /// As `work`, of jobs that have limits: a node that runs these asks more, also when it is idle.
    WorkLimited,
    /// At `go` it enqueues jobs, one after the other.
    Enqueue,
}

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[arg(value_enum)]
    task: Task,
    #[arg(long, conflicts_with = "url")]
    file: Option<PathBuf>,
    #[arg(long, requires = "schema")]
    url: Option<String>,
    #[arg(long)]
    schema: Option<String>,
    #[arg(long)]
    concurrency: Option<usize>,
    #[arg(long, default_value_t = 0)]
    jobs: usize,
    #[arg(long, default_value_t = 100)]
    payload: usize,
}

impl Arguments {
    fn address(&self) -> Address {
        match (&self.file, &self.url, &self.schema) {
            (Some(file), _, _) => Address::File(file.clone()),
            (None, Some(url), Some(schema)) => Address::Schema { url: url.clone(), schema: schema.clone() },
            _ => Address::Memory,
        }
    }
}

/// Is a child.
pub(crate) async fn run(arguments: Arguments) -> Result<()> {
    let backend = arguments.address().open().await?;
    let mut orders = BufReader::new(tokio::io::stdin()).lines();
    println!("ready");
    let (mut node, tally) = (None, Tally::default());
    while let Some(order) = orders.next_line().await? {
        match (order.as_str(), arguments.task) {
            ("go", Task::Work | Task::WorkLimited) => {
                let builder = Rexecutor::builder().with_backend(backend.clone()).with_state(tally.clone());
                let builder = match arguments.concurrency {
                    Some(concurrency) => builder.with_max_running(concurrency),
                    None => builder,
                };
                let builder = match arguments.task {
                    Task::WorkLimited => limits::with_all(builder),
                    _ => builder,
                };
                node = Some(builder.with_executor::<Noop>().start().await?);
            }
            ("count", Task::Work | Task::WorkLimited) => println!("{}", tally.run()),
            ("stop", Task::Work | Task::WorkLimited) => {
                if let Some(node) = node.take() {
                    node.graceful_shutdown().await;
                }
                println!("{}", tally.run());
            }
            ("go", Task::Enqueue) => {
                for number in 0..arguments.jobs {
                    let data = Work::new(number, arguments.payload);
                    let _ = Timed::builder().with_data(data).enqueue_to_backend(&backend).await?;
                    SystemClock.sleep(PACE).await;
                }
                println!("{}", arguments.jobs);
            }
            _ => return Err(format!("unknown order `{order}`").into()),
        }
    }
    if let Some(node) = node {
        node.graceful_shutdown().await;
        println!("{}", tally.run());
    }
    Ok(())
}

/// A child, as its parent sees it. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Child {
    process: tokio::process::Child,
    orders: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Child {
    /// Starts one, and waits until it is ready.
    pub(crate) async fn start(
        task: Task,
        address: &Address,
        settings: &Settings,
        jobs: usize,
        concurrency: Option<usize>,
    ) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        let name = task.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
        command.args(["child", &name, "--jobs", &jobs.to_string(), "--payload", &settings.payload().to_string()]);
        match address {
            Address::Memory => {}
            Address::File(path) => drop(command.arg("--file").arg(path)),
            Address::Schema { url, schema } => drop(command.args(["--url", url, "--schema", schema])),
        }
        if let Some(concurrency) = concurrency {
            command.args(["--concurrency", &concurrency.to_string()]);
        }
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let pipes = process.stdin.take().zip(process.stdout.take());
        let (orders, answers) = pipes.ok_or("a child process has no pipes")?;
        let mut child = Self { process, orders, answers: BufReader::new(answers).lines() };
        match child.answers.next_line().await? {
            Some(line) if line == "ready" => Ok(child),
            _ => Err("a child process did not start".into()),
        }
    }

    /// The number of its process, while it runs.
    pub(crate) fn id(&self) -> Option<u32> {
        self.process.id()
    }

    pub(crate) async fn order(&mut self, order: &str) -> Result<()> {
        Ok(self.orders.write_all(format!("{order}\n").as_bytes()).await?)
    }

    /// The number with which it answers an order.
    pub(crate) async fn ask(&mut self, order: &str) -> Result<usize> {
        self.order(order).await?;
        self.answer().await
    }

    /// The number that it says next.
    async fn answer(&mut self) -> Result<usize> {
        let line = self.answers.next_line().await?.ok_or("a child process has ended")?;
        line.parse().map_err(|_| format!("a child process said `{line}`").into())
    }

    /// Lets it end, and waits for that; returns the last number that it says, if it says one.
    pub(crate) async fn end(self) -> Result<Option<usize>> {
        let Self { mut process, orders, mut answers } = self;
        drop(orders);
        let mut last = None;
        while let Some(line) = answers.next_line().await? {
            last = line.parse().ok();
        }
        match process.wait().await? {
            status if status.success() => Ok(last),
            status => Err(format!("a child process failed: {status}").into()),
        }
    }
}
