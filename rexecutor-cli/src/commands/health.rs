//! Whether all is well.

use std::{process::ExitCode, time::Duration};

use chrono::TimeDelta;
use clap::Args;
use rexecutor_web::views::{self, Level, Overview};
use serde_json::json;

use crate::{
    args::Global,
    failure::{Code, Failure},
    session::Session,
    time,
};

/// Whether all is well; exits with 1 and the reasons if it is not
#[derive(Debug, Args)]
pub(crate) struct Health {
    /// It is a problem, too, if a due job has waited for longer than this
    #[arg(long, value_name = "SPAN", value_parser = time::span)]
    max_wait: Option<TimeDelta>,
    /// It is a problem, too, that something is paused, or that jobs of the last hour were discarded
    #[arg(long)]
    strict: bool,
}

/// How long the database may take to answer.
const TIMEOUT: Duration = Duration::from_secs(5);

pub(crate) async fn run(global: &Global, health: &Health) -> Result<ExitCode, Failure> {
    let (mut problems, mut notices) = (Vec::new(), Vec::new());
    match look(global, health).await {
        // That the command line makes no sense is no answer.
        Err(failure) if failure.code == Code::Usage => return Err(failure),
        Err(failure) => problems.push(("the database cannot be used".to_owned(), failure.message().to_owned())),
        Ok(found) => {
            for (level, what, why) in found {
                match level {
                    Level::Problem => problems.push((what, why)),
                    _ if health.strict => problems.push((what, why)),
                    _ => notices.push((what, why)),
                }
            }
        }
    }
    let shape = |found: &[(String, String)]| {
        found.iter().map(|(what, why)| json!({ "what": what, "why": why })).collect::<Vec<_>>()
    };
    let is_well = problems.is_empty();
    let status = if is_well { "ok" } else { "problem" };
    let json = json!({ "status": status, "problems": shape(&problems), "notices": shape(&notices) });
    global.output().answer(&json, || {
        let line = |word: &str, (what, why): &(String, String)| format!("{word}: {what} ({why})\n");
        let mut text = if is_well { "ok\n".to_owned() } else { String::new() };
        text.extend(problems.iter().map(|found| line("problem", found)));
        text.extend(notices.iter().map(|found| line("notice", found)));
        text
    })?;
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::from(Code::No as u8) })
}

type Found = (Level, String, String);

async fn look(global: &Global, health: &Health) -> Result<Vec<Found>, Failure> {
    let session = Session::open(global).await?;
    session.read().ping(TIMEOUT).await?;
    let seen = Overview::read(session.read(), None).await?;
    let mut found: Vec<Found> = seen.attention.into_iter().map(|one| (one.level, one.what, one.why)).collect();
    if let Some(most) = health.max_wait {
        for standing in &seen.cluster.executors {
            if let Some(wait) = standing.oldest_wait(seen.cluster.now).filter(|wait| *wait > most) {
                let what = format!("jobs of {} wait for too long", standing.executor);
                let why = format!("the oldest for {}, and {} is allowed", views::span(wait), views::span(most));
                found.push((Level::Problem, what, why));
            }
        }
    }
    Ok(found)
}
