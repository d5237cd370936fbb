//! What `rexecutor-testing` needs of a node's builder. Not public API.

use std::sync::Arc;

use super::{builder::NodeBuilder, error::StartError};
use crate::{
    context::{Environment, StateMap},
    executing::Middleware,
    global,
    testing::job_runner::JobRunner,
};

impl NodeBuilder {
    /// What this node would run, without the node: what a job lacks is found when it runs.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub fn into_job_runner(mut self) -> Result<JobRunner, StartError> {
        self.check();
        if !self.plan.problems.is_empty() {
            return Err(StartError::Invalid(self.plan.problems));
        }
        let backend = self.backend.map_or_else(global::backend, Ok)?;
        let environment = Environment::new(backend, self.clock, self.state);
        let runner = JobRunner::new(environment, self.plan.runners, self.plan.timetables);
        Ok(runner.within(self.options.middleware))
    }

    /// Surrounds each run with these, from the outside in.
    pub fn with_middlewares(mut self, middleware: impl IntoIterator<Item = Arc<dyn Middleware>>) -> Self {
        middleware.into_iter().for_each(|layer| self.options.middleware.add(layer));
        self
    }

    /// Gives the jobs values of many types.
    pub fn with_states(mut self, state: StateMap) -> Self {
        self.state = state;
        self
    }

    /// Makes what is random in the engine follow from this number.
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.options.seed = Some(seed);
        self
    }
}
