//! Errors with their causes, and panics, as text.
//!
//! `Debug` of a public error is its sentence and its causes, because that is what `main` prints of an error that it returns:
//! [`debug_as_sentence!`](crate::debug_as_sentence) implements it.

use std::{
    any::Any,
    error::Error,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
};

/// An error and its causes, from the outside in.
pub(crate) fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| -> Option<&'a (dyn Error + 'static)> {
        (*error).source()
    })
}

/// An error with all its causes, without those that only repeat what was said before them.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = String::new();
    for cause in causes(error) {
        match cause.to_string() {
            cause if text.is_empty() => text = cause,
            cause if text.contains(&cause) => {}
            cause => text = format!("{text}: {cause}"),
        }
    }
    text
}

/// Implements `Debug` for errors as their sentence, followed by their causes. Not public API.
#[doc(hidden)]
#[macro_export]
macro_rules! debug_as_sentence {
    ($($error:ty),* $(,)?) => {
        $(impl ::std::fmt::Debug for $error {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                $crate::__private::write_chain(self, f)
            }
        })*
    };
}

/// Writes an error with all its causes.
pub fn write_chain(error: &(dyn Error + 'static), f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str(&chain(error))
}

/// Calls `action`, and turns a panic into its message.
pub(crate) fn catch<T>(action: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(action)).map_err(message)
}

/// What a panic said. A payload may itself panic when it is dropped: that one is given up.
pub(crate) fn message(panic: Box<dyn Any + Send>) -> String {
    let message = match panic.downcast_ref::<&str>() {
        Some(message) => (*message).to_owned(),
        None => panic.downcast_ref::<String>().cloned().unwrap_or_else(|| "a panic without message".to_owned()),
    };
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
        std::mem::forget(second);
    }
    message
}
