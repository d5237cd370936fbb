//! The `#[job]` attribute of rexecutor and the `#[test]` of rexecutor-testing, documented where they are re-exported.

mod args;
mod duration;
mod errors;
mod expand;
mod expectation;
mod fallback;
mod model;
mod pattern;
mod signature;
mod surroundings;
mod synonyms;
mod test_attribute;
#[cfg(test)]
mod tests;

use proc_macro::TokenStream;

/// See `rexecutor::job`.
#[proc_macro_attribute]
pub fn job(args: TokenStream, item: TokenStream) -> TokenStream {
    job_tokens(args.into(), item.into(), surroundings::Source::of_attribute).into()
}

/// See `rexecutor_testing::test`.
#[proc_macro_attribute]
pub fn test(args: TokenStream, item: TokenStream) -> TokenStream {
    test_attribute::expand(args.into(), item.into()).into()
}

/// What `rexecutor::assert_enqueued!` and its kin expand to.
#[doc(hidden)]
#[proc_macro]
pub fn expectation(tokens: TokenStream) -> TokenStream {
    expectation::expand(tokens.into()).into()
}

fn job_tokens(
    args: proc_macro2::TokenStream,
    item: proc_macro2::TokenStream,
    source: impl FnOnce() -> Option<surroundings::Source>,
) -> proc_macro2::TokenStream {
    let job = match model::Job::parse(args, item.clone()) {
        Ok(job) => job,
        Err(errors) => return fallback::fallback(item, errors),
    };
    let mistake = source().and_then(|source| source.mistake(&job.function.sig.ident, &job.executor));
    match mistake {
        Some(mistake) => fallback::misplaced(&job, mistake),
        None => expand::job(&job),
    }
}
