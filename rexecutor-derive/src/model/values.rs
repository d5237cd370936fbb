//! What the arguments of `#[job]` are.

use proc_macro2::Ident;
use syn::{Expr, LitStr, Path, ext::IdentExt};

use super::Retain;
use crate::{
    args::{self, Arg, Value},
    duration,
    errors::Errors,
};

pub(super) fn name(arg: &Arg) -> syn::Result<LitStr> {
    let name = arg.text("welcome_email")?;
    match name.value().len() {
        0 => Err(arg.expected("not empty: jobs are stored under it")),
        1..=255 => Ok(name.clone()),
        bytes => Err(arg.expected(&format!("at most 255 bytes, and this is {bytes}"))),
    }
}

pub(super) fn aliases(arg: &Arg, errors: &mut Errors) -> syn::Result<Vec<LitStr>> {
    let names = args::texts(arg.expr()?).filter(|names| !names.is_empty());
    let names = names.ok_or_else(|| arg.expected("a list of former names, as `aliases = [\"send_email\"]`"))?;
    for (place, name) in names.iter().enumerate() {
        match name.value().len() {
            1..=255 if names[..place].iter().any(|other| other.value() == name.value()) => {
                errors.push(name, "this former name is there twice");
            }
            1..=255 => {}
            bytes => errors.push(name, format!("a name has 1 to 255 bytes, and this has {bytes}")),
        }
    }
    Ok(names)
}

pub(super) fn ident(arg: &Arg) -> syn::Result<Ident> {
    match arg.expr()? {
        Expr::Path(path) if path.path.get_ident().is_some() => Ok(path.path.require_ident()?.clone()),
        _ => Err(arg.expected("the name of the struct to generate, as `executor = WelcomeEmail`")),
    }
}

pub(super) fn path(arg: &Arg) -> syn::Result<Path> {
    match arg.expr()? {
        Expr::Path(path) => Ok(path.path.clone()),
        _ => Err(arg.expected("the path of rexecutor, as `crate = my_crate::rexecutor`")),
    }
}

pub(super) fn flag(arg: &Arg) -> syn::Result<bool> {
    match &arg.value {
        Value::Flag => Ok(true),
        Value::Is(Expr::Lit(syn::ExprLit { lit: syn::Lit::Bool(value), .. })) => Ok(value.value),
        _ => Err(arg.expected("a flag: write it alone, or as `= true` or `= false`")),
    }
}

pub(super) fn tags(arg: &Arg) -> syn::Result<Vec<LitStr>> {
    let tags =
        args::texts(arg.expr()?).ok_or_else(|| arg.expected("a list of texts, as `tags = [\"mail\", \"slow\"]`"))?;
    match tags.iter().find(|tag| tag.value().len() > 255) {
        Some(long) => Err(syn::Error::new_spanned(long, "a tag has at most 255 bytes")),
        None => Ok(tags),
    }
}

pub(super) fn is_never(arg: &Arg) -> syn::Result<bool> {
    match arg.expr()? {
        Expr::Path(path) if path.path.is_ident("never") => Ok(true),
        Expr::Path(path) if path.path.is_ident("always") => Ok(false),
        _ => Err(arg.expected("`never` or `always`: whether a complete job may be run again by hand")),
    }
}

pub(super) fn retain(arg: &Arg) -> syn::Result<Retain> {
    let text = arg.text("7d")?;
    match text.value().as_str() {
        "none" => Ok(Retain::Nothing),
        "forever" => Ok(Retain::Forever),
        _ => duration::millis(text).map(Retain::Millis).map_err(|_| {
            arg.expected("how long complete jobs are kept: a duration as \"7d\", \"none\" or \"forever\"")
        }),
    }
}

/// `WelcomeEmail` for `welcome_email`.
fn pascal_case(name: &str) -> String {
    let mut pascal = String::with_capacity(name.len());
    for word in name.split('_') {
        let mut letters = word.chars();
        pascal.extend(letters.next().into_iter().flat_map(char::to_uppercase).chain(letters));
    }
    // `_` and `_1` leave nothing that could begin a name.
    match pascal.starts_with(|c: char| c.is_alphabetic()) {
        true => pascal,
        false => format!("Job{pascal}"),
    }
}

/// The struct that a function's job is called by, unless it says otherwise.
pub(crate) fn executor_of(function: &Ident) -> Ident {
    Ident::new(&pascal_case(&function.unraw().to_string()), function.span())
}
