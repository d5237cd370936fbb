//! What the jobs of an executor give, by what the function returns.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{GenericArgument, PathArguments, ReturnType, Type, spanned::Spanned};

use crate::model::Job;

/// The impl that says it.
pub(super) fn output(job: &Job) -> TokenStream {
    let Job { krate, executor, function, .. } = job;
    let output = match &function.sig.output {
        ReturnType::Default => quote!(()),
        ReturnType::Type(_, ty) => match ok(ty) {
            // The type of the error stays out of it: it may be a private one.
            Some(ok) if is_unit(ok) => quote!(()),
            Some(ok) => quote_spanned!(ok.span()=> <#ok as #krate::executor::JobOutput>::Output),
            None if is_unit(ty) => quote!(()),
            None => quote_spanned!(ty.span()=> <#ty as #krate::__private::ReturnType>::Output),
        },
    };
    quote! {
        impl #krate::executor::HasOutput for #executor {
            type Output = #output;
        }
    }
}

/// Where the output was told by a name alone, which another type may have, the compiler looks again.
pub(super) fn check(job: &Job) -> Option<TokenStream> {
    let Job { krate, executor, function, .. } = job;
    match &function.sig.output {
        ReturnType::Type(_, ty) if arguments(ty).is_some_and(|arguments| arguments.len() == 1) => {
            Some(quote_spanned!(ty.span()=> #krate::__private::gives::<#ty, #executor>();))
        }
        _ => None,
    }
}

/// What stands in `Ok` of a `Result`, whose ever that is.
pub(crate) fn ok(ty: &Type) -> Option<&Type> {
    arguments(ty)?.into_iter().next()
}

fn arguments(ty: &Type) -> Option<Vec<&Type>> {
    let Type::Path(path) = ty else { return None };
    let segment = path.path.segments.last().filter(|segment| segment.ident == "Result")?;
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return None };
    let types = arguments.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    });
    Some(types.collect())
}

fn is_unit(ty: &Type) -> bool {
    matches!(ty, Type::Tuple(tuple) if tuple.elems.is_empty())
}
