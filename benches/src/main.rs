//! Measures rexecutor, at its defaults and through its public API, against what the database can do.
//!
//! ```text
//! cargo run --release -p benches -- WORKLOAD --backend memory|sqlite[:FOLDER]|postgres://…
//! ```
//!
//! `docs/performance.md` says what each workload is. A run works in a database of its own ([`place`]), goes through one
//! of the [`workloads`], and gives samples; [`report`] makes lines of the samples of several runs; [`chart`] draws them.

mod chart;
mod child;
mod drain;
mod error;
mod jobs;
mod limit;
mod machine;
mod place;
mod probe;
mod report;
mod sample;
mod settings;
mod stats;
mod stopwatch;
mod tally;
mod target;
mod wire;
mod workloads;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use rexecutor::{Rexecutor, backend::memory::InMemoryBackend};

use self::{
    error::{Error, Result, message},
    machine::Machine,
    sample::Sample,
    settings::Settings,
    workloads::Workload,
};

/// Measures rexecutor, at its defaults, against what the database can do.
#[derive(Debug, Parser)]
#[command(name = "benches", args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// What to measure.
    #[arg(value_enum, required = true)]
    workload: Option<Workload>,
    #[command(flatten)]
    settings: Settings,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Draws a bar chart, as SVG, of lines that `--json` has printed.
    Chart {
        /// The file with the lines.
        file: PathBuf,
        /// Which of the measures to draw.
        #[arg(long, default_value = "jobs/s")]
        measure: String,
        /// What stands above the chart.
        #[arg(long, default_value = "rexecutor")]
        title: String,
    },
    /// What this program starts itself as.
    #[command(hide = true)]
    Child(child::Arguments),
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", message(&*error));
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<()> {
    // The first backend that a node gets would otherwise become the global one, and stay open for ever.
    let _global = Rexecutor::new(InMemoryBackend::new()).set_global_backend()?;
    match (arguments.command, arguments.workload) {
        (Some(Command::Chart { file, measure, title }), _) => {
            let lines = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
            print!("{}", chart::draw(&title, &measure, &report::parse(&lines)?)?);
            Ok(())
        }
        (Some(Command::Child(arguments)), _) => child::run(arguments).await,
        (None, Some(workload)) => measure(workload, &arguments.settings).await,
        // Clap refuses this before.
        (None, None) => Err("name a workload".into()),
    }
}

/// Measures one workload, or all of them, and prints what came out.
///
/// All are run once, then all again: when the machine is slower for a while, that hits a run of each.
async fn measure(workload: Workload, settings: &Settings) -> Result<()> {
    let machine = Machine::look(&settings.backend).await?;
    if cfg!(debug_assertions) {
        eprintln!("built without --release: these figures mean nothing");
    }
    let (mut chosen, mut lines) = (choose(workload, settings)?, Vec::new());
    for run in 1..=settings.runs() {
        for (workload, samples) in &mut chosen {
            eprintln!("{workload} on {}, run {run} of {}", settings.backend, settings.runs());
            let failed = |error: Error| format!("{workload}: {}", message(&*error));
            samples.push(workload.run(settings).await.map_err(failed)?);
            if run < settings.runs() {
                continue;
            }
            let measured =
                report::lines(&workload.to_string(), workload.jobs(settings), settings, std::mem::take(samples));
            if settings.json {
                measured.iter().try_for_each(|line| line.to_json(&machine).map(|json| println!("{json}")))?;
            }
            lines.extend(measured);
        }
    }
    if !settings.json {
        println!("{machine}\n\n{}", report::table(&lines));
    }
    Ok(())
}

/// The workloads that this one stands for, each with the samples of its runs, of which there are none yet.
fn choose(workload: Workload, settings: &Settings) -> Result<Vec<(Workload, Vec<Vec<Sample>>)>> {
    let mut chosen = Vec::new();
    for one in workload.each() {
        match one.refusal(&settings.backend) {
            None => chosen.push((one, Vec::new())),
            Some(reason) if workload == Workload::All => eprintln!("{one}: left out, {reason}"),
            Some(reason) => return Err(format!("`{one}` does not work on this backend: {reason}").into()),
        }
    }
    Ok(chosen)
}
