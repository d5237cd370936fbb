//! A step that the run has come to: whether it is the one that earlier attempts came to, and what is recorded of it.

use std::{borrow::Cow, time::Duration};

use futures::future::BoxFuture;
use serde::de::DeserializeOwned;

use super::{Steps, error::StepError};
use crate::{
    backend::{StepAction, StepChange, StepKind, StepRow},
    clock::Clock,
    context::{JobContext, Suspension, Working},
    model::Result,
    validate,
};

/// A step that the run has come to.
pub(super) struct Begun {
    steps: Steps,
    kind: StepKind,
    pub(super) name: String,
    place: u32,
}

impl Steps {
    pub(super) fn begin(&self, kind: StepKind, name: &str) -> Result<Begun, StepError> {
        validate::step_name(name)?;
        match self.context.run_steps().begin(kind, name) {
            Some(place) => Ok(Begun { steps: self.clone(), kind, name: name.to_owned(), place }),
            None => Err(StepError::Twice { step: name.to_owned() }),
        }
    }

    /// What was recorded when the run came to its first step.
    pub(super) async fn recorded(&self) -> Result<&[StepRow], StepError> {
        let _working = Working::of(self.context.clone());
        let read = || {
            patiently(&self.context, |context| {
                Box::pin(async move { context.step_log()?.steps(context.job_id()).await })
            })
        };
        Ok(self.context.run_steps().recorded.get_or_try_init(read).await?)
    }

    pub(super) async fn change(&self, change: StepChange) -> Result<StepRow, StepError> {
        let stored = patiently(&self.context, |context| {
            let change = change.clone();
            Box::pin(async move { context.step_log()?.step(context.job_id(), context.lease(), change).await })
        });
        match stored.await? {
            Some(row) => Ok(row),
            None => Err(StepError::TakenOver { step: change.name }),
        }
    }
}

/// Asks the backend again and again while it is away: what a step has done must not be lost because of that. Not once the job is to
/// stop.
async fn patiently<T>(
    context: &JobContext,
    ask: impl Fn(JobContext) -> BoxFuture<'static, Result<T>> + Send,
) -> Result<T> {
    let mut pause = Duration::from_millis(100);
    loop {
        match ask(context.clone()).await {
            Err(error) if error.is_transient() && context.stop().reason().is_none() => {
                let error = &error as &dyn std::error::Error;
                tracing::debug!(job.id = %context.job_id(), error, "a step waits for the backend");
            }
            answer => return answer,
        }
        context.clock().sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(5));
    }
}

impl Begun {
    pub(super) fn working(&self) -> Working {
        Working::of(self.steps.context.clone())
    }

    /// What is recorded of the step, if it is over, once that is known to be this one.
    pub(super) async fn recorded(&self) -> Result<Option<StepRow>, StepError> {
        let recorded = self.steps.recorded().await?;
        let is_ours = |row: &&StepRow| (row.kind, &*row.name) == (self.kind, &*self.name);
        let here = recorded.iter().find(|row| row.place == Some(self.place));
        if let Some(other) = here.filter(|row| !is_ours(row)) {
            return Err(StepError::Order { step: self.name.clone(), recorded: other.name.clone() });
        }
        let ours = recorded.iter().find(is_ours);
        match ours.and_then(|row| row.place) {
            Some(was) if was != self.place => {
                Err(StepError::Moved { step: self.name.clone(), was: was + 1, is: self.place + 1 })
            }
            // A signal that has come before is yet to be given its place.
            _ => Ok(ours.filter(|row| row.is_done() && (row.place.is_some() || row.kind == StepKind::Run)).cloned()),
        }
    }

    pub(super) async fn change(&self, action: StepAction) -> Result<StepRow, StepError> {
        self.steps.change(StepChange::new(self.name.clone(), Some(self.place), action)).await
    }

    /// What is recorded of a step that sleeps or waits, once it is over: the run ends here if it is not.
    pub(super) async fn over(&self, action: StepAction, for_signal: bool) -> Result<StepRow, StepError> {
        let working = self.working();
        if let Some(row) = self.recorded().await? {
            return Ok(row);
        }
        let row = self.change(action).await?;
        if !row.is_done() {
            match working.wait(Suspension { until: row.until, for_signal }).await {}
        }
        Ok(row)
    }

    pub(super) fn decode<T: DeserializeOwned>(&self, row: StepRow) -> Result<T, StepError> {
        let output = row.output.map_or(Cow::Borrowed("null"), Cow::Owned);
        serde_json::from_str(&output).map_err(|error| StepError::Decode { step: self.name.clone(), source: error })
    }

    pub(super) fn encode_error(&self, error: serde_json::Error) -> StepError {
        StepError::Encode { step: self.name.clone(), source: error }
    }
}
