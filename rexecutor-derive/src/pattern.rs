//! Patterns in which text stands for a `String`.
//!
//! Rust matches no `String` against a literal. So each literal becomes a name, and a guard that compares.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{
    Lit, LitStr, Pat,
    visit_mut::{self, VisitMut},
};

use crate::errors::Errors;

/// The pattern without its texts, and the guards that stand for them.
pub(crate) fn without_texts(pattern: &Pat, errors: &mut Errors) -> (Pat, Vec<TokenStream>) {
    // What is matched is a reference already.
    let mut pattern = match pattern {
        Pat::Reference(reference) => (*reference.pat).clone(),
        pattern => pattern.clone(),
    };
    let mut visitor = Texts { guards: Vec::new(), errors, is_alternative: false };
    visitor.visit_pat_mut(&mut pattern);
    (pattern, visitor.guards)
}

struct Texts<'a> {
    guards: Vec<TokenStream>,
    errors: &'a mut Errors,
    /// Whether the pattern is one of several, which must all have the same names.
    is_alternative: bool,
}

impl VisitMut for Texts<'_> {
    fn visit_pat_mut(&mut self, pattern: &mut Pat) {
        if let Some(texts) = texts(pattern) {
            if self.is_alternative {
                let words =
                    "text cannot stand in one of several patterns: write one pattern, or `data_matches: |data| ..`";
                self.errors.push(&*pattern, words);
                return;
            }
            let name = format_ident!("text_{}", self.guards.len());
            self.guards.push(quote!([#(#texts),*].contains(&::core::convert::AsRef::<str>::as_ref(#name))));
            *pattern = syn::parse_quote!(#name);
            return;
        }
        let was = self.is_alternative;
        self.is_alternative |= matches!(pattern, Pat::Or(or) if or.cases.len() > 1);
        visit_mut::visit_pat_mut(self, pattern);
        self.is_alternative = was;
    }
}

/// The texts, if the pattern is nothing but one text or several.
fn texts(pattern: &Pat) -> Option<Vec<LitStr>> {
    match pattern {
        Pat::Lit(literal) => match &literal.lit {
            Lit::Str(text) => Some(vec![text.clone()]),
            _ => None,
        },
        Pat::Paren(inner) => texts(&inner.pat),
        Pat::Or(or) => or.cases.iter().map(texts).collect::<Option<Vec<_>>>().map(|all| all.concat()),
        _ => None,
    }
}
