//! Copying all jobs to another database, or moving those that wait.

use std::io::IsTerminal;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use rexecutor_sqlx::{
    AnyBackend, CheckedRows, ConnectError, CopyProgress, CopyReport, DatabaseCopy, LeftBehind, LiveCopy, OpenError,
    UrlError, WholeCopy,
};
use serde_json::{Value, json};

use crate::{
    args::Global,
    failure::{Code, Failure},
    output::{jobs, remark, table},
    session::Guard,
};

/// Copies all jobs, and all else that a database has, to another one; nodes must be stopped
#[derive(Debug, Args)]
pub(crate) struct Copy {
    /// The database that is copied: an address, or the name of a context. Without it: the one that any command would use
    #[arg(long, value_name = "DATABASE")]
    from: Option<String>,
    /// The database that is to have the jobs: an address, or the name of a context. Its tables are created
    #[arg(long, value_name = "DATABASE")]
    to: String,
    /// The schema of the tables that are copied, on PostgreSQL. The default is --schema
    #[arg(long, value_name = "NAME")]
    from_schema: Option<String>,
    /// The schema of the tables that are written, on PostgreSQL. The default is --schema
    #[arg(long, value_name = "NAME")]
    to_schema: Option<String>,
    /// Moves the jobs that wait, while nodes run on both databases
    #[arg(long)]
    live: bool,
    /// Says what would be copied, and copies nothing
    #[arg(long)]
    dry_run: bool,
    /// Says what is done, a line for each step, on the standard error
    #[arg(short, long)]
    verbose: bool,
}

/// The two databases.
struct Pair {
    from: Guard,
    to: Guard,
}

impl Pair {
    fn of(global: &Global, copy: &Copy) -> Result<Self, Failure> {
        let named = |name: &str, schema: &Option<String>| {
            let (database, context) = match name.contains(':') {
                true => (Some(name.to_owned()), None),
                false => (None, Some(name.to_owned())),
            };
            let schema = schema.clone().or_else(|| global.schema.clone());
            Guard::new(&Global { database, context, schema, ..global.clone() })
        };
        let from = match &copy.from {
            Some(from) => named(from, &copy.from_schema),
            None => {
                let schema = copy.from_schema.clone().or_else(|| global.schema.clone());
                Guard::new(&Global { schema, ..global.clone() })
            }
        };
        let (from, to) = (from?, named(&copy.to, &copy.to_schema)?);
        for (guard, schema, option) in
            [(&from, &copy.from_schema, "--from-schema"), (&to, &copy.to_schema, "--to-schema")]
        {
            if schema.is_some() && !guard.target.url.starts_with("postgres") {
                let place = guard.target.shown();
                return Err(Failure::usage(format!(
                    "{option} is given, and {place} has no schemas: only PostgreSQL has"
                )));
            }
        }
        Ok(Self { from, to })
    }

    fn without_secrets(&self, failure: impl Into<Failure>) -> Failure {
        failure.into().without(&self.from.target.secrets()).without(&self.to.target.secrets())
    }

    /// For people.
    fn shown(&self) -> [String; 2] {
        [&self.from, &self.to].map(|guard| match &guard.target.schema {
            Some(schema) if guard.target.url.starts_with("postgres") => {
                format!("{}, schema {schema}", guard.target.shown())
            }
            _ => guard.target.shown(),
        })
    }

    /// Opens both, once that is confirmed.
    async fn open(&self, copy: &Copy) -> Result<(AnyBackend, AnyBackend), Failure> {
        let Self { from, to } = self;
        if [from, to].iter().any(|guard| guard.target.url.ends_with(":memory:")) {
            return Err(Failure::usage("a database in memory is gone with this command: name a file"));
        }
        let opened = from.options().connect(&from.target.url).await;
        let source = opened.map_err(|error| match is_missing(&error) {
            true => {
                let place = from.target.shown();
                let message =
                    format!("the source {place} has no jobs to copy: there is no database of rexecutor there");
                Failure::new(Code::Database, message).hint("hint: look at its path or address, and at `--from-schema`")
            }
            false => from.failure(error),
        })?;
        if copy.dry_run {
            let target = match to.options().connect(&to.target.url).await {
                // It would be created.
                Err(error) if is_missing(&error) => rexecutor_sqlx::connect("sqlite::memory:").await,
                answer => answer,
            };
            return Ok((source, target.map_err(|error| to.failure(error))?));
        }
        if copy.live {
            from.confirm("move jobs that wait out of it")?;
        }
        to.confirm("copy jobs into it")?;
        let opened = to.options().create(true).migrate(true).connect(&to.target.url).await;
        Ok((source, opened.map_err(|error| to.failure(error))?))
    }
}

/// Whether there are no tables yet.
fn is_missing(error: &UrlError) -> bool {
    matches!(
        error,
        UrlError::Sqlite(OpenError::NoFile { .. } | OpenError::NotMigrated { found: 0, .. })
            | UrlError::Postgres(ConnectError::NotMigrated { found: 0, .. })
    )
}

pub(crate) async fn run(global: &Global, what: Copy) -> Result<(), Failure> {
    let pair = Pair::of(global, &what)?;
    let (source, target) = pair.open(&what).await?;
    let copy = DatabaseCopy::new(source.clone(), target.clone()).live(what.live);
    let report = match what.dry_run {
        true => copy.dry_run().await,
        false => {
            let bar = bar(global, &what);
            let (shown, verbose) = (bar.clone(), what.verbose);
            let report = copy.on_progress(move |progress| tell(progress, shown.as_ref(), verbose)).run().await;
            bar.iter().for_each(ProgressBar::finish_and_clear);
            report
        }
    };
    source.close().await;
    target.close().await;
    let report = report.map_err(|error| pair.without_secrets(error))?;
    let (CopyReport::Whole(WholeCopy { clock_ahead_ms, .. }) | CopyReport::Live(LiveCopy { clock_ahead_ms, .. })) =
        &report
    else {
        return Ok(());
    };
    if clock_ahead_ms.abs() >= MOST_SKEW_MS {
        let (ms, side) = (clock_ahead_ms.abs(), if *clock_ahead_ms > 0 { "ahead of" } else { "behind" });
        remark(&format!(
            "the clock of the target is {ms} ms {side} that of the source: jobs are due by the target's from now on"
        ));
    }
    let [from, to] = pair.shown();
    let mut shape = shape(&report);
    (shape["from"], shape["to"], shape["dry_run"]) = (from.as_str().into(), to.as_str().into(), what.dry_run.into());
    global.output().answer(&shape, || text(&report, &to, what.dry_run))
}

/// Clocks of two machines are never the same.
const MOST_SKEW_MS: i64 = 2_000;

/// A bar, if somebody sees it.
fn bar(global: &Global, copy: &Copy) -> Option<ProgressBar> {
    let is_seen = std::io::stderr().is_terminal() && !global.json && !copy.verbose;
    let style = || ProgressStyle::with_template("{msg:24} {wide_bar} {percent:>3} %  {eta}").ok();
    is_seen.then(|| {
        let bar = ProgressBar::new(0);
        style().into_iter().for_each(|style| bar.set_style(style));
        bar
    })
}

fn tell(progress: CopyProgress, bar: Option<&ProgressBar>, verbose: bool) {
    if verbose {
        remark(&line(progress));
    }
    let Some(bar) = bar else { return };
    match progress {
        CopyProgress::Compared { table, pass, number, .. } => {
            bar.set_message(format!("{} {table}", if pass == 1 { "copying" } else { "checking" }));
            let (position, length) = number.unwrap_or((0, 0));
            let [position, length] = [position, length].map(|number| u64::try_from(number).unwrap_or_default());
            bar.set_length(length);
            bar.set_position(position);
        }
        CopyProgress::Forgotten { moved, .. } => {
            bar.set_message(format!("moved {moved} jobs"));
            bar.tick();
        }
        _ => {}
    }
}

fn line(progress: CopyProgress) -> String {
    match progress {
        CopyProgress::Compared { table, pass, rows, stored, .. } => {
            format!("pass {pass}: {table}: {rows} rows compared, {stored} stored in the last step")
        }
        CopyProgress::Taken { jobs } => format!("taken out of the source: {jobs}"),
        CopyProgress::Arrived { jobs } => format!("stored in the target: {jobs}"),
        CopyProgress::Forgotten { moved, .. } => format!("moved until now: {moved}"),
        _ => "…".to_owned(),
    }
}

fn shape(report: &CopyReport) -> Value {
    match report {
        CopyReport::Whole(report) => {
            let checked = |name: &str, count: &str, all: &[CheckedRows]| -> Value {
                all.iter().map(|one| json!({ name: one.name, count: one.rows, "digest": one.digest })).collect()
            };
            json!({
                "live": false, "statuses": checked("status", "jobs", &report.statuses),
                "tables": checked("table", "rows", &report.tables), "stored": report.stored, "others": report.others,
                "clock_ahead_ms": report.clock_ahead_ms,
            })
        }
        CopyReport::Live(report) => {
            let renumbered = report.renumbered.iter();
            let renumbered = renumbered.map(|(from, to)| json!({ "from": from.to_string(), "to": to.to_string() }));
            let LeftBehind { executing, blocked, in_flows, ordered, set_aside, awaited, copied, new, .. } = report.left;
            json!({
                "live": true, "moved": report.moved, "renumbered": renumbered.collect::<Value>(),
                "left": {
                    "executing": executing, "blocked": blocked, "in_flows": in_flows, "ordered": ordered, "set_aside": set_aside,
                    "awaited": awaited, "copied": copied, "new": new,
                },
                "clock_ahead_ms": report.clock_ahead_ms,
            })
        }
        _ => json!({}),
    }
}

fn text(report: &CopyReport, to: &str, dry_run: bool) -> String {
    match report {
        CopyReport::Whole(report) => whole(report, to, dry_run),
        CopyReport::Live(report) => live(report, to, dry_run),
        _ => String::new(),
    }
}

fn whole(report: &WholeCopy, to: &str, dry_run: bool) -> String {
    let count = |all: &[CheckedRows]| all.iter().map(|one| one.rows).sum::<u64>();
    let (all, rows) = (count(&report.statuses), count(&report.tables));
    let lines = report.statuses.iter().map(|one| vec![one.name.clone(), one.rows.to_string()]);
    let listed = table(&["status", ">jobs"], lines.chain([vec!["(all)".to_owned(), all.to_string()]]));
    let rows = if rows == 1 { "1 row".to_owned() } else { format!("{rows} rows") };
    let what = format!("{} and {rows} of other tables", counted(all));
    let mut text = match dry_run {
        true => format!("{listed}\n\nit would copy {what} to {to}"),
        false => format!("{listed}\n\n{what} are in {to}, each the same as in the source"),
    };
    if report.others > 0 {
        text.push_str(&format!("; {} enqueued there meanwhile", was_or_were(report.others)));
    }
    text
}

fn was_or_were(count: u64) -> String {
    if count == 1 { "1 job was".to_owned() } else { format!("{count} jobs were") }
}

fn counted(count: u64) -> String {
    jobs(usize::try_from(count).unwrap_or(usize::MAX))
}

fn live(report: &LiveCopy, to: &str, dry_run: bool) -> String {
    let left = report.left;
    let movable = if dry_run { left.new } else { report.moved };
    let mut text = match dry_run {
        true => format!("it would move {} to {to}", counted(movable)),
        false => format!("moved {} to {to}", counted(movable)),
    };
    if !report.renumbered.is_empty() {
        text.push_str(&match (report.moved, report.renumbered.len()) {
            (1, _) => ", under a new number".to_owned(),
            (_, 1) => ", 1 of them under a new number".to_owned(),
            (_, count) => format!(", {count} of them under new numbers"),
        });
    }
    let reasons = [
        (left.executing, "running"),
        (left.in_flows, "in workflows or batches"),
        (left.ordered, "in order with others of their key"),
        (left.blocked, "blocked"),
        (left.set_aside, "waiting because a tag is paused"),
        (left.awaited, "with somebody who waits for their end or sends them signals"),
        (left.copied, "copied as a whole before"),
        (if dry_run { 0 } else { left.new }, "come since"),
    ];
    let reasons = reasons.iter().filter(|(count, _)| *count > 0);
    let reasons: Vec<String> = reasons.map(|(count, why)| format!("{count} {why}")).collect();
    if !reasons.is_empty() {
        text.push_str(&format!("\nleft in the source: {}", reasons.join(", ")));
    }
    text
}
