//! Errors that are looked for where their type is hidden: in a `Box<dyn Error>`, or as the cause of another error.

use std::error::Error;

use super::disposition::ExecutionError;

/// A type that [`execution_error!`](crate::execution_error) has made known. Not public API.
#[doc(hidden)]
#[derive(Debug)]
pub struct KnownError(View);

/// The error as what it is, if it is of this type.
type View = for<'a> fn(&'a (dyn Error + 'static)) -> Option<&'a dyn ExecutionError>;

inventory::collect!(KnownError);

impl KnownError {
    /// This type.
    pub const fn of<E: ExecutionError + Error + 'static>() -> Self {
        Self(|error| error.downcast_ref::<E>().map(|error| error as &dyn ExecutionError))
    }
}

/// The error as what it is, if its type is known.
pub(super) fn find<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a dyn ExecutionError> {
    inventory::iter::<KnownError>().find_map(|known| (known.0)(error))
}

/// Has these types looked for wherever a job's error hides them: in a `Box<dyn Error + Send + Sync>`, in an `anyhow::Error`, as
/// the cause of another error. Each is an [`ExecutionError`](crate::ExecutionError) and a `std::error::Error`.
///
/// Write it once for a type, beside it. A job that returns the type itself needs no such thing.
///
/// # Examples
///
/// ```
/// use rexecutor::prelude::*;
///
/// #[derive(Debug, thiserror::Error)]
/// #[error("the card was declined")]
/// struct Declined;
///
/// impl ExecutionError for Declined {
///     fn error_type(&self) -> &str {
///         "declined"
///     }
///
///     fn disposition(&self) -> Disposition {
///         Disposition::Discard
///     }
/// }
///
/// rexecutor::execution_error!(Declined);
///
/// #[job]
/// async fn charge_card(_card: String) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
///     Err(Declined)? // the job is discarded
/// }
/// ```
#[macro_export]
macro_rules! execution_error {
    ($($error:ty),+ $(,)?) => {
        $(
            const _: () = {
                $crate::__private::submit! { $crate::__private::KnownError::of::<$error>() }
            };
        )+
    };
}
