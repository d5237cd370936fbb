//! What a function with `#[job]` takes beside its data.

use std::{any::TypeId, error::Error, fmt};

use crate::{
    batches::{BatchHandle, BatchSummary},
    context::JobContext,
    executing::{Disposition, ExecutionError},
    steps::Steps,
};

/// A parameter that is taken from the running job's surroundings.
///
/// # Examples
///
/// ```
/// use rexecutor::prelude::*;
///
/// /// Who the job is done for, from its metadata.
/// struct Tenant(String);
///
/// impl Extract for Tenant {
///     async fn extract(context: &JobContext) -> Result<Self, ExtractError> {
///         match context.metadata::<String>().map_err(ExtractError::new)? {
///             Some(tenant) => Ok(Self(tenant)),
///             None => Err(ExtractError::cancel("the job names no tenant")),
///         }
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be extracted from a running job",
    label = "not an extractor",
    note = "a job's first parameter is its data, or the whole `Job<D, M>`; those after it are extracted",
    note = "write `State<{Self}>` for a value given with `.with_state(..)`, or implement `rexecutor::Extract` for it"
)]
pub trait Extract: Sized + Send {
    /// Takes the value from the context of a run.
    ///
    /// # Errors
    ///
    /// An error fails the attempt, or cancels the job if it was made with [`ExtractError::cancel`].
    fn extract(context: &JobContext) -> impl Future<Output = Result<Self, ExtractError>> + Send;

    /// Says what must be there before a node starts. The default is nothing.
    fn requires(_requirements: &mut Requirements) {}
}

impl Extract for JobContext {
    async fn extract(context: &JobContext) -> Result<Self, ExtractError> {
        Ok(context.clone())
    }
}

impl Extract for Steps {
    async fn extract(context: &JobContext) -> Result<Self, ExtractError> {
        Ok(Self::of(context))
    }
}

/// What a batch had come to, for its callbacks.
impl Extract for BatchSummary {
    async fn extract(context: &JobContext) -> Result<Self, ExtractError> {
        let none = "the job is no callback of a batch, and takes a `BatchSummary`: give it to `Batch::on_finished` or another \
                    callback of a batch";
        Self::of(context).map_err(ExtractError::new)?.ok_or_else(|| ExtractError::new(none))
    }
}

/// The batch that the job is part of, or whose callback it is.
impl Extract for BatchHandle {
    async fn extract(context: &JobContext) -> Result<Self, ExtractError> {
        let none = "the job is part of no batch, and takes a `BatchHandle`: enqueue it in a batch, or ask `BatchHandle::of(&context)`";
        Self::of(context).ok_or_else(|| ExtractError::new(none))
    }
}

/// A value that the node was given with `with_state`: each run has a clone of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct State<T>(pub T);

impl<T: Clone + Send + Sync + 'static> Extract for State<T> {
    async fn extract(context: &JobContext) -> Result<Self, ExtractError> {
        let missing = || ExtractError::new(MissingState(std::any::type_name::<T>()));
        context.state().map(Self).ok_or_else(missing)
    }

    fn requires(requirements: &mut Requirements) {
        requirements.state::<T>();
    }
}

/// A value that the run's [middleware](crate::middleware) gave it with [`add_extension`](crate::middleware::Run::add_extension): the job has
/// a clone of it.
///
/// A run whose middleware gave none fails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Extension<T>(pub T);

impl<T: Clone + Send + Sync + 'static> Extract for Extension<T> {
    async fn extract(context: &JobContext) -> Result<Self, ExtractError> {
        let missing = || ExtractError::new(MissingExtension(std::any::type_name::<T>()));
        context.extension().map(Self).ok_or_else(missing)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("no extension of type `{0}`: middleware gives it with `run.add_extension(..)`, before `next.run(run)`")]
struct MissingExtension(&'static str);

#[derive(Debug, thiserror::Error)]
#[error("no state of type `{0}`: give it with `.with_state(..)`")]
struct MissingState(&'static str);

/// What a job needs of its node.
#[derive(Debug, Default)]
pub struct Requirements(Vec<(TypeId, &'static str)>);

impl Requirements {
    /// A state of type `T`.
    pub fn state<T: 'static>(&mut self) {
        self.0.push((TypeId::of::<T>(), std::any::type_name::<T>()));
    }

    pub(crate) fn states(&self) -> &[(TypeId, &'static str)] {
        &self.0
    }
}

/// Why a parameter could not be extracted.
pub struct ExtractError {
    error: Box<dyn Error + Send + Sync>,
    disposition: Disposition,
}

crate::debug_as_sentence!(ExtractError);

impl ExtractError {
    /// The attempt fails, and is retried like any other.
    pub fn new(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { error: error.into(), disposition: Disposition::Retry }
    }

    /// The job is cancelled.
    pub fn cancel(reason: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { error: reason.into(), disposition: Disposition::Cancel }
    }
}

impl fmt::Display for ExtractError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl Error for ExtractError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }
}

impl ExecutionError for ExtractError {
    fn error_type(&self) -> &str {
        "extract"
    }

    fn disposition(&self) -> Disposition {
        self.disposition.clone()
    }
}
