//! What a cron expression and a time zone must be, told at compile time.

use rexecutor_schedule::{TimeZone, problem};
use syn::LitStr;

/// Checks an expression with the very parser that will read it.
pub(crate) fn check_expression(literal: &LitStr) -> syn::Result<()> {
    problem(&literal.value()).map_or(Ok(()), |problem| Err(syn::Error::new_spanned(literal, problem)))
}

/// Checks the name of a time zone.
pub(crate) fn check_timezone(literal: &LitStr) -> syn::Result<()> {
    match literal.value().parse::<TimeZone>() {
        Ok(_) => Ok(()),
        Err(error) => Err(syn::Error::new_spanned(literal, error)),
    }
}
