//! What a rate counts.

use proc_macro2::TokenStream;
use quote::quote;

use crate::{
    args,
    model::{Job, Rate, Weight},
};

/// How many tokens a job costs.
pub(super) fn weight(job: &Job) -> Option<TokenStream> {
    let krate = &job.krate;
    let function = match job.weight.as_ref()? {
        Weight::Always(weight) => quote! {
            fn weight(_data: &Self::Data) -> u32 {
                #weight
            }
        },
        Weight::Of(closure) => {
            let (pattern, body) = (&closure.inputs[0], &closure.body);
            quote! {
                #[allow(unused_parens)]
                fn weight(data: &Self::Data) -> u32 {
                    let #pattern = data;
                    #krate::__private::weight_of(#body)
                }
            }
        }
    };
    Some(function)
}

/// The rate, for people.
pub(super) fn shown(job: &Job) -> Vec<String> {
    let Some(Rate { jobs, period_millis }) = &job.rate_limit else { return Vec::new() };
    let what = if job.weight.is_some() { "tokens" } else { "starts" };
    let key = job.per.as_ref().map_or(String::new(), |per| format!(" for each `{}`", args::shown(&per.body)));
    vec![format!("at most {jobs} {what} in {}{key} on all nodes", super::time(*period_millis))]
}
