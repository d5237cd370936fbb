//! What the jobs of an executor take from the tasks before them.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Type, spanned::Spanned};

use crate::{
    model::Job,
    signature::{arguments_of, last_segment},
};

/// The impl that says it.
pub(super) fn upstream(job: &Job) -> TokenStream {
    let Job { krate, executor, signature, .. } = job;
    let upstream = match signature.upstream() {
        Some((ty, _)) => quote_spanned!(ty.span()=> #ty),
        None => quote!(#krate::workflows::NoUpstream),
    };
    quote! {
        impl #krate::workflows::HasUpstream for #executor {
            type Upstream = #upstream;
        }
    }
}

/// What it gives and takes, to be compared while the program runs.
pub(super) fn types(job: &Job) -> TokenStream {
    let Job { krate, executor, signature, .. } = job;
    let private = quote!(#krate::__private);
    let with_upstream = signature.upstream().map(|(_, inner)| {
        let (whole, parts) = (part(&private, inner), parts(&private, inner));
        quote!(.with_upstream(#whole, #parts))
    });
    quote!(.with_types(|| #private::JobTypes::of::<#executor>() #with_upstream))
}

fn parts(private: &TokenStream, ty: &Type) -> TokenStream {
    match ty {
        Type::Tuple(tuple) if !tuple.elems.is_empty() => {
            let parts = tuple.elems.iter().map(|element| part(private, element));
            quote!(#private::Parts::Tuple(::std::vec![#(#parts),*]))
        }
        _ => match inner_of(ty, "Vec") {
            Some(element) => {
                let part = part(private, element);
                quote!(#private::Parts::List(#part))
            }
            None => quote!(#private::Parts::One),
        },
    }
}

fn part(private: &TokenStream, ty: &Type) -> TokenStream {
    let some = match inner_of(ty, "Option") {
        Some(inner) => quote!(::core::option::Option::Some(#private::TypeName::of::<#inner>())),
        None => quote!(::core::option::Option::None),
    };
    quote!(#private::Part { whole: #private::TypeName::of::<#ty>(), some: #some })
}

/// What is in a type of this name that has one argument.
fn inner_of<'t>(ty: &'t Type, name: &str) -> Option<&'t Type> {
    let segment = last_segment(ty).filter(|segment| segment.ident == name)?;
    arguments_of(segment).next()
}
