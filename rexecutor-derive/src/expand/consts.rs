//! The constants of the `Executor` impl.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::{criteria, delta};
use crate::model::{Breaker, Job, Rate, Retain, unique::By};

pub(super) fn consts(job: &Job) -> TokenStream {
    let Job { krate, name, tags, max_attempts, max_concurrency, max_data_bytes, priority, .. } = job;
    let mut consts = quote!(const NAME: &'static str = #name;);
    let aliases = &job.aliases;
    if !aliases.is_empty() {
        consts.extend(quote!(const ALIASES: &'static [&'static str] = &[#(#aliases),*];));
    }
    consts.extend(max_attempts.as_ref().map(|value| quote!(const MAX_ATTEMPTS: u16 = #value;)));
    let key_concurrency = job.keyed.as_ref().map(|keyed| &keyed.limit);
    let counts = [
        ("MAX_CONCURRENCY", max_concurrency.as_ref()),
        ("CLUSTER_CONCURRENCY", job.cluster_concurrency.as_ref()),
        ("KEY_CONCURRENCY", key_concurrency),
        ("MAX_PENDING", job.max_pending.as_ref()),
    ];
    for (name, value) in counts {
        let name = format_ident!("{name}");
        consts.extend(
            value.map(
                |value| quote!(const #name: ::core::option::Option<usize> = ::core::option::Option::Some(#value);),
            ),
        );
    }
    consts.extend(max_data_bytes.as_ref().map(|value| quote!(const MAX_DATA_BYTES: usize = #value;)));
    consts.extend(priority.as_ref().map(|value| quote!(const PRIORITY: u16 = #value;)));
    consts.extend(job.aging.map(|millis| {
        quote! {
            const AGING: ::core::option::Option<::core::time::Duration> =
                ::core::option::Option::Some(::core::time::Duration::from_millis(#millis));
        }
    }));
    if !tags.is_empty() {
        consts.extend(quote!(const TAGS: &'static [&'static str] = &[#(#tags),*];));
    }
    if job.is_blocking {
        consts.extend(quote!(
            const BLOCKING: bool = true;
        ));
    }
    if job.is_never_rerun {
        consts.extend(quote!(const RERUN: #krate::executor::Rerun = #krate::executor::Rerun::Never;));
    }
    consts.extend(job.ordered.as_ref().map(|ordered| {
        let policy = format_ident!("{}", if ordered.halts { "Halt" } else { "Skip" });
        quote! {
            const ORDERED: ::core::option::Option<#krate::executor::OnDiscard> =
                ::core::option::Option::Some(#krate::executor::OnDiscard::#policy);
        }
    }));
    let limits = &job.limits;
    if !limits.is_empty() {
        consts.extend(quote!(const LIMITS: &'static [&'static #krate::executor::Limit] = &[#(&#limits),*];));
    }
    consts.extend(job.rate_limit.as_ref().map(|rate| rate_limit(job, rate)));
    consts.extend(job.circuit_breaker.as_ref().map(|breaker| circuit_breaker(job, breaker)));
    if job.weight.is_some() {
        consts.extend(quote!(
            const WEIGHS: bool = true;
        ));
    }
    if let Some(millis) = job.deadline {
        let (krate, deadline) = (&job.krate, delta(job, millis));
        consts.extend(quote! {
            const DEADLINE: ::core::option::Option<#krate::TimeDelta> = ::core::option::Option::Some(#deadline);
        });
    }
    let retention = job.retain.map(|retain| match retain {
        Retain::Forever => quote!(Forever),
        Retain::Nothing => quote!(None),
        Retain::Millis(millis) => {
            let delta = delta(job, millis);
            quote!(For(#delta))
        }
    });
    consts.extend(
        retention.map(
            |variant| quote!(const RETENTION: #krate::executor::Retention = #krate::executor::Retention::#variant;),
        ),
    );
    if let Some(unique) = job.unique.as_ref().filter(|unique| !matches!(unique.by, By::Key(_))) {
        let criteria = criteria(job, unique);
        consts.extend(quote! {
            const UNIQUENESS_CRITERIA:
                ::core::option::Option<#krate::job::uniqueness_criteria::UniquenessCriteria<'static>> =
                ::core::option::Option::Some(#criteria);
        });
    }
    consts
}

fn circuit_breaker(job: &Job, breaker: &Breaker) -> TokenStream {
    let (krate, Breaker { after, within_millis, pause_millis }) = (&job.krate, breaker);
    quote! {
        const CIRCUIT_BREAKER: ::core::option::Option<#krate::executor::CircuitBreaker> = ::core::option::Option::Some(
            #krate::executor::CircuitBreaker::new(
                #after,
                ::core::time::Duration::from_millis(#within_millis),
                ::core::time::Duration::from_millis(#pause_millis),
            )
        );
    }
}

fn rate_limit(job: &Job, rate: &Rate) -> TokenStream {
    let (krate, Rate { jobs, period_millis }) = (&job.krate, rate);
    let burst = job.burst.as_ref().map(|burst| quote!(.with_burst(#burst)));
    let name = format_ident!("{}", if job.per.is_some() { "KEY_RATE" } else { "RATE_LIMIT" });
    quote! {
        const #name: ::core::option::Option<#krate::executor::Rate> = ::core::option::Option::Some(
            #krate::executor::Rate::new(#jobs, ::core::time::Duration::from_millis(#period_millis))#burst
        );
    }
}
