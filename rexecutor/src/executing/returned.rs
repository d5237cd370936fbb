//! What a function with `#[job]` returned, by the most that the type of its error says.
//!
//! Rust does not choose the most special implementation of a trait, but the resolution of methods takes the first type that
//! fits, and looks at the one with the most `&` first. So the call that `#[job]` writes,
//! `(&&&&Returned::of(&value)).result_of(value)`, tries the traits here in this order: [`Typed`] errors, those that only
//! [decide](Decides), those that [hide](Hidden) another one, and what else [converts](Converted). None of this is public API.

use std::{
    error::Error,
    fmt::{self, Display},
    marker::PhantomData,
    ops::Deref,
};

use super::{
    disposition::{Disposition, ExecutionError},
    failure,
    output::JobOutput,
    result::{ExecutionResult, IntoExecutionResult},
};

/// Stands for the type of a value that a function returned.
#[doc(hidden)]
#[derive(Debug)]
pub struct Returned<T>(PhantomData<fn(T)>);

impl<T> Returned<T> {
    /// The type of this value.
    pub fn of(_: &T) -> Self {
        Self(PhantomData)
    }
}

/// An error that decides, with causes.
#[doc(hidden)]
pub trait Typed<T> {
    fn result_of(&self, returned: T) -> ExecutionResult;
}

impl<T: JobOutput, E: ExecutionError + Error + 'static> Typed<Result<T, E>> for &&&Returned<Result<T, E>> {
    fn result_of(&self, returned: Result<T, E>) -> ExecutionResult {
        let view = |error: E| Failed { error, type_name: "", as_error: |error| error, own: Some(|error| error) };
        returned.map_or_else(|error| view(error).into(), T::into_result)
    }
}

/// An error that decides.
#[doc(hidden)]
pub trait Decides<T> {
    fn result_of(&self, returned: T) -> ExecutionResult;
}

impl<T: JobOutput, E: ExecutionError + 'static> Decides<Result<T, E>> for &&Returned<Result<T, E>> {
    fn result_of(&self, returned: Result<T, E>) -> ExecutionResult {
        returned.map_or_else(Into::into, T::into_result)
    }
}

impl<T: JobOutput> Decides<Result<T, Box<dyn ExecutionError>>> for &&Returned<Result<T, Box<dyn ExecutionError>>> {
    fn result_of(&self, returned: Result<T, Box<dyn ExecutionError>>) -> ExecutionResult {
        returned.map_or_else(|error| ExecutionResult::Error { error }, T::into_result)
    }
}

/// An error that hides another one, which only a reference shows as what it is: a box, and the errors of `anyhow` and `eyre`.
#[doc(hidden)]
pub trait Hidden<T> {
    fn result_of(&self, returned: T) -> ExecutionResult;
}

impl<T, E> Hidden<Result<T, E>> for &Returned<Result<T, E>>
where
    T: JobOutput,
    E: Deref<Target = dyn Error + Send + Sync> + Send + 'static,
{
    fn result_of(&self, returned: Result<T, E>) -> ExecutionResult {
        let view =
            |error| Failed { error, type_name: std::any::type_name::<E>(), as_error: |error: &E| &**error, own: None };
        returned.map_or_else(|error| view(error).into(), T::into_result)
    }
}

/// Whatever else a job may return.
#[doc(hidden)]
pub trait Converted<T> {
    fn result_of(&self, returned: T) -> ExecutionResult
    where
        T: IntoExecutionResult;
}

impl<T> Converted<T> for Returned<T> {
    fn result_of(&self, returned: T) -> ExecutionResult
    where
        T: IntoExecutionResult,
    {
        returned.into_execution_result()
    }
}

/// An error that converts into a box.
pub(super) fn converted<E: Into<Box<dyn Error + Send + Sync>>>(error: E) -> ExecutionResult {
    let error: Box<dyn Error + Send + Sync> = error.into();
    Failed { error, type_name: std::any::type_name::<E>(), as_error: |error| &**error, own: None }.into()
}

/// An error that a function returned with `Err`.
struct Failed<E> {
    error: E,
    /// What its type is called, where it does not give itself a name.
    type_name: &'static str,
    as_error: fn(&E) -> &(dyn Error + 'static),
    /// What it says of itself.
    own: Option<fn(&E) -> &dyn ExecutionError>,
}

impl<E> Failed<E> {
    fn own(&self) -> Option<&dyn ExecutionError> {
        self.own.map(|own| own(&self.error))
    }

    fn as_error(&self) -> &(dyn Error + 'static) {
        (self.as_error)(&self.error)
    }
}

impl<E> Display for Failed<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&failure::message(self.as_error()))
    }
}

impl<E: Send> ExecutionError for Failed<E> {
    fn error_type(&self) -> &str {
        let said = self.own().map(ExecutionError::error_type).or_else(|| failure::error_type(self.as_error()));
        said.unwrap_or(self.type_name)
    }

    fn disposition(&self) -> Disposition {
        match self.own().map(ExecutionError::disposition) {
            Some(decided) if decided != Disposition::Retry => decided,
            // What only asks for a retry as usual leaves it to its causes.
            _ => failure::disposition(self.as_error()),
        }
    }
}
