//! What `#[job]` writes: the function as it is, a unit struct, its `Executor` impl, and its registration.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::{Attribute, ReturnType, Type, parse_quote, spanned::Spanned};

mod consts;
mod cost;
mod middleware;
mod output;
mod registration;
mod upstream;

pub(crate) use self::output::ok;
use self::{consts::consts, middleware::middleware, output::output, registration::registration, upstream::upstream};
use crate::{
    args::shown,
    model::{
        Backoff, Cron, Job, Retain, Unique,
        backoff::Curve,
        unique::{By, Kind},
    },
    signature::First,
};

pub(crate) fn job(job: &Job) -> TokenStream {
    let Job { function, executor, krate, .. } = job;
    let (vis, ident) = (&function.vis, &function.sig.ident);
    let cfgs: Vec<&Attribute> = named(&function.attrs, &["cfg"]);
    let on_struct = named(&function.attrs, &["doc", "cfg", "deprecated", "allow", "expect", "warn", "deny", "forbid"]);
    let settings = settings(job);
    let (data, metadata) = types(job);
    let consts = consts(job);
    let functions = functions(job);
    let execute = execute(job);
    let registration = registration(job);
    let (output, output_check) = (output(job), output::check(job));
    let upstream = upstream(job);
    // That a call of a debounced job replaces another is what it is for.
    let enqueued = match &job.unique {
        Some(unique) if unique.kind == Kind::Unique => quote!(#krate::backend::UniqueEnqueued<Self>),
        _ => quote!(#krate::job::JobHandle<Self>),
    };
    let enqueue_doc =
        format!("Enqueues a `{}` job on the global backend, and returns once it is stored.", job.name.value());
    quote! {
        #function

        #(#on_struct)*
        #[doc = ""]
        #[doc = #settings]
        #[derive(Debug, Clone, Copy)]
        #vis struct #executor;

        #(#cfgs)*
        #[allow(deprecated)]
        #[#krate::__private::async_trait]
        impl #krate::Executor for #executor {
            type Data = #data;
            type Metadata = #metadata;
            #consts
            #functions
            #execute
        }

        #(#cfgs)*
        #[allow(deprecated)]
        #output

        #(#cfgs)*
        #[allow(deprecated)]
        #upstream

        #(#cfgs)*
        #[allow(deprecated, dead_code)]
        impl #executor {
            /// Begins to build a job of this kind.
            #vis fn builder<'a>() -> #krate::job::builder::JobBuilder<'a, Self> {
                <Self as #krate::ExecutorExt>::builder()
            }

            #[doc = #enqueue_doc]
            ///
            /// # Errors
            ///
            /// As `JobBuilder::enqueue` does, to which this is short.
            #vis async fn enqueue(
                data: <Self as #krate::Executor>::Data,
            ) -> ::core::result::Result<#enqueued, #krate::job::builder::EnqueueError> {
                let enqueued = <Self as #krate::ExecutorExt>::builder().with_data(data).enqueue().await?;
                ::core::result::Result::Ok(::core::convert::From::from(enqueued))
            }
        }

        #(#cfgs)*
        #[allow(deprecated)]
        const _: () = {
            // What is defined here is what runs: the function may be called by nobody else.
            let _ = #ident;
            #output_check
            #registration
        };
    }
}

fn named<'a>(attributes: &'a [Attribute], names: &[&str]) -> Vec<&'a Attribute> {
    attributes.iter().filter(|attribute| names.iter().any(|name| attribute.path().is_ident(name))).collect()
}

/// The line that hovering shows.
fn settings(job: &Job) -> String {
    let Job { name, max_attempts, max_concurrency, priority, timeout, is_blocking, retain, crons, words: said, .. } =
        job;
    let cluster_concurrency = job.cluster_concurrency.as_ref();
    let mut words = vec![format!("The job `{}`", name.value())];
    words.extend(job.aliases.iter().map(|alias| format!("formerly `{}`", alias.value())));
    words.extend(is_blocking.then(|| "blocking".to_owned()));
    words.extend(max_attempts.as_ref().map(|attempts| format!("at most {} attempts", shown(attempts))));
    words.extend(said.backoff.as_ref().map(|backoff| format!("backoff `{backoff}`")));
    words.extend(timeout.map(|millis| format!("times out after {}", time(millis))));
    words.extend(job.deadline.map(|millis| format!("of no use {} after it is enqueued", time(millis))));
    words.extend(max_concurrency.as_ref().map(|most| format!("at most {} at once on a node", shown(most))));
    words.extend(cluster_concurrency.map(|most| format!("at most {} at once on all nodes", shown(most))));
    words.extend(said.keyed.as_ref().map(|keyed| format!("of each key on all nodes `{keyed}`")));
    words.extend(said.ordered.as_ref().map(|key| format!("one after another of each key on all nodes `{key}`")));
    words.extend(cost::shown(job));
    words.extend(job.limits.iter().map(|limit| format!("shares the limit `{}`", shown(limit))));
    words.extend(job.middleware.iter().map(|layer| format!("within `{}`", shown(layer))));
    words.extend(job.max_pending.as_ref().map(|most| format!("at most {} waiting", shown(most))));
    words.extend(said.circuit_breaker.as_ref().map(|breaker| format!("circuit breaker `{breaker}`")));
    words.extend(priority.as_ref().map(|priority| format!("priority {}", shown(priority))));
    words.extend(job.aging.map(|millis| format!("one priority more urgent for each {} that it waits", time(millis))));
    let is_unique = job.unique.as_ref().is_some_and(|unique| unique.kind == Kind::Unique);
    words.extend(said.unique.as_ref().map(|words| match is_unique {
        true => format!("unique `{words}`"),
        false => format!("`{words}`"),
    }));
    words.extend(retain.map(|retain| match retain {
        Retain::Forever => "kept until a pruner deletes it".to_owned(),
        Retain::Nothing => "deleted as soon as it is complete".to_owned(),
        Retain::Millis(millis) => format!("deleted {} after its end", time(millis)),
    }));
    words.extend(job.is_never_rerun.then(|| "never run again by hand once it is complete".to_owned()));
    words.extend(crons.iter().map(Cron::shown));
    format!("{}.", words.join(", "))
}

fn time(millis: u64) -> String {
    format!("{:?}", std::time::Duration::from_millis(millis))
}

fn types(job: &Job) -> (Type, Type) {
    match &job.signature.first {
        First::Unit => (parse_quote!(()), parse_quote!(())),
        First::Data(data) => ((**data).clone(), parse_quote!(())),
        First::Job(data, metadata) => ((**data).clone(), (**metadata).clone()),
    }
}

fn delta(job: &Job, millis: u64) -> TokenStream {
    let krate = &job.krate;
    // Under the limit of 1,000 years, so the sign is never reached.
    let millis = i64::try_from(millis).unwrap_or(i64::MAX);
    quote!(#krate::TimeDelta::milliseconds(#millis))
}

fn criteria(job: &Job, unique: &Unique) -> TokenStream {
    let krate = &job.krate;
    let module = quote!(#krate::job::uniqueness_criteria);
    if unique.kind != Kind::Unique {
        return windows(job, unique);
    }
    let mut criteria = match &unique.by {
        By::Data => quote!(#module::UniquenessCriteria::by_data()),
        By::Nothing => quote!(#module::UniquenessCriteria::by_executor()),
        By::Key(_) => quote!(#module::UniquenessCriteria::by_key(&key).and_executor()),
    };
    if let Some(millis) = unique.within_millis {
        let within = delta(job, millis);
        criteria.extend(quote!(.and_within(#within)));
    }
    if let Some(statuses) = &unique.statuses {
        criteria.extend(quote!(.for_statuses(&[#(#krate::JobStatus::#statuses),*])));
    }
    if let [first, rest @ ..] = unique.replace.as_slice() {
        let rest = rest.iter().map(|field| format_ident!("and_{field}"));
        criteria.extend(quote!(.on_conflict(#module::Replace::#first()#(.#rest())*)));
    }
    criteria
}

/// `debounce` and `throttle`.
fn windows(job: &Job, unique: &Unique) -> TokenStream {
    let krate = &job.krate;
    let within = delta(job, unique.within_millis.unwrap_or_default());
    let method = match unique.kind {
        Kind::Debounce { longest_millis } => {
            let longest = delta(job, longest_millis);
            quote!(debounce(#within, #longest))
        }
        _ => quote!(throttle(#within)),
    };
    let key = matches!(unique.by, By::Key(_)).then(|| quote!(.and_key(&key)));
    quote!(#krate::job::uniqueness_criteria::UniquenessCriteria::#method #key)
}

fn functions(job: &Job) -> TokenStream {
    let krate = &job.krate;
    let typed = quote!(#krate::Job<Self::Data, Self::Metadata>);
    let timeout = job.timeout.map(|millis| {
        quote! {
            fn timeout(_job: &#typed) -> ::core::option::Option<::core::time::Duration> {
                ::core::option::Option::Some(::core::time::Duration::from_millis(#millis))
            }
        }
    });
    let backoff = job.backoff.as_ref().map(|backoff| {
        let delay = match backoff {
            Backoff::Function(path) => quote_spanned!(path.span()=> #path(job.attempt)),
            Backoff::Curve(curve) => strategy(job, curve),
        };
        quote!(fn backoff(job: &#typed) -> #krate::TimeDelta { #delay })
    });
    let unique = job.unique.as_ref().and_then(|unique| match &unique.by {
        By::Key(closure) => Some((closure, criteria(job, unique))),
        _ => None,
    });
    let uniqueness = unique.map(|(closure, criteria)| {
        let (pattern, body) = (&closure.inputs[0], &closure.body);
        quote! {
            fn uniqueness(
                data: &Self::Data,
            ) -> ::core::option::Option<#krate::job::uniqueness_criteria::UniquenessCriteria<'static>> {
                let key = { let #pattern = data; #body };
                ::core::option::Option::Some(#criteria)
            }
        }
    });
    let keyed = job.keyed.as_ref().map(|keyed| &keyed.key).or(job.ordered.as_ref().map(|ordered| &ordered.key));
    let (key, weight) = (keyed.or(job.per.as_ref()), cost::weight(job));
    let group_key = key.map(|key| {
        let (pattern, body) = (&key.inputs[0], &key.body);
        quote! {
            #[allow(unused_parens)]
            fn group_key(data: &Self::Data) -> ::core::option::Option<#krate::executor::GroupKey> {
                let #pattern = data;
                // Borrowed, so that a text need not be copied.
                ::core::option::Option::Some(#krate::executor::GroupKey::of(&(#body)))
            }
        }
    });
    let middleware = middleware(job);
    quote!(#timeout #backoff #uniqueness #group_key #weight #middleware)
}

fn strategy(job: &Job, curve: &Curve) -> TokenStream {
    let krate = &job.krate;
    let Curve { name, base, power, max, min, jitter } = curve;
    let base = delta(job, *base);
    let power = power.iter();
    let mut strategy = quote!(#krate::backoff::BackoffStrategy::#name(#base #(, #power)*));
    for (method, millis) in [("with_max", max), ("with_min", min)] {
        let (method, delta) = (format_ident!("{method}"), millis.map(|millis| delta(job, millis)));
        strategy.extend(delta.map(|delta| quote!(.#method(#delta))));
    }
    strategy.extend(jitter.as_ref().map(|part| quote!(.with_jitter(#krate::backoff::Jitter::Relative(#part)))));
    quote!(#krate::backoff::Strategy::backoff(&const { #strategy }, job.attempt))
}

fn execute(model: &Job) -> TokenStream {
    let Job { krate, function, signature, .. } = model;
    let ident = &function.sig.ident;
    let names: Vec<_> = (0..signature.extracted.len()).map(|position| format_ident!("extracted_{position}")).collect();
    // One name wherever it stands: tokens that take the span of a user's type would else not see each other.
    let [context, job] = ["context", "job"].map(|name| format_ident!("{name}"));
    let extracts = names.iter().zip(&signature.extracted).map(|(name, ty)| {
        quote_spanned! {ty.span()=>
            let #name = match (&&#krate::__private::Parameter::<#ty>::NEW).take(&#context).await {
                ::core::result::Result::Ok(value) => value,
                ::core::result::Result::Err(result) => return result,
            };
        }
    });
    let clone = (!names.is_empty()).then(|| {
        quote! {
            #[allow(unused_imports)]
            use #krate::__private::{Extracted as _, NotExtracted as _};
            let #context = ::core::clone::Clone::clone(#job.context());
        }
    });
    let first = match &signature.first {
        First::Unit => None,
        First::Data(_) => Some(quote!(#job.data,)),
        First::Job(..) => Some(quote!(#job,)),
    };
    let output = match &function.sig.output {
        ReturnType::Default => ident.span(),
        ReturnType::Type(_, ty) => ty.span(),
    };
    // What is wrong with its type is told where the type is written.
    let returned = format_ident!("returned", span = output);
    // The traits are in scope for this call alone; it takes the first that fits the type.
    let traits = quote!(
        use #krate::__private::{Converted as _, Decides as _, Hidden as _, Typed as _};
    );
    let result = quote_spanned! {output=>
        #[allow(unused_imports)]
        #traits
        (&&&&#krate::__private::Returned::of(&#returned)).result_of(#returned)
    };
    // At the function, so that what is wrong with its future is told there. A job without parameters looks at nothing.
    quote_spanned! {ident.span()=>
        #[allow(unused_variables, clippy::let_unit_value, clippy::unit_arg)]
        async fn execute(#job: #krate::Job<Self::Data, Self::Metadata>) -> #krate::ExecutionResult {
            #clone
            #(#extracts)*
            let #returned = #ident(#first #(#names),*).await;
            #result
        }
    }
}
