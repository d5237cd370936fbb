//! `Debug` of an error is its sentence, because that is what `main` prints of an error that it returns.

/// Implements `Debug` for errors as their sentence, followed by its cause.
macro_rules! debug_as_sentence {
    ($($error:ty),* $(,)?) => {
        $(impl ::std::fmt::Debug for $error {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                let cause = ::std::error::Error::source(self).map(|cause| format!(": {cause}"));
                write!(f, "{self}{}", cause.unwrap_or_default())
            }
        })*
    };
}

pub(crate) use debug_as_sentence;
