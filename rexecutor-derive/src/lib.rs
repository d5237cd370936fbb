//! The `#[job]` attribute of rexecutor and the `#[test]` of rexecutor-testing, documented where they are re-exported.

mod args;
mod cron_expression;
mod duration;
mod errors;
mod expand;
mod model;
mod nearest;
mod signature;
mod test_attribute;
#[cfg(test)]
mod tests;

use proc_macro::TokenStream;

/// See `rexecutor::job`.
#[proc_macro_attribute]
pub fn job(args: TokenStream, item: TokenStream) -> TokenStream {
    job_tokens(args.into(), item.into()).into()
}

/// See `rexecutor_testing::test`.
#[proc_macro_attribute]
pub fn test(args: TokenStream, item: TokenStream) -> TokenStream {
    test_attribute::expand(args.into(), item.into()).into()
}

fn job_tokens(args: proc_macro2::TokenStream, item: proc_macro2::TokenStream) -> proc_macro2::TokenStream {
    match model::Job::parse(args, item.clone()) {
        Ok(job) => expand::job(&job),
        Err(errors) => expand::fallback(item, errors),
    }
}
