//! `circuit_breaker(after = 20, within = "1m", pause = "5m")`.

use syn::Expr;

use crate::{
    args::{self, Arg, Value},
    duration,
    errors::Errors,
};

/// When a job is paused by itself, because its attempts keep failing.
pub(crate) struct Breaker {
    pub(crate) after: Expr,
    pub(crate) within_millis: u64,
    pub(crate) pause_millis: u64,
}

/// 366 days: the longest of its times.
const MAX_MILLIS: u64 = 366 * 24 * 60 * 60 * 1_000;

impl Breaker {
    pub(crate) fn parse(arg: &Arg, errors: &mut Errors) -> syn::Result<Self> {
        let Value::List(tokens) = &arg.value else {
            return Err(arg.error(
                "`circuit_breaker` is written as `circuit_breaker(after = 20, within = \"1m\", pause = \"5m\")`: after so many \
                 failed attempts within a time the job is paused for another one",
            ));
        };
        let args = args::parse(tokens.clone(), &["after", "within", "pause"], &[], errors);
        let named = |name: &str, example: &str| {
            let missing = || arg.error(format!("`circuit_breaker` has no `{name}`: add `{example}`"));
            args.iter().find(|arg| arg.name == name).ok_or_else(missing)
        };
        let time = |name: &str, example: &str| {
            let text = named(name, &format!("{name} = \"{example}\""))?.text(example)?;
            match duration::millis(text)? {
                millis if millis > MAX_MILLIS => {
                    Err(syn::Error::new_spanned(text, format!("`{name}` of a circuit breaker is at most 366 days")))
                }
                millis => Ok(millis),
            }
        };
        let after = named("after", "after = 20").and_then(|after| after.number(1, 1_000));
        let (within, pause) = (time("within", "1m"), time("pause", "5m"));
        // All three, so that each mistake is told at once.
        match (after, within, pause) {
            (Ok(after), Ok(within_millis), Ok(pause_millis)) => Ok(Self { after, within_millis, pause_millis }),
            (after, within, pause) => {
                let mut problems = [after.err(), within.err(), pause.err()].into_iter().flatten();
                let mut first = problems.next().unwrap_or_else(|| arg.error("it cannot be read"));
                problems.for_each(|problem| first.combine(problem));
                Err(first)
            }
        }
    }
}
