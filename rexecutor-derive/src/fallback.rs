//! What `#[job]` writes where something is wrong: the mistakes, and the function as it is.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{ItemFn, ext::IdentExt};

use crate::{
    model::{Job, executor_of},
    surroundings::Mistake,
};

/// The function alone, so that one mistake is one error and editors keep working.
pub(crate) fn fallback(item: TokenStream, errors: syn::Error) -> TokenStream {
    let errors = errors.to_compile_error();
    // What names the struct would only add to the errors, so it is there.
    let function = syn::parse2::<ItemFn>(item.clone()).ok().filter(|function| function.sig.receiver().is_none());
    let executor = function.map(|function| {
        let (vis, name) = (&function.vis, executor_of(&function.sig.ident));
        quote!(#[doc(hidden)] #[allow(dead_code, missing_docs, missing_debug_implementations)] #vis struct #name;)
    });
    quote!(#errors #item #executor)
}

/// The function alone, where what belongs to it cannot stand beside it.
pub(crate) fn misplaced(job: &Job, mistake: Mistake) -> TokenStream {
    let Job { function, executor, .. } = job;
    let name = &function.sig.ident;
    let words = match mistake {
        Mistake::InImpl => format!(
            "a job is a free function, with a struct beside it: move `{}` out of the `impl`, and give it what it needs as \
             its data or as `State<..>`",
            name.unraw()
        ),
        Mistake::NameIsTaken => format!(
            "the struct of this job would be called `{executor}`, and something else is; give it another name, as in \
             `#[job(executor = {executor}Job)]`"
        ),
    };
    let error = syn::Error::new_spanned(name, words).to_compile_error();
    quote!(#error #[allow(dead_code)] #function)
}
