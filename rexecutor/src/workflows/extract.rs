//! What a task is given of those before it.

use serde::de::DeserializeOwned;

use super::handle::WorkflowHandle;
use crate::{
    backend::flows::{UpstreamTask, flows},
    context::JobContext,
    executing::Upstream,
    model::TaskResult,
    registry::{Extract, ExtractError},
};

/// The workflow of which the job is a task.
impl Extract for WorkflowHandle {
    async fn extract(context: &JobContext) -> Result<Self, ExtractError> {
        let none = "the job is no task of a workflow, and takes a `WorkflowHandle`: enqueue it as a task of a workflow, or ask \
                    `WorkflowHandle::of(&context)`";
        Self::of(context).ok_or_else(|| ExtractError::new(none))
    }
}

/// What the tasks before this one gave.
impl<T: DeserializeOwned + Send> Extract for Upstream<T> {
    async fn extract(context: &JobContext) -> Result<Self, ExtractError> {
        let (json, tasks) = match context.given_upstream() {
            Some(given) => (given.to_owned(), Vec::new()),
            None => stored(context).await?,
        };
        serde_json::from_str(&json).map(Self).map_err(|error| {
            let missing: Vec<String> = tasks.iter().filter_map(missing).collect();
            let missing = if missing.is_empty() { String::new() } else { format!(" ({})", missing.join(", ")) };
            let ty = std::any::type_name::<T>();
            ExtractError::new(format!(
                "what the tasks before this one gave{missing} does not decode as `{ty}`: {error}"
            ))
        })
    }
}

/// … as JSON, and each of them.
async fn stored(context: &JobContext) -> Result<(String, Vec<UpstreamTask>), ExtractError> {
    let row = context.row();
    let Some(task) = &row.extras.task else {
        return Err(ExtractError::new(
            "the job is no task of a workflow, and takes an `Upstream`: enqueue it as a task that comes after others",
        ));
    };
    let detached = || ExtractError::new("what the tasks before this one gave is not known outside of a node");
    let backend = context.backend().ok_or_else(detached)?;
    let tasks = flows(&**backend).map_err(ExtractError::new)?.upstream(row.id).await.map_err(ExtractError::new)?;
    let outputs: Vec<&str> = tasks.iter().map(|task| task.output.as_deref().unwrap_or("null")).collect();
    let json = match (task.joins, &*outputs) {
        (false, [output]) => (*output).to_owned(),
        _ => format!("[{}]", outputs.join(",")),
    };
    Ok((json, tasks))
}

fn missing(task: &UpstreamTask) -> Option<String> {
    let name = &task.name;
    match task.result {
        Some(TaskResult::Succeeded) => None,
        Some(TaskResult::Failed) => Some(format!("`{name}` has failed")),
        Some(TaskResult::Skipped) => Some(format!("`{name}` was skipped")),
        None => Some(format!("`{name}` runs again")),
    }
}
