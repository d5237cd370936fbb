//! An open database, and whether it may be changed.

use std::io::{BufRead, IsTerminal, Write};

use rexecutor::backend::{
    AmendError, AuditEntry, AuditObject, BackendError, JobRow, Pause, Scope, control,
    observe::{self, Observe},
};
use rexecutor_sqlx::{AnyBackend, AnyOptions, UrlError};

use crate::{
    args::Global,
    audit::{self, Changes},
    failure::{Code, Failure},
    output::{Output, clean},
    target::Target,
};

/// An open database.
#[derive(Debug)]
pub(crate) struct Session {
    backend: AnyBackend,
    pub(crate) guard: Guard,
    pub(crate) output: Output,
    /// Who says so.
    pub(crate) by: String,
    pub(crate) changes: Changes,
}

/// Which database it is, and whether whoever asks is sure.
#[derive(Debug, Clone)]
pub(crate) struct Guard {
    pub(crate) target: Target,
    is_sure: bool,
}

impl Guard {
    pub(crate) fn new(global: &Global) -> Result<Self, Failure> {
        Ok(Self { target: Target::find(global)?, is_sure: global.yes })
    }

    /// How the database is opened: nothing in it is created or changed.
    pub(crate) fn options(&self) -> AnyOptions {
        let options = AnyOptions::new().create(false).migrate(false);
        match &self.target.schema {
            Some(schema) => options.schema(schema.clone()),
            None => options,
        }
    }

    /// A failure without the password in it.
    pub(crate) fn failure(&self, error: UrlError) -> Failure {
        let text = error.to_string();
        let failure = Failure::from(error).without(&self.target.secrets());
        if text.contains("schema version 0") || text.contains("have version 0") {
            return failure.hint("hint: `rexecutor migrate up` creates the tables");
        }
        if text.contains("and this program needs") {
            return failure.hint("hint: `rexecutor migrate up` brings them up to date");
        }
        failure
    }

    /// Asks before a production database is changed, unless that is said already; `what` is what is about to happen.
    pub(crate) fn confirm(&self, what: &str) -> Result<(), Failure> {
        if !self.target.is_production || self.is_sure {
            return Ok(());
        }
        let place = self.target.shown();
        if !std::io::stdin().is_terminal() {
            let message =
                format!("{place} is a production database, and nobody can be asked whether to {what}: give `--yes`");
            return Err(Failure::new(Code::NotConfirmed, message));
        }
        ask(&mut std::io::stdin().lock(), &mut std::io::stderr(), &place, what)
    }
}

/// Asks for a `yes`.
fn ask(answers: &mut impl BufRead, out: &mut impl Write, place: &str, what: &str) -> Result<(), Failure> {
    let _ = write!(out, "{}\nType `yes` to go on: ", clean(&format!("{place} is a production database: {what}?")));
    let _ = out.flush();
    let mut answer = String::new();
    answers.read_line(&mut answer).map_err(Failure::io)?;
    match answer.trim() {
        "yes" => Ok(()),
        _ => Err(Failure::new(Code::NotConfirmed, "nothing was changed")),
    }
}

impl Session {
    /// Opens the database that is meant.
    pub(crate) async fn open(global: &Global) -> Result<Self, Failure> {
        let guard = Guard::new(global)?;
        let opened = guard.options().connect(&guard.target.url).await;
        let backend = opened.map_err(|error| guard.failure(error))?;
        Ok(Self { backend, guard, output: global.output(), by: global.by(), changes: Changes::default() })
    }

    /// For reading.
    pub(crate) fn read(&self) -> &AnyBackend {
        &self.backend
    }

    pub(crate) fn observe(&self) -> Result<&dyn Observe, BackendError> {
        observe::observe(&self.backend)
    }

    /// For changing it, once that is confirmed; `entry` says in the audit log what was changed, whatever comes of it.
    pub(crate) fn change(&self, what: &str, entry: AuditEntry) -> Result<&AnyBackend, Failure> {
        self.guard.confirm(what)?;
        self.changes.begin(entry);
        Ok(&self.backend)
    }

    /// For pausing it, or for ending that, where `pause` is `None`.
    pub(crate) async fn change_pause(
        &self,
        what: &str,
        scope: &Scope,
        pause: Option<&Pause>,
    ) -> Result<&AnyBackend, Failure> {
        let paused = control(&self.backend)?.paused().await?;
        let before = paused.iter().find(|paused| paused.scope == *scope).map(|paused| &paused.pause);
        let action = if pause.is_some() { "pause" } else { "resume" };
        let entry = self.entry(action, audit::object(scope)).with_executor(audit::executor(scope));
        self.change(what, entry.with_before(audit::shown(before)).with_after(audit::shown(pause)))
    }

    /// An entry of the audit log.
    pub(crate) fn entry(&self, action: &str, object: AuditObject) -> AuditEntry {
        AuditEntry::new(self.by.clone(), action, object).with_via("cli")
    }

    /// Notes what was done to one of the jobs of a change.
    pub(crate) async fn changed(&self, job: &JobRow, answer: &Result<(), AmendError>) {
        self.changes.job(&self.backend, job, answer).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_yes_is_a_yes() {
        for (answer, code) in [("yes\n", None), ("y\n", Some(Code::NotConfirmed)), ("", Some(Code::NotConfirmed))] {
            let mut said = Vec::new();
            let asked = ask(&mut answer.as_bytes(), &mut said, "prod (postgres://db/shop)", "cancel job 7");
            assert_eq!(asked.err().map(|failure| failure.code), code, "{answer:?}");
            assert!(
                String::from_utf8(said)
                    .unwrap()
                    .starts_with("prod (postgres://db/shop) is a production database: cancel job 7?")
            );
        }
    }
}
