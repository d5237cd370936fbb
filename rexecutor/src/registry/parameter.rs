//! Taking a parameter whose type may turn out to be no extractor.
//!
//! `#[job]` uses a parameter's type in several places, and the compiler complains at each where it lacks a trait. So only
//! [`is_extracted`] demands it; everywhere else the resolution of methods, which tries the type with the most `&` first, falls
//! back on something that fits every type. None of this is public API.

use std::{fmt, future::Ready, marker::PhantomData};

use super::extract::{Extract, ExtractError, Requirements};
use crate::{context::JobContext, executing::ExecutionResult};

/// Stands for the type of a parameter.
#[doc(hidden)]
pub struct Parameter<T>(PhantomData<fn() -> T>);

impl<T> Parameter<T> {
    /// The type.
    pub const NEW: Self = Self(PhantomData);
}

impl<T> fmt::Debug for Parameter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::any::type_name::<T>())
    }
}

/// Demands that a parameter can be extracted.
#[doc(hidden)]
pub const fn is_extracted<T: Extract>() {}

/// A parameter that is extracted.
#[doc(hidden)]
pub trait Extracted<T> {
    /// Takes it; `Err` is what the run gives.
    fn take(&self, context: &JobContext) -> impl Future<Output = Result<T, ExecutionResult>> + Send;

    /// What it needs of a node.
    fn require(&self, requirements: &mut Requirements);
}

impl<T: Extract> Extracted<T> for &Parameter<T> {
    async fn take(&self, context: &JobContext) -> Result<T, ExecutionResult> {
        T::extract(context).await.map_err(Into::into)
    }

    fn require(&self, requirements: &mut Requirements) {
        T::requires(requirements);
    }
}

/// A parameter that is not, so that the program does not compile.
#[doc(hidden)]
pub trait NotExtracted<T> {
    fn take(&self, context: &JobContext) -> Ready<Result<T, ExecutionResult>>;

    fn require(&self, requirements: &mut Requirements);
}

impl<T> NotExtracted<T> for Parameter<T> {
    fn take(&self, _context: &JobContext) -> Ready<Result<T, ExecutionResult>> {
        std::future::ready(Err(ExtractError::new("the parameter cannot be extracted").into()))
    }

    fn require(&self, _requirements: &mut Requirements) {}
}
