//! What stands around the runs of jobs: middleware.
//!
//! # Invariants
//!
//! - What is around a run is a part of it: it has the run's time limit, is told to stop with it, and is dropped with it.
//! - A panic inside is an error to whoever is around it, and one in the outermost is a failed attempt: never more than that.
//! - A run that nothing is around has no box and no turn more.

use std::{fmt, panic::AssertUnwindSafe, sync::Arc};

use async_trait::async_trait;
use futures::{FutureExt, future::BoxFuture};
use serde::de::DeserializeOwned;

use super::{
    disposition::ExecutionError,
    result::{ExecutionResult, IntoExecutionResult},
};
use crate::{causes, context::JobContext, model::ErrorType};

/// Stands around the runs of jobs: around those of a [node](crate::node::NodeBuilder::with_middleware), or of [one kind of
/// job](crate::Executor::MIDDLEWARE).
///
/// Any function of a [`Run`] and [`Next`] is one, whose future gives what a job may return. `next.run(run)` does what is inside: the next
/// middleware, or the job. What the middleware returns is what the run gives, whatever came from inside.
///
/// # Examples
///
/// ```
/// use rexecutor::{middleware::{Middleware, Next, Run}, prelude::*};
///
/// /// Jobs of other regions are left to other nodes.
/// struct Region(String);
///
/// #[async_trait::async_trait]
/// impl Middleware for Region {
///     async fn run(&self, run: Run, next: Next) -> ExecutionResult {
///         match run.context().headers().get("region") {
///             Some(region) if region != self.0 => ExecutionResult::Snooze { delay: TimeDelta::seconds(10) },
///             _ => next.run(run).await,
///         }
///     }
/// }
///
/// let node = Rexecutor::builder().with_middleware(Region("eu".to_owned()));
/// ```
#[async_trait]
pub trait Middleware: Send + Sync + 'static {
    /// Runs a job, or does not.
    async fn run(&self, run: Run, next: Next) -> ExecutionResult;
}

#[async_trait]
impl<F, Running> Middleware for F
where
    F: Fn(Run, Next) -> Running + Send + Sync + 'static,
    Running: Future + Send,
    Running::Output: IntoExecutionResult,
{
    async fn run(&self, run: Run, next: Next) -> ExecutionResult {
        self(run, next).await.into_execution_result()
    }
}

/// A run that is about to begin, as a [`Middleware`] sees it.
#[derive(Debug)]
pub struct Run {
    context: JobContext,
}

impl Run {
    /// The job's number, executor, attempt, tags, headers and metadata, its token, the clock, and the states of the node. A middleware that
    /// looks at the token is taken for a job that does: see [`cancellation`](JobContext::cancellation).
    pub fn context(&self) -> &JobContext {
        &self.context
    }

    /// The job's data, as JSON. They have been decoded by then: a job that this program cannot read does not run.
    pub fn data_json(&self) -> &str {
        &self.context.row().data
    }

    /// The job's data, decoded as `T`.
    ///
    /// # Errors
    ///
    /// When they do not decode as `T`.
    pub fn data<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.data_json())
    }

    /// The job's metadata, as JSON, if it has any.
    pub fn metadata_json(&self) -> Option<&str> {
        self.context.row().metadata.as_deref()
    }

    /// Gives the run a value, in place of one of the same type. The job takes it as [`Extension<T>`](crate::middleware::Extension), or with
    /// [`extension`](JobContext::extension).
    pub fn extend<T: Clone + Send + Sync + 'static>(&mut self, value: T) {
        self.context.extend(value);
    }
}

/// What is inside of a [`Middleware`]: others, and the job.
#[must_use = "the job does not run unless `run` is called and awaited"]
pub struct Next {
    layers: Layers,
    /// How many of them are around this.
    place: usize,
    job: BoxFuture<'static, ExecutionResult>,
}

impl Next {
    /// Runs what is inside, and gives what came of it. A panic in there is an error of the type `panic`.
    ///
    /// # Cancel safety
    ///
    /// When the future is dropped, so is the job: it has run up to the `.await` at which it stands.
    pub async fn run(self, run: Run) -> ExecutionResult {
        let Self { layers, place, job } = self;
        let inside = async move {
            match layers.get(place) {
                Some(layer) => layer.run(run, Self { layers: layers.clone(), place: place + 1, job }).await,
                None => {
                    drop(run);
                    job.await
                }
            }
        };
        let result = AssertUnwindSafe(inside).catch_unwind().await;
        result.unwrap_or_else(|panic| ExecutionResult::Error { error: Box::new(Panicked(causes::message(panic))) })
    }
}

impl fmt::Debug for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Next").field("left", &(self.layers.len().saturating_sub(self.place))).finish_non_exhaustive()
    }
}

/// What a panic said.
struct Panicked(String);

impl fmt::Display for Panicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl ExecutionError for Panicked {
    fn error_type(&self) -> &str {
        // The engine has the same word for a job that nothing is around.
        static PANIC: ErrorType = ErrorType::Panic;
        PANIC.as_str()
    }
}

/// What every run of a node is in, from the outermost.
pub(crate) type NodeMiddleware = Arc<[Arc<dyn Middleware>]>;

/// What is around a run.
#[derive(Clone)]
pub(crate) struct Layers {
    node: NodeMiddleware,
    /// That of its executor.
    own: &'static [&'static dyn Middleware],
}

impl Layers {
    pub(crate) fn of(node: &NodeMiddleware, own: &'static [&'static dyn Middleware]) -> Self {
        Self { node: node.clone(), own }
    }

    fn len(&self) -> usize {
        self.node.len() + self.own.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn get(&self, place: usize) -> Option<&dyn Middleware> {
        let node = self.node.get(place).map(|layer| &**layer);
        node.or_else(|| Some(*self.own.get(place.checked_sub(self.node.len())?)?))
    }

    /// The work of a run with all of it around.
    pub(crate) fn around(
        self,
        context: JobContext,
        job: BoxFuture<'static, ExecutionResult>,
    ) -> BoxFuture<'static, ExecutionResult> {
        Box::pin(Next { layers: self, place: 0, job }.run(Run { context }))
    }
}
