//! What can be done with one job.

use rexecutor::{
    backend::{AmendError, Backend, JobChange, JobRow},
    job::JobStatus,
};
use serde_json::json;

use crate::{access::Role, audit::Change, problem::Problem, request::Cx};

/// What is to be done with a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// At once if it waits; if it runs, it is asked to stop.
    Cancel { reason: String },
    /// Due now with all attempts, unless it is complete.
    Retry,
    /// … also if it is complete.
    Again,
    /// Not blocked any more.
    Release,
    /// Another priority.
    Priority(u16),
}

impl Action {
    /// The action of this word.
    pub(crate) fn read(word: &str, reason: &str, priority: &str) -> Result<Self, Problem> {
        Ok(match word {
            "cancel" => Self::Cancel { reason: reason.to_owned() },
            "retry" => Self::Retry,
            "again" => Self::Again,
            "release" => Self::Release,
            "priority" => {
                let priority: Option<u16> = priority.trim().parse().ok().filter(|priority| *priority < 1_000);
                let invalid = || Problem::Invalid("A priority is a number from 0, the most urgent, to 999.".to_owned());
                Self::Priority(priority.ok_or_else(invalid)?)
            }
            _ => return Err(Problem::Invalid("There is no such action.".to_owned())),
        })
    }

    pub(crate) const fn as_str(&self) -> &'static str {
        match self {
            Self::Cancel { .. } => "cancel",
            Self::Retry => "retry",
            Self::Again => "again",
            Self::Release => "release",
            Self::Priority(_) => "priority",
        }
    }

    /// The words of those that suit a job of this status, and what their buttons say.
    pub(crate) fn of(status: JobStatus) -> &'static [(&'static str, &'static str)] {
        match status {
            JobStatus::Blocked => &[("release", "Release"), ("cancel", "Cancel")],
            JobStatus::Scheduled => &[("retry", "Run now"), ("cancel", "Cancel")],
            JobStatus::Retryable => &[("retry", "Retry now"), ("cancel", "Cancel")],
            JobStatus::Executing => &[("cancel", "Cancel")],
            JobStatus::Complete => &[("again", "Run again")],
            JobStatus::Cancelled | JobStatus::Discarded => &[("retry", "Retry")],
            _ => &[],
        }
    }

    /// Does it, and records it.
    pub(crate) async fn perform(&self, cx: &Cx, job: &JobRow) -> Result<(), Problem> {
        cx.need(Role::Operator)?;
        cx.need_executor(&job.executor)?;
        let (change, answer) = self.attempt(cx, job).await;
        cx.record(change).await;
        Ok(answer?)
    }

    /// Does it, and gives what is to be recorded of it. Whoever calls it has checked that they may.
    pub(crate) async fn attempt(&self, cx: &Cx, job: &JobRow) -> (Change, Result<(), AmendError>) {
        let answer = self.carry_out(cx, job).await;
        let (before, after) = match self {
            Self::Priority(priority) => (json!({"priority": job.priority}), json!({"priority": priority})),
            Self::Cancel { reason } => (json!({"status": job.status}), json!({"reason": reason})),
            _ => (json!({"status": job.status}), json!({})),
        };
        (Change::of_job(cx, self.as_str(), job).changing(before, after).ended(&answer), answer)
    }

    async fn carry_out(&self, cx: &Cx, job: &JobRow) -> Result<(), AmendError> {
        let (backend, executor): (&dyn Backend, _) = (cx.backend(), &job.executor);
        match self {
            Self::Cancel { reason } => {
                let by = cx.access.name();
                let reason = reason.replace('\0', "\u{fffd}");
                let reason = match reason.trim() {
                    "" => format!("cancelled by {by}"),
                    reason => format!("{reason} (cancelled by {by})"),
                };
                backend.cancel(executor, job.id, reason.replace('\0', "\u{fffd}")).await
            }
            Self::Retry => backend.rerun_unless_complete(executor, job.id).await,
            Self::Again => backend.rerun(executor, job.id).await,
            Self::Release => backend.release(executor, job.id).await,
            Self::Priority(priority) => {
                let mut change = JobChange::of(job);
                change.priority = *priority;
                backend.update(executor, job.id, change).await
            }
        }
    }
}
