//! Durations, written as `30s` or `1h30m`.

use rexecutor_schedule::duration_millis;
use syn::LitStr;

/// The longest that an engine accepts: 1,000 years.
pub(crate) const MAX_MILLIS: u64 = 365_000 * 86_400_000;

/// The milliseconds of a duration, over zero.
pub(crate) fn millis(literal: &LitStr) -> syn::Result<u64> {
    let text = literal.value();
    let error = |message: String| Err(syn::Error::new_spanned(literal, message));
    match duration_millis(&text) {
        None => error(format!(
            "`{text}` is not a duration; write a whole number and a unit, as \"30s\" or \"1h30m\" (ms, s, m, h, d, w)"
        )),
        Some(0) => error("the duration must be over zero".to_owned()),
        Some(millis) if millis > MAX_MILLIS => error(format!("`{text}` is longer than 1,000 years")),
        Some(millis) => Ok(millis),
    }
}

/// The whole milliseconds that a string gives, of 366 days at most.
pub(crate) fn up_to_a_year(literal: &LitStr) -> syn::Result<u64> {
    const YEAR: u64 = 366 * 86_400_000;
    match millis(literal)? {
        millis if millis > YEAR => Err(syn::Error::new_spanned(literal, "at most a year, `366d`")),
        millis => Ok(millis),
    }
}
