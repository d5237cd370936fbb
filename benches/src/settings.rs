//! How a workload is to be run.

use clap::Args;

use crate::target::Target;

/// The arguments of every workload. What is not given is what suits the workload.
#[derive(Debug, Clone, Args)]
pub(crate) struct Settings {
    /// `memory`, `sqlite`, `sqlite:FOLDER` to say where its files are made, or a URL that begins with `postgres://`.
    #[arg(long, default_value = "memory", value_name = "BACKEND")]
    pub(crate) backend: Target,
    /// How many jobs.
    #[arg(long, value_parser = positive)]
    jobs: Option<usize>,
    /// How many tasks enqueue at once, or how many jobs a node runs at once; by default 16 tasks, and as many jobs as a
    /// node runs by default.
    #[arg(long, value_parser = positive)]
    pub(crate) concurrency: Option<usize>,
    /// How many bytes the data of a job have, about.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(..=1_000_000))]
    payload: u32,
    /// Beside one process, how many `nodes` starts; by default 2, and then 4.
    #[arg(long, value_parser = positive)]
    pub(crate) nodes: Option<usize>,
    /// How often each workload is run; by default 3 times, or once with --quick.
    #[arg(long, value_parser = positive)]
    runs: Option<usize>,
    /// How many jobs a second `steady` enqueues at first.
    #[arg(long, default_value_t = 1_000, value_parser = positive)]
    pub(crate) rate: usize,
    /// How long `idle`, and each step of `steady`, take.
    #[arg(long, value_parser = seconds)]
    seconds: Option<f64>,
    /// How many rows of each kind `grown`, `prune` and `dashboard` find in the table; by default 1,000,000.
    #[arg(long, value_parser = positive)]
    history: Option<usize>,
    /// With sizes that only show that it works.
    #[arg(long)]
    pub(crate) quick: bool,
    /// One line of JSON for each result, in place of the table.
    #[arg(long)]
    pub(crate) json: bool,
}

impl Settings {
    /// How many jobs: what was asked for, or what suits the workload.
    pub(crate) fn jobs(&self, full: usize, quick: usize) -> usize {
        self.jobs.unwrap_or(if self.quick { quick } else { full })
    }

    pub(crate) fn history(&self) -> usize {
        self.history.unwrap_or(if self.quick { 5_000 } else { 1_000_000 })
    }

    pub(crate) fn runs(&self) -> usize {
        self.runs.unwrap_or(if self.quick { 1 } else { 3 })
    }

    pub(crate) fn seconds(&self, full: f64) -> f64 {
        self.seconds.unwrap_or(if self.quick { 1.0 } else { full })
    }

    pub(crate) fn payload(&self) -> usize {
        usize::try_from(self.payload).unwrap_or(usize::MAX)
    }

    /// How many tasks enqueue at once.
    pub(crate) fn tasks(&self) -> usize {
        self.concurrency.unwrap_or(16)
    }
}

fn positive(text: &str) -> Result<usize, String> {
    match text.replace(['_', ','], "").parse() {
        Ok(0) => Err("it must be at least 1".to_owned()),
        Ok(number) => Ok(number),
        Err(_) => Err("it must be a whole number".to_owned()),
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.01..=86_400.0).contains(&seconds) => Ok(seconds),
        _ => Err("it must be a number of seconds, from 0.01 to a day".to_owned()),
    }
}
