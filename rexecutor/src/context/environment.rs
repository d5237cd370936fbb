//! What the runs of a node share.

use std::sync::Arc;

use super::{
    emitter::Emitter, job_threads::JobThreads, recorder::Recorder, reporter::Reporter, state::StateMap,
    workers::Workers,
};
use crate::{
    backend::{Backend, StepLog},
    clock::Clock,
};

/// What the runs of a node share.
#[derive(Clone)]
pub(crate) struct Environment {
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) state: Arc<StateMap>,
    /// Where it is seen which jobs are polled, if anybody looks.
    pub(crate) workers: Option<Arc<Workers>>,
    /// What the runs say that is not stored yet.
    pub(crate) reporter: Arc<Reporter>,
    /// What they stream that is not stored yet.
    pub(crate) emitter: Arc<Emitter>,
    /// How they went that is not stored yet.
    pub(crate) recorder: Arc<Recorder>,
    /// The threads of blocking jobs; `None`: those of the runtime.
    pub(crate) job_threads: Option<Arc<JobThreads>>,
    /// Where steps are recorded, if not in the backend.
    pub(crate) step_log: Option<Arc<dyn StepLog>>,
    /// What the tasks before its only job gave, as JSON, if that is not asked of the backend.
    pub(crate) given_upstream: Option<Arc<str>>,
}

impl Environment {
    pub(crate) fn new(backend: Arc<dyn Backend>, clock: Arc<dyn Clock>, state: StateMap) -> Self {
        Self {
            backend,
            clock,
            state: Arc::new(state),
            workers: None,
            reporter: Arc::default(),
            emitter: Arc::default(),
            recorder: Arc::default(),
            job_threads: None,
            step_log: None,
            given_upstream: None,
        }
    }
}
