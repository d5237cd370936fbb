//! Snapshots of the types of jobs, which programs write.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Subcommand;
use rexecutor::schema::{BreakingChange, Snapshot};
use serde_json::json;

use crate::{
    args::Global,
    failure::{Code, Failure},
};

/// What is to be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Schema {
    /// Compares two snapshots; exits with 1 if jobs that were stored under the old one do not decode under the new one
    Diff {
        /// The snapshot of the program that stored the jobs
        old: PathBuf,
        /// The snapshot of the program that is to run them
        new: PathBuf,
    },
}

pub(crate) fn run(global: &Global, what: &Schema) -> Result<ExitCode, Failure> {
    let Schema::Diff { old, new } = what;
    let changes = read(new)?.breaking_changes(&read(old)?);
    let json: Vec<_> = changes.iter().map(in_json).collect();
    global.output().answer(&json!({ "breaking": json }), || match changes.as_slice() {
        [] => "ok: no change breaks stored jobs".to_owned(),
        changes => changes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
    })?;
    Ok(if changes.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(Code::No as u8) })
}

fn in_json(change: &BreakingChange) -> serde_json::Value {
    let BreakingChange { job, part, path, is_older, .. } = change;
    json!({
        "job": job,
        "part": part.map(|part| part.as_str()),
        "path": path,
        "older": is_older,
        "what": change.to_string(),
    })
}

fn read(path: &Path) -> Result<Snapshot, Failure> {
    let file = path.display();
    let text = fs::read_to_string(path).map_err(|error| Failure::usage(format!("cannot read {file}: {error}")))?;
    Snapshot::parse(&text).map_err(|error| Failure::usage(format!("{file}: {error:?}")))
}
