//! What in the database is not as this version left it.

use std::{process::ExitCode, time::Duration};

use chrono::TimeDelta;
use clap::Args;
use rexecutor_sqlx::{Doctor as Examination, Finding, Level, Repair};
use serde_json::{Value, json};

use crate::{
    args::Global,
    failure::{Code, Failure},
    output::{print, remark},
    session::{Guard, Session},
    target::Target,
    time,
};

/// Whether the database is as this version made it, with the statement that repairs each finding; exits with 1 if there is a problem
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// For how long a transaction may be open on PostgreSQL
    #[arg(long, default_value = "10m", value_name = "SPAN", value_parser = time::span)]
    max_transaction: TimeDelta,
    /// Does not read an SQLite file from its beginning to its end
    #[arg(long)]
    quick: bool,
    /// Notices are problems, too
    #[arg(long)]
    strict: bool,
    /// Prints the statements that repair, and nothing else, as for `| psql "$DATABASE_URL"`
    #[arg(long, conflicts_with = "json")]
    sql: bool,
}

/// Something that is not as it should be.
struct Found {
    is_problem: bool,
    check: &'static str,
    what: String,
    repair: Option<Repair>,
}

impl From<Finding> for Found {
    fn from(finding: Finding) -> Self {
        let Finding { level, check, what, repair, .. } = finding;
        Self { is_problem: level == Level::Problem, check, what, repair }
    }
}

pub(crate) async fn run(global: &Global, doctor: &Doctor) -> Result<ExitCode, Failure> {
    let guard = Guard::new(global)?;
    let examination = Examination::new(guard.options())
        .longest_transaction(doctor.max_transaction.to_std().unwrap_or(Duration::ZERO))
        .checks_content(!doctor.quick);
    let findings = examination.examine(&guard.target.url).await.map_err(|error| guard.failure(error))?;
    let mut found: Vec<Found> = findings.into_iter().map(Found::from).collect();
    // Where tables are broken nothing else can be asked.
    if !found.iter().any(|one| one.is_problem) {
        found.extend(unknown_names(global).await?);
    }
    let is_bad = |one: &Found| one.is_problem || doctor.strict;
    let is_well = !found.iter().any(is_bad);
    match doctor.sql {
        true => {
            for one in &found {
                match &one.repair {
                    Some(Repair::Sql(sql)) => print(&format!("-- {}\n{sql}\n", one.what.replace('\n', " ")))?,
                    Some(other) => remark(&format!("{}: {}", one.what, other.text())),
                    None => remark(&one.what),
                }
            }
        }
        false => {
            let status = if is_well { "ok" } else { "problem" };
            let json = json!({ "status": status, "findings": found.iter().map(shape).collect::<Vec<_>>() });
            global.output().answer(&json, || text(&found, is_well))?;
        }
    }
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::from(Code::No as u8) })
}

fn shape(found: &Found) -> Value {
    let (mut sql, mut command) = (Value::Null, Value::Null);
    match &found.repair {
        Some(Repair::Sql(text)) => sql = text.as_str().into(),
        Some(other) => command = other.text().into(),
        None => {}
    }
    let level = if found.is_problem { "problem" } else { "notice" };
    json!({ "level": level, "check": found.check, "what": found.what, "sql": sql, "command": command })
}

fn text(found: &[Found], is_well: bool) -> String {
    let mut text = if is_well { "ok\n".to_owned() } else { String::new() };
    for one in found {
        let level = if one.is_problem { "problem" } else { "notice" };
        text.push_str(&format!("{level}: {}\n", one.what.replace('\n', "\u{fffd}")));
        if let Some(repair) = &one.repair {
            let sign = if matches!(repair, Repair::Sql(_)) { "" } else { "$ " };
            text.extend(repair.text().lines().map(|line| format!("    {sign}{line}\n")));
        }
    }
    text
}

/// Executors that have jobs, and that no living node runs.
async fn unknown_names(global: &Global) -> Result<Vec<Found>, Failure> {
    let session = Session::open(global).await?;
    let cluster = session.observe()?.cluster().await?;
    // Where nobody runs anything, as before a deploy has begun, it says nothing about names; nor where a node may run anything.
    let alive: Vec<_> = cluster.nodes.iter().filter(|node| !node.is_silent(cluster.now)).collect();
    if alive.is_empty() || alive.iter().any(|node| node.executors.is_none()) {
        return Ok(Vec::new());
    }
    let is_unknown =
        |standing: &&rexecutor::backend::observe::Standing| standing.nodes == 0 && standing.queue.waiting.jobs > 0;
    let found = cluster.executors.iter().filter(is_unknown).map(|standing| {
        let (name, count) = (standing.executor.as_str(), standing.queue.waiting.jobs);
        let quoted = name.replace('\'', "'\\''");
        Found {
            is_problem: false,
            check: "name",
            what: format!(
                "{count} jobs wait for `{name}`, which no living node runs: if it has a new name now, add \
                 `aliases = [\"{name}\"]` to its `#[job]`"
            ),
            repair: Some(cancel(&session.guard.target, &quoted)),
        }
    });
    Ok(found.collect())
}

fn cancel(target: &Target, quoted: &str) -> Repair {
    let option = |name: &str, value: &Option<String>| value.as_ref().map(|value| format!(" --{name} {value}"));
    let context = option("context", &target.name).unwrap_or_default();
    let schema = option("schema", &target.schema).unwrap_or_default();
    Repair::Command(format!("rexecutor{context}{schema} jobs cancel --where 'executor:{quoted}' --limit 1000000"))
}
