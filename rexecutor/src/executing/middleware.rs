//! Middleware: code around the runs of jobs.
//!
//! # Invariants
//!
//! - Middleware is a part of the run that it surrounds: it shares the run's time limit, is told to stop with it, and is dropped with it.
//! - A panic inside is an error to the middleware around it. A panic of the outermost one is a failed attempt, and nothing more.
//! - A run without middleware makes no allocation and takes no poll more than before there was any.

use std::{error::Error, fmt, panic::AssertUnwindSafe};

use async_trait::async_trait;
use futures::{FutureExt, future::BoxFuture};
use serde::de::DeserializeOwned;

use super::{
    disposition::ExecutionError,
    enqueue_request::EnqueueRequest,
    layers::Layers,
    result::{ExecutionResult, IntoExecutionResult},
};
use crate::{causes, context::JobContext, model::ErrorType};

/// Code around the runs of jobs: of all jobs that a [node](crate::node::NodeBuilder::with_middleware) runs, or of
/// [one kind of job](crate::Executor::middleware).
///
/// An async function that takes a [`Run`] and a [`Next`] and returns what a job may return is middleware. `next.run(run)` does what is inside:
/// the next middleware, and at last the job. What the outermost middleware returns is the result of the run.
///
/// # Contract
///
/// - [`run`](Self::run) is called once for each run, before the job has done anything. A run includes its middleware: the job's `timeout` counts
///   the time that the middleware takes, and both are dropped together when the run is stopped.
/// - A run that ends early does not come back from `next.run(..)`: the future is dropped at its `.await`. That happens when the job is out of
///   time or does not stop within its grace, and when one of its [steps](crate::steps) sleeps. What must happen in any case belongs into `Drop`.
/// - A panic in the job, or in middleware further inside, is an [`ExecutionResult::Error`] of the type `panic` here.
/// - Middleware of a `blocking` job runs on the job's thread.
///
/// # Examples
///
/// ```
/// use rexecutor::{middleware::{Middleware, Next, Run}, prelude::*};
///
/// /// Leaves jobs of other regions to other nodes.
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
/// let node = Rexecutor::from_registry().with_middleware(Region("eu".to_owned()));
/// ```
#[async_trait]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be used as middleware",
    label = "not middleware",
    note = "middleware is an `async fn(run: Run, next: Next) -> ExecutionResult`, or a type that implements `rexecutor::middleware::Middleware`",
    note = "write the types of a closure's parameters: `|run: Run, next: Next| async move {{ next.run(run).await }}`"
)]
pub trait Middleware: Send + Sync + 'static {
    /// Sees each job of its kind before it is enqueued: it can add to the job, or refuse it. The default does nothing.
    ///
    /// It is called only for the kinds of jobs that [name this middleware](crate::Executor::middleware), after the hooks of
    /// [`middleware::on_enqueue`](crate::middleware::on_enqueue), where the rest is said that holds for both. The middleware of a node is not
    /// asked: a program enqueues without a node, too.
    ///
    /// # Errors
    ///
    /// An error refuses the job with [`EnqueueError::Refused`](crate::job::builder::EnqueueError::Refused).
    fn on_enqueue(&self, job: &mut EnqueueRequest<'_>) -> Result<(), Box<dyn Error + Send + Sync>> {
        let _ = job;
        Ok(())
    }

    /// Does a run. The default does what is inside and nothing else.
    ///
    /// # Cancel safety
    ///
    /// The future is dropped when the run is stopped.
    async fn run(&self, run: Run, next: Next) -> ExecutionResult {
        next.run(run).await
    }
}

// Else the compiler would tell what a function lacks that was never meant to be middleware.
#[diagnostic::do_not_recommend]
#[async_trait]
impl<F, Running> Middleware for F
where
    F: Fn(Run, Next) -> Running + Send + Sync + 'static,
    Running: Future + Send + 'static,
    Running::Output: IntoExecutionResult,
{
    async fn run(&self, run: Run, next: Next) -> ExecutionResult {
        self(run, next).await.into_execution_result()
    }
}

/// A run that is about to begin, as [`Middleware`] sees it.
///
/// It can be read, and extensions can be added. To replace the data of a job is not possible: they have been decoded by now.
#[derive(Debug)]
pub struct Run {
    context: JobContext,
}

impl Run {
    pub(super) fn new(context: JobContext) -> Self {
        Self { context }
    }

    /// The job's id, executor, attempt, tags, headers and metadata, its cancellation token, the clock, and the states of the node.
    ///
    /// It is cheap to clone; clone it to use it after `next.run(run)`. Middleware that looks at the token counts as a job that does: see
    /// [`cancellation`](JobContext::cancellation).
    pub fn context(&self) -> &JobContext {
        &self.context
    }

    /// The job's data, as JSON. They do decode: a job that this program cannot read does not run.
    pub fn data_json(&self) -> &str {
        &self.context.row().data
    }

    /// The job's data, decoded as `T`. This decodes them once more; the job has its own copy.
    ///
    /// # Errors
    ///
    /// When they do not decode as `T`.
    pub fn data<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.data_json())
    }

    /// The job's metadata, as JSON; `None` if it has none. [`context().metadata()`](JobContext::metadata) decodes them.
    pub fn metadata_json(&self) -> Option<&str> {
        self.context.row().metadata.as_deref()
    }

    /// Gives the run a value, in place of one of the same type. The job takes it as [`Extension<T>`](crate::middleware::Extension), or with
    /// [`context.extension::<T>()`](JobContext::extension). It is dropped with the run.
    pub fn add_extension<T: Clone + Send + Sync + 'static>(&mut self, value: T) {
        self.context.add_extension(value);
    }
}

/// What is inside of a [`Middleware`]: the middleware that is further inside, and the job.
#[must_use = "the job does not run unless `run` is called and awaited"]
pub struct Next {
    pub(super) layers: Layers,
    /// The number of layers around this.
    pub(super) depth: usize,
    pub(super) job: BoxFuture<'static, ExecutionResult>,
}

impl Next {
    /// Runs what is inside, and gives its result. A panic in there is an error of the type `panic`.
    ///
    /// # Cancel safety
    ///
    /// When the future is dropped, so is the job, at the `.await` that it has reached.
    pub async fn run(self, run: Run) -> ExecutionResult {
        let Self { layers, depth, job } = self;
        let inside = async move {
            match layers.get(depth) {
                Some(layer) => layer.run(run, Self { layers: layers.clone(), depth: depth + 1, job }).await,
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
        f.debug_struct("Next").field("depth", &self.depth).finish_non_exhaustive()
    }
}

/// A panic, with its message.
struct Panicked(String);

impl fmt::Display for Panicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl ExecutionError for Panicked {
    fn error_type(&self) -> &str {
        // The word that the engine has for a panic of a job without middleware.
        const PANIC: &ErrorType = &ErrorType::Panic;
        PANIC.as_str()
    }
}
