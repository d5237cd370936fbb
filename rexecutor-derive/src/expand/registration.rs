//! Entering a job, and its schedules, in the registry.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::upstream;
use crate::model::{Cron, Job, policy::Missed};

pub(super) fn registration(job: &Job) -> TokenStream {
    let Job { krate, executor, signature, timeout, words, crons, .. } = job;
    let extracted = &signature.extracted;
    let requiring = (!extracted.is_empty()).then(|| {
        let requires = extracted
            .iter()
            .map(|ty| quote_spanned!(ty.span()=> (&&#krate::__private::Parameter::<#ty>::NEW).require(requirements);));
        quote!(.requiring(|requirements| {
            #[allow(unused_imports)]
            use #krate::__private::{Extracted as _, NotExtracted as _};
            #(#requires)*
        }))
    });
    // Here alone it counts whether the types can be extracted, so that the compiler says once that one cannot.
    let checks = extracted.iter().map(|ty| quote_spanned!(ty.span()=> #krate::__private::is_extracted::<#ty>();));
    let with_crons = (!crons.is_empty()).then(|| {
        let entries = crons.iter().map(|cron| entry(job, cron));
        quote!(.with_crons(&[#(#entries),*]))
    });
    let types = upstream::types(job);
    let timeout = timeout.iter().map(|millis| quote!(.with_timeout(::core::time::Duration::from_millis(#millis))));
    let backoff = words.backoff.iter().map(|words| quote!(.with_backoff(#words)));
    let unique = words.unique.iter().map(|words| quote!(.with_uniqueness(#words)));
    quote! {
        #(#checks)*
        #krate::__private::submit! {
            #krate::__private::with_schemas!(
                #krate::registry::Registration::of::<#executor>(::core::file!(), ::core::line!())
                    #types #(#timeout)* #(#backoff)* #(#unique)* #requiring #with_crons,
                #executor
            )
        }
    }
}

fn entry(job: &Job, cron: &Cron) -> TokenStream {
    let Job { krate, executor, .. } = job;
    let Cron { expression, options } = cron;
    let (timezone, data) = (cron.timezone(), options.data.iter());
    let jitter = options.jitter.iter();
    let date = |date: &Option<syn::LitStr>| match date {
        Some(date) => quote!(::core::option::Option::Some(#date)),
        None => quote!(::core::option::Option::None),
    };
    let (starts, ends) = (date(&options.starts), date(&options.ends));
    let has_dates = options.starts.is_some() || options.ends.is_some();
    let dates = has_dates.then(|| quote!(.with_dates(#starts, #ends)));
    let missed = options.missed.iter().map(|missed| match missed {
        Missed::Skip => quote!(Skip),
        Missed::Last => quote!(Last),
        Missed::All => quote!(All),
        Missed::AtMost(most) => quote!(AtMost(#most)),
    });
    let overlap = options.overlap.iter().map(|variant| Ident::new(variant, Span::call_site()));
    let name = options.entry.iter();
    quote! {
        #krate::registry::CronEntry::new(
            #expression,
            #timezone,
            || <#executor as #krate::ExecutorExt>::builder()#(.with_data(#data))*.encode(),
        )
        #(.with_jitter(::core::time::Duration::from_millis(#jitter)))* #dates
        #(.with_missed_ticks(#krate::schedule::MissedTicks::#missed))*
        #(.with_overlap(#krate::schedule::Overlap::#overlap))*
        #(.with_entry(#name))*
    }
}
