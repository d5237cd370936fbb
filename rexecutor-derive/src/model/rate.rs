//! `rate_limit = "100/1m"`.

use syn::LitStr;

use crate::duration;

/// So many jobs in so much time.
pub(crate) struct Rate {
    pub(crate) jobs: u32,
    pub(crate) period_millis: u64,
}

/// 366 days: how long the bucket of a rate may take to fill.
const MAX_MILLIS: u64 = 366 * 24 * 60 * 60 * 1_000;

impl Rate {
    /// Reads `100/1m`, or `10/s` for `10/1s`.
    pub(super) fn parse(text: &LitStr) -> syn::Result<Self> {
        let value = text.value();
        let error = |message: String| syn::Error::new_spanned(text, message);
        let example =
            || error(format!("`{value}` is no rate; write a number of jobs and a time, as \"100/1m\" or \"10/s\""));
        let (jobs, period) = value.split_once('/').ok_or_else(example)?;
        let jobs: u32 = jobs.trim().replace('_', "").parse().map_err(|_| example())?;
        if jobs == 0 {
            return Err(error("a rate of no jobs lets none start; the least is 1".to_owned()));
        }
        let period = period.trim();
        let period = if period.starts_with(|first: char| first.is_ascii_digit()) {
            LitStr::new(period, text.span())
        } else {
            LitStr::new(&format!("1{period}"), text.span())
        };
        let period_millis = duration::millis(&period)?;
        if period_millis > MAX_MILLIS {
            return Err(error(format!("`{value}`: the time of a rate is at most 366 days")));
        }
        Ok(Self { jobs, period_millis })
    }
}
