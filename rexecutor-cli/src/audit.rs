//! What the command changes, for the audit log: noted as it is confirmed, completed as it ends, and then recorded.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rexecutor::{
    backend::{AmendError, AuditEntry, AuditObject, JobRow, Pause, Scope, audit_log},
    job::ExecutorName,
};
use rexecutor_sqlx::AnyBackend;
use rexecutor_web::shapes;
use serde_json::Value;

use crate::{failure::Failure, output::remark};

/// How many entries are recorded together.
const RECORDED: usize = 200;

/// What was changed, and is not recorded yet: the change as it was confirmed, and the jobs that it was made to.
#[derive(Debug, Default)]
pub(crate) struct Changes(Mutex<Noted>);

#[derive(Debug, Default)]
struct Noted {
    whole: Vec<AuditEntry>,
    jobs: Vec<AuditEntry>,
}

impl Changes {
    fn lock(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A change begins.
    pub(crate) fn begin(&self, entry: AuditEntry) {
        self.lock().whole.push(entry);
    }

    /// What is there now.
    pub(crate) fn end(&self, after: &Value) {
        let mut noted = self.lock();
        if let Some(entry) = noted.whole.pop() {
            noted.whole.push(entry.with_after(after.to_string()));
        }
    }

    /// What was done to one of its jobs.
    pub(crate) async fn job(&self, backend: &AnyBackend, job: &JobRow, answer: &Result<(), AmendError>) {
        let full = {
            let mut noted = self.lock();
            let Some(whole) = noted.whole.last() else { return };
            let entry = AuditEntry::new(whole.by.clone(), whole.action.clone(), AuditObject::job(job.id));
            let entry = entry.with_via(whole.via.clone()).with_executor(Some(job.executor.clone()));
            let entry = entry.with_before(serde_json::json!({ "status": job.status }).to_string());
            noted.jobs.push(entry.with_error(answer.as_ref().err().map(ToString::to_string)));
            if noted.jobs.len() < RECORDED { Vec::new() } else { std::mem::take(&mut noted.jobs) }
        };
        record(backend, full).await;
    }

    /// Records what is left; `error`: why the last change came to nothing, or ended early.
    pub(crate) async fn finish(&self, backend: &AnyBackend, error: Option<&Failure>) {
        let Noted { mut whole, jobs } = std::mem::take(&mut *self.lock());
        if let Some(last) = whole.pop() {
            whole.push(match error {
                Some(error) => last.with_error(Some(error.message().to_owned())),
                None => last,
            });
        }
        record(backend, jobs).await;
        record(backend, whole).await;
    }
}

/// What was changed stays so if it cannot be recorded.
async fn record(backend: &AnyBackend, entries: Vec<AuditEntry>) {
    if entries.is_empty() {
        return;
    }
    let recorded = match audit_log(backend) {
        Ok(log) => log.record_audit(entries).await,
        Err(error) => Err(error),
    };
    if let Err(error) = recorded {
        let cause = std::error::Error::source(&error).map_or(String::new(), |cause| format!(": {cause}"));
        remark(&format!("the audit log lacks this change: {error}{cause}"));
    }
}

/// What a pause is about, as the audit log has it.
pub(crate) fn object(scope: &Scope) -> AuditObject {
    match scope {
        Scope::Executor(executor) => AuditObject::executor(executor),
        Scope::Node(label) => AuditObject::node(label.clone()),
        Scope::Tag(tag) => AuditObject::tag(tag.clone()),
        _ => AuditObject::cluster(),
    }
}

/// Whose jobs it keeps.
pub(crate) fn executor(scope: &Scope) -> Option<ExecutorName> {
    if let Scope::Executor(executor) = scope { Some(executor.clone()) } else { None }
}

/// Whether something is paused, as JSON.
pub(crate) fn shown(pause: Option<&Pause>) -> String {
    shapes::pause_state(pause).to_string()
}
