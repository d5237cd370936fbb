//! Moving the jobs of rexecutor 0.1 into our tables.

use std::{io::IsTerminal, process::ExitCode};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use rexecutor_sqlx::{AnyBackend, Import01, ImportProgress, ImportReport, OldJobs};
use rexecutor_web::views;
use serde_json::{Value, json};

use crate::{
    args::Global,
    failure::{Code, Failure},
    output::{jobs, remark, table},
    session::Guard,
    stopping::stopped,
};

/// Moves the jobs of rexecutor 0.1, in the same PostgreSQL database, into the tables of this version
#[derive(Debug, Args)]
pub(crate) struct Import {
    /// The schema of the table `rexecutor_jobs`
    #[arg(long, value_name = "NAME", default_value = "public")]
    from_schema: String,
    /// Only jobs of this executor; may be given several times
    #[arg(long = "executor", value_name = "NAME")]
    executors: Vec<String>,
    /// Moves only jobs that wait, while programs of 0.1 run, and goes on with new ones until it is stopped
    #[arg(long)]
    live: bool,
    /// With --live: moves what waits now, and ends
    #[arg(long, requires = "live")]
    once: bool,
    /// Leaves jobs that are complete, cancelled or discarded in the old table
    #[arg(long, conflicts_with = "live")]
    skip_finished: bool,
    /// Programs of 0.1 are stopped: does not look whether any is connected
    #[arg(long, conflicts_with = "live")]
    stopped: bool,
    /// How many bytes the data of a job, and its metadata, may each have as JSON
    #[arg(long, value_name = "BYTES", default_value_t = rexecutor::limits::MAX_DATA_BYTES)]
    max_data_bytes: usize,
    /// Says what would be moved, and moves nothing
    #[arg(long)]
    dry_run: bool,
    /// Says what is done, a line for each step, on the standard error
    #[arg(short, long)]
    verbose: bool,
}

/// How many refused jobs people are shown; JSON has more.
const MOST_SHOWN: usize = 20;

/// The most letters of a name that are shown.
const MOST_LETTERS: usize = 40;

pub(crate) async fn run(global: &Global, what: Import) -> Result<ExitCode, Failure> {
    let guard = Guard::new(global)?;
    if !what.dry_run {
        guard.confirm("move the jobs of rexecutor 0.1 into the tables of this version")?;
    }
    if !guard.target.url.starts_with("postgres") {
        return Err(Failure::usage(format!(
            "{} is no PostgreSQL database, and rexecutor 0.1 kept jobs in PostgreSQL alone: name the one that it uses",
            guard.target.shown()
        )));
    }
    let options = guard.options().migrate(!what.dry_run);
    let backend = options.connect(&guard.target.url).await.map_err(|error| guard.failure(error))?;
    let report = import(global, &what, &backend).await;
    backend.close().await;
    let report = report.map_err(|failure| failure.without(&guard.target.secrets()))?;
    let is_over = |report: &ImportReport| report.drop_sql().filter(|_| !what.dry_run);
    let mut shape = shape(&report);
    (shape["dry_run"], shape["live"], shape["drop"]) = (what.dry_run.into(), what.live.into(), is_over(&report).into());
    global.output().answer(&shape, || text(&report, &what, is_over(&report)))?;
    Ok(if report.refused_jobs > 0 { ExitCode::from(Code::Refused as u8) } else { ExitCode::SUCCESS })
}

async fn import(global: &Global, what: &Import, backend: &AnyBackend) -> Result<ImportReport, Failure> {
    let import = Import01::new(backend.clone()).from_schema(&what.from_schema).live(what.live);
    let import = import.skip_finished(what.skip_finished).assume_stopped(what.stopped);
    let import = import.max_data_bytes(what.max_data_bytes).executors(&what.executors);
    if what.dry_run {
        return Ok(import.dry_run().await?);
    }
    let bar = bar(global, what);
    let (shown, verbose) = (bar.clone(), what.verbose);
    let import = import.on_progress(move |progress| tell(progress, shown.as_ref(), verbose));
    let report = match what.live && !what.once {
        true => {
            remark("moving jobs that wait, and those that come to wait; stop with Ctrl-C");
            // The step that is under way is still done, and the answer is given.
            import.follow(stopped()).await
        }
        false => import.run().await,
    };
    bar.iter().for_each(ProgressBar::finish_and_clear);
    Ok(report?)
}

/// Something that moves, if somebody sees it.
fn bar(global: &Global, what: &Import) -> Option<ProgressBar> {
    let is_seen = std::io::stderr().is_terminal() && !global.json && !what.verbose;
    let style = || ProgressStyle::with_template("{spinner} {msg}").ok();
    is_seen.then(|| {
        let bar = ProgressBar::new_spinner();
        style().into_iter().for_each(|style| bar.set_style(style));
        bar
    })
}

fn tell(progress: ImportProgress, bar: Option<&ProgressBar>, verbose: bool) {
    match progress {
        ImportProgress::Stored { jobs } if verbose => remark(&format!("stored, and not committed yet: {jobs}")),
        ImportProgress::Moved { moved, .. } => {
            if verbose {
                remark(&format!("moved until now: {moved}"));
            }
            if let Some(bar) = bar {
                bar.set_message(format!("moved {moved} jobs"));
                bar.tick();
            }
        }
        _ => {}
    }
}

fn shape(report: &ImportReport) -> Value {
    let counts = |all: &[OldJobs]| -> Value {
        all.iter().map(|one| json!({ "executor": one.executor, "status": one.status, "jobs": one.jobs })).collect()
    };
    let refused = report.refused.iter().map(
        |job| json!({ "id": job.id.to_string(), "executor": job.executor, "status": job.status, "why": job.problem }),
    );
    json!({
        "schema": report.schema, "moved": counts(&report.moved), "refused": refused.collect::<Value>(),
        "refused_jobs": report.refused_jobs, "left": counts(&report.left),
    })
}

fn text(report: &ImportReport, what: &Import, drop: Option<String>) -> String {
    let (moved, old) = (report.moved_jobs(), format!("{}.rexecutor_jobs", report.schema));
    let mut text = String::new();
    if !report.moved.is_empty() {
        text = listed(&report.moved);
        text.push_str("\n\n");
    }
    text.push_str(&match what.dry_run {
        true => format!("it would move {} out of {old}", counted(moved)),
        false => format!("moved {} out of {old}", counted(moved)),
    });
    if report.refused_jobs > 0 {
        let be = match (what.dry_run, report.refused_jobs) {
            (true, _) => "would be",
            (false, 1) => "was",
            (false, _) => "were",
        };
        text.push_str(&format!("\n\n{} {be} refused:\n", counted(report.refused_jobs)));
        let shown = report.refused.iter().take(MOST_SHOWN);
        let lines = shown.map(|job| {
            vec![job.id.to_string(), job.status.clone(), views::short(&job.executor, MOST_LETTERS), job.problem.clone()]
        });
        text.push_str(&table(&[">id", "status", "executor", "why"], lines));
        let more = report.refused_jobs.saturating_sub(MOST_SHOWN as u64);
        if more > 0 {
            text.push_str(&format!("\n… and {}", counted(more)));
        }
    }
    match drop {
        Some(sql) => {
            text.push_str(&format!("\n\nnothing is left in it; once nothing uses it any more, drop it:\n{sql}"))
        }
        None if !what.dry_run => {
            text.push_str(&format!("\n\n{} left in it:\n{}", counted(report.left_jobs()), listed(&report.left)));
        }
        None => {}
    }
    text
}

fn listed(all: &[OldJobs]) -> String {
    let lines =
        all.iter().map(|one| vec![views::short(&one.executor, MOST_LETTERS), one.status.clone(), one.jobs.to_string()]);
    table(&["executor", "status", ">jobs"], lines)
}

fn counted(count: u64) -> String {
    jobs(usize::try_from(count).unwrap_or(usize::MAX))
}
