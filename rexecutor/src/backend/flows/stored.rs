//! What is stored of a flow, and what follows when its jobs end.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::callback::{Callback, When};
use crate::{
    backend::flows::FlowError,
    model::{BatchEvent, BatchSummary, Due, FlowCounts, FlowId, JobId, NewJob},
    schedule::{Template, Until},
};

/// All that there is to know of a flow but its jobs. A backend stores it as text, and beside it what it looks for:
/// [`finished_at`](Self::finished_at) and [`watches`](Self::watches).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredFlow {
    name: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    callbacks: Vec<Callback>,
    /// Whether it is called a workflow.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_workflow: bool,
    /// Whether it has tasks.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    has_tasks: bool,
    /// Whether it is cancelled as a whole as soon as a task has failed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    fails_fast: bool,
    /// Why it was cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cancelled: Option<String>,
    /// What it had come to when its last job ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    end: Option<Box<BatchSummary>>,
}

impl StoredFlow {
    /// It waits for a first job that is discarded.
    pub const WATCHES_DISCARDS: i32 = 1;

    /// It waits until so many jobs have ended.
    pub const WATCHES_PROGRESS: i32 = 2;

    /// Tasks of it have ended whose successors may not have been told.
    pub const WATCHES_TASKS: i32 = 4;

    /// It was cancelled, and some of its jobs may not have been.
    pub const WATCHES_CANCEL: i32 = 8;

    /// A batch without callbacks.
    pub fn batch(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            callbacks: Vec::new(),
            is_workflow: false,
            has_tasks: false,
            fails_fast: false,
            cancelled: None,
            end: None,
        }
    }

    /// A workflow without callbacks.
    pub fn workflow(name: impl Into<String>) -> Self {
        Self { is_workflow: true, has_tasks: true, ..Self::batch(name) }
    }

    /// Cancels it as a whole as soon as a task has failed.
    #[must_use]
    pub fn with_fail_fast(self, fails_fast: bool) -> Self {
        Self { fails_fast, ..self }
    }

    /// Says that tasks were added to it.
    pub fn add_tasks(&mut self) {
        self.has_tasks = true;
    }

    /// Whether it has tasks, whose ends are told to those behind them.
    pub fn has_tasks(&self) -> bool {
        self.has_tasks
    }

    /// Whether it is a workflow, and not a batch.
    pub fn is_workflow(&self) -> bool {
        self.is_workflow
    }

    /// Cancels it where that is to follow, because this task has failed; returns whether it was cancelled by that.
    pub fn fail(&mut self, task: &str) -> bool {
        let is_new = self.fails_fast && self.cancelled.is_none() && self.end.is_none();
        if is_new {
            self.cancelled = Some(format!("the task `{task}` has failed"));
        }
        is_new
    }

    /// Enqueues this job then. It is not unique, and not blocked.
    #[must_use]
    pub fn with_callback(mut self, when: When, job: &NewJob) -> Self {
        let due = match job.due {
            Due::Now => None,
            Due::In(delay) => Some(Until::In(delay.num_microseconds().unwrap_or(i64::MAX))),
            Due::At(at) => Some(Until::At(at)),
        };
        let job = Template { unique: None, ..Template::of(job) };
        self.callbacks.push(Callback { when, due, job, is_done: false });
        self
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Why it was cancelled as a whole, if it was.
    pub fn cancelled(&self) -> Option<&str> {
        self.cancelled.as_deref()
    }

    /// What it had come to when its last job ended.
    pub fn end(&self) -> Option<&BatchSummary> {
        self.end.as_deref()
    }

    /// When its last job ended.
    pub fn finished_at(&self) -> Option<DateTime<Utc>> {
        self.end.as_ref().map(|end| end.at)
    }

    /// What it waits for beside the end of its last job, in bits: [`WATCHES_DISCARDS`](Self::WATCHES_DISCARDS),
    /// [`WATCHES_PROGRESS`](Self::WATCHES_PROGRESS), [`WATCHES_TASKS`](Self::WATCHES_TASKS) and
    /// [`WATCHES_CANCEL`](Self::WATCHES_CANCEL).
    pub fn watches(&self) -> i32 {
        let is_open = self.end.is_none();
        let tasks = if is_open && self.has_tasks { Self::WATCHES_TASKS } else { 0 };
        let cancel = if is_open && self.cancelled.is_some() { Self::WATCHES_CANCEL } else { 0 };
        let open = self.callbacks.iter().filter(|callback| !callback.is_done);
        open.fold(tasks | cancel, |watches, callback| match callback.when {
            When::Discarded => watches | Self::WATCHES_DISCARDS,
            When::Progress(_) => watches | Self::WATCHES_PROGRESS,
            When::Succeeded | When::Finished => watches,
        })
    }

    /// Whether jobs can be added.
    ///
    /// # Errors
    ///
    /// When it has ended or was cancelled.
    pub fn check_open(&self, id: FlowId) -> Result<(), FlowError> {
        match (&self.end, &self.cancelled) {
            (Some(_), _) => Err(FlowError::Finished(self.called(id))),
            (None, Some(_)) => Err(FlowError::Cancelled(self.called(id))),
            (None, None) => Ok(()),
        }
    }

    /// Cancels it; the first reason stands.
    ///
    /// # Errors
    ///
    /// When it has ended.
    pub fn cancel(&mut self, id: FlowId, reason: String) -> Result<(), FlowError> {
        match self.end {
            Some(_) => Err(FlowError::Over(self.called(id))),
            None => {
                self.cancelled.get_or_insert(reason);
                Ok(())
            }
        }
    }

    /// Lets it go on after its end, with all of its callbacks; returns whether it had ended.
    pub fn reopen(&mut self) -> bool {
        let had_ended = self.end.take().is_some();
        if had_ended {
            self.cancelled = None;
            self.callbacks.iter_mut().for_each(|callback| callback.is_done = false);
        }
        had_ended
    }

    /// Lets it go on for a retry of its tasks.
    ///
    /// # Errors
    ///
    /// When it was cancelled and has not ended.
    pub fn retry(&mut self, id: FlowId) -> Result<(), FlowError> {
        match (&self.end, &self.cancelled) {
            (None, Some(_)) => Err(FlowError::Stopping(self.called(id))),
            _ => {
                self.reopen();
                Ok(())
            }
        }
    }

    /// What follows at `now` from how the flow's jobs stand: the callbacks that are enqueued, each with what the flow has come to. A flow
    /// that has ended stays as it is. `failed` are discarded jobs by their numbers.
    pub fn advance(
        &mut self,
        id: FlowId,
        created_at: DateTime<Utc>,
        counts: FlowCounts,
        failed: &[JobId],
        now: DateTime<Utc>,
    ) -> Vec<NewJob> {
        if self.end.is_some() {
            return Vec::new();
        }
        let failed = &failed[..failed.len().min(BatchSummary::MOST_FAILED)];
        let summary = BatchSummary {
            id,
            name: self.name.clone(),
            event: BatchEvent::Finished,
            counts,
            failed: failed.to_vec(),
            cancelled: self.cancelled.clone(),
            created_at,
            at: now.max(created_at),
        };
        let mut jobs = Vec::new();
        for callback in self.callbacks.iter_mut().filter(|callback| !callback.is_done) {
            if callback.when.has_come(&counts) {
                callback.is_done = true;
                let summary = BatchSummary { event: callback.when.event(), ..summary.clone() };
                // Nothing in it can fail to encode.
                jobs.push(callback.job().with_summary(serde_json::to_string(&summary).ok()));
            }
        }
        if counts.unfinished() == 0 {
            self.end = Some(Box::new(summary));
        }
        jobs
    }

    /// As it is stored.
    pub fn encode(&self) -> String {
        // Neither maps with other keys than texts nor types that fail are in it.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// As it was stored.
    ///
    /// # Errors
    ///
    /// When it was stored by something else.
    pub fn decode(stored: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(stored)
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::model::{JobStatus, Threshold};

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    fn counts(of: &[(JobStatus, u64)]) -> FlowCounts {
        of.iter().fold(FlowCounts::default(), |mut counts, (status, jobs)| {
            counts.add(*status, *jobs);
            counts
        })
    }

    fn batch() -> StoredFlow {
        let named = |name: &'static str| NewJob::new(name, "1");
        StoredFlow::batch("nightly")
            .with_callback(When::Finished, &named("finished"))
            .with_callback(When::Succeeded, &named("succeeded"))
            .with_callback(When::Discarded, &named("discarded"))
            .with_callback(
                When::Progress(Threshold::Percent(50)),
                &named("half").with_due(Due::In(TimeDelta::hours(1))),
            )
    }

    fn advance(flow: &mut StoredFlow, counts: FlowCounts, now: i64) -> Vec<String> {
        let jobs = flow.advance(FlowId(7), at(0), counts, &[JobId(3)], at(now));
        let jobs = jobs.into_iter().map(|job| {
            let summary: BatchSummary = serde_json::from_str(job.extras.summary.as_deref().unwrap()).unwrap();
            assert_eq!((summary.id, summary.name.as_str(), summary.at), (FlowId(7), "nightly", at(now)));
            assert_eq!((summary.counts, summary.failed), (counts, vec![JobId(3)]));
            format!("{} {:?}", job.executor, summary.event)
        });
        jobs.collect()
    }

    #[test]
    fn each_callback_comes_once_and_when_it_should() {
        use JobStatus::{Complete, Discarded, Executing};
        let mut flow = batch();
        assert_eq!(flow.watches(), 3);
        assert!(advance(&mut flow, counts(&[(Executing, 10)]), 1).is_empty());
        assert_eq!(advance(&mut flow, counts(&[(Executing, 9), (Discarded, 1)]), 2), ["discarded Discarded"]);
        assert!(advance(&mut flow, counts(&[(Executing, 9), (Discarded, 1)]), 2).is_empty());
        assert_eq!(advance(&mut flow, counts(&[(Executing, 5), (Discarded, 5)]), 3), ["half Progress"]);
        assert_eq!(flow.watches(), 0);
        let last = counts(&[(Complete, 9), (Discarded, 1)]);
        assert_eq!(advance(&mut flow, last, 4), ["finished Finished"], "not all have succeeded");
        assert_eq!((flow.finished_at(), flow.end().unwrap().counts), (Some(at(4)), last));
        assert!(matches!(flow.check_open(FlowId(7)), Err(FlowError::Finished(flow)) if flow.to_string() == "batch 7"));
        assert!(advance(&mut flow, counts(&[(Complete, 10)]), 5).is_empty(), "it has ended");
        assert_eq!(StoredFlow::decode(&flow.encode()).unwrap(), flow);

        assert!(flow.reopen() && !flow.reopen());
        let all = advance(&mut flow, counts(&[(Complete, 10)]), 6);
        assert_eq!(all, ["finished Finished", "succeeded Succeeded", "half Progress"]);
    }

    #[test]
    fn one_that_is_cancelled_takes_no_more_jobs_and_still_ends() {
        let mut flow = batch();
        flow.cancel(FlowId(7), "enough".to_owned()).unwrap();
        flow.cancel(FlowId(7), "too late".to_owned()).unwrap();
        assert!(matches!(flow.check_open(FlowId(7)), Err(FlowError::Cancelled(_))));
        let all = advance(&mut flow, counts(&[(JobStatus::Cancelled, 2)]), 1);
        assert_eq!(all, ["finished Finished", "half Progress"]);
        assert_eq!(flow.end().unwrap().cancelled.as_deref(), Some("enough"));
        assert!(flow.cancel(FlowId(7), "again".to_owned()).is_err());
    }

    #[test]
    fn a_callback_is_due_when_it_was_to_be_and_an_empty_batch_has_succeeded() {
        let mut flow = batch();
        let jobs = flow.advance(FlowId(1), at(0), FlowCounts::default(), &[], at(0));
        let names: Vec<&str> = jobs.iter().map(|job| job.executor.as_str()).collect();
        assert_eq!(names, ["finished", "succeeded"]);
        assert_eq!(flow.callbacks[3].job().due, Due::In(TimeDelta::hours(1)));
    }
}
