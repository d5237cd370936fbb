//! All the mistakes of one use, shown at once.

use std::fmt::Display;

use proc_macro2::Span;
use quote::ToTokens;

/// All the mistakes of one use.
#[derive(Default)]
pub(crate) struct Errors(Option<syn::Error>);

impl Errors {
    /// Records a mistake at `tokens`; parsing goes on.
    pub(crate) fn push(&mut self, tokens: impl ToTokens, message: impl Display) {
        self.combine(syn::Error::new_spanned(tokens, message));
    }

    /// Records a mistake at a place that has no tokens of its own.
    pub(crate) fn push_at(&mut self, span: Span, message: impl Display) {
        self.combine(syn::Error::new(span, message));
    }

    pub(crate) fn combine(&mut self, error: syn::Error) {
        match &mut self.0 {
            Some(first) => first.combine(error),
            None => self.0 = Some(error),
        }
    }

    /// Keeps the value, or records why there is none.
    pub(crate) fn keep<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.combine(error)).ok()
    }

    pub(crate) fn into_result<T>(self, value: Option<T>) -> Result<T, syn::Error> {
        match (self.0, value) {
            (None, Some(value)) => Ok(value),
            (Some(error), _) => Err(error),
            (None, None) => Err(syn::Error::new(Span::call_site(), "this is no job")),
        }
    }
}
