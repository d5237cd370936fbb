//! What surrounds the runs of a job.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use crate::model::Job;

pub(super) fn middleware(job: &Job) -> Option<TokenStream> {
    let (krate, count) = (&job.krate, job.middleware.len());
    // At the user's own words, so that what is no middleware is told there.
    let layers = job.middleware.iter().map(|layer| quote_spanned!(layer.span()=> &#layer));
    (count > 0).then(|| {
        quote! {
            fn middleware() -> &'static [&'static dyn #krate::middleware::Middleware] {
                // A static may refer to others that can change, and a constant may not.
                static __AROUND_THE_JOB: [&'static dyn #krate::middleware::Middleware; #count] = [#(#layers),*];
                &__AROUND_THE_JOB
            }
        }
    })
}
