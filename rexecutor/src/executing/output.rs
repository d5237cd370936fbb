//! What a job gives when it succeeds.

use std::any::TypeId;

use serde::Serialize;

use super::{executor::Executor, result::ExecutionResult};

/// An [`Executor`] whose jobs give something when they succeed: their output, which is stored with the job.
///
/// `#[job]` implements it from what the function returns: `Result<Thumbnail, E>` gives a `Thumbnail`. An executor that is written
/// by hand implements it with one line, and returns [`ExecutionResult::with_output`]; with `()` its jobs can be
/// [waited for](crate::results::OutputExt::wait) and give nothing.
///
/// ```
/// use rexecutor::{executor::HasOutput, prelude::*};
///
/// struct Count;
///
/// #[async_trait::async_trait]
/// impl Executor for Count {
///     type Data = String;
///     type Metadata = ();
///     const NAME: &'static str = "count";
///
///     async fn execute(job: Job<Self::Data, Self::Metadata>) -> ExecutionResult {
///         ExecutionResult::with_output(&job.data.len())
///     }
/// }
///
/// impl HasOutput for Count {
///     type Output = usize;
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "nothing says what jobs of `{Self}` give",
    label = "not an executor with an output",
    note = "`#[job]` implements `HasOutput`; for an executor that is written by hand, add `impl HasOutput for {Self} {{ type Output = ..; }}`"
)]
pub trait HasOutput: Executor {
    /// What a job gives when it succeeds. It is stored as JSON, as data are, and may be as large as
    /// [`MAX_DATA_BYTES`](Executor::MAX_DATA_BYTES) says.
    type Output: Serialize + Send + 'static;
}

/// What a function with `#[job]` may return in `Ok`: anything that can be stored, or an [`ExecutionResult`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stored as a job's output",
    label = "not `serde::Serialize`",
    note = "what a job returns in `Ok` is stored with the job: derive `serde::Serialize` for it, or return `Ok(())`"
)]
pub trait JobOutput: Sized {
    /// What is stored.
    type Output: Serialize + Send + 'static;

    /// Converts it.
    fn into_result(self) -> ExecutionResult;
}

impl<T: Serialize + Send + 'static> JobOutput for T {
    type Output = T;

    fn into_result(self) -> ExecutionResult {
        // Nothing is stored of a plain job.
        match TypeId::of::<T>() == TypeId::of::<()>() {
            true => ExecutionResult::Done,
            false => ExecutionResult::with_output(&self),
        }
    }
}

impl JobOutput for ExecutionResult {
    type Output = ();

    fn into_result(self) -> ExecutionResult {
        self
    }
}

/// What the type says that a function with `#[job]` returns. Not public API.
#[doc(hidden)]
pub trait ReturnType {
    type Output: Serialize + Send + 'static;
}

impl ReturnType for () {
    type Output = ();
}

impl ReturnType for ExecutionResult {
    type Output = ();
}

impl<T: JobOutput, E> ReturnType for Result<T, E> {
    type Output = T::Output;
}

/// Compiles where a function gives what its executor says.
#[doc(hidden)]
pub const fn gives<R, E>()
where
    R: ReturnType<Output = <E as HasOutput>::Output>,
    E: HasOutput,
{
}

/// An output as it is stored, or why it cannot be.
#[derive(Debug)]
pub struct EncodedOutput(Result<String, serde_json::Error>);

impl EncodedOutput {
    /// Encodes an output.
    pub fn of<T: Serialize + ?Sized>(output: &T) -> Self {
        Self(serde_json::to_string(output))
    }

    /// The JSON, or what the encoder says.
    pub(crate) fn into_json(self) -> Result<String, serde_json::Error> {
        self.0
    }
}
