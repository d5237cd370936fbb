//! Giving a node its middleware.

use std::sync::Arc;

use super::builder::NodeBuilder;
use crate::executing::Middleware;

impl NodeBuilder {
    /// Surrounds each run of this node with `middleware`: an `async fn` that takes a [`Run`](crate::middleware::Run) and a
    /// [`Next`](crate::middleware::Next), or a type that implements [`Middleware`](crate::middleware::Middleware).
    ///
    /// Calls add up: what is given first is outermost, and all of it is outside of the [job's own](crate::Executor::middleware). The default is
    /// none, and a run that has none costs nothing more.
    ///
    /// # Examples
    ///
    /// ```
    /// use rexecutor::{middleware::{Next, Run}, prelude::*};
    ///
    /// /// Jobs that were enqueued for a test of the system are done without their effects.
    /// async fn dry_runs(run: Run, next: Next) -> ExecutionResult {
    ///     match run.context().headers().get("dry-run") {
    ///         Some(_) => ExecutionResult::Done,
    ///         None => next.run(run).await,
    ///     }
    /// }
    ///
    /// let node = Rexecutor::from_registry().with_middleware(dry_runs);
    /// ```
    pub fn with_middleware(mut self, middleware: impl Middleware) -> Self {
        self.options.middleware.add(Arc::new(middleware));
        self
    }
}
