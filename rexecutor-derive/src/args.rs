//! Reading what stands in the parentheses of `#[job(..)]`, with its spans.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use rexecutor_schedule::nearest;
use syn::{
    Expr, Lit, LitStr, Token,
    ext::IdentExt,
    parse::{ParseStream, Parser},
    token,
};

use crate::{errors::Errors, synonyms};

/// One argument: `name = value`, `name(..)` or `name`.
pub(crate) struct Arg {
    pub(crate) name: Ident,
    pub(crate) value: Value,
}

pub(crate) enum Value {
    /// `name = expression`
    Is(Expr),
    /// `name(..)`
    List(TokenStream),
    /// `name`
    Flag,
}

/// Reads arguments; what is no argument is a mistake, and reading goes on behind the next comma.
pub(crate) fn parse(tokens: TokenStream, known: &[&str], repeatable: &[&str], errors: &mut Errors) -> Vec<Arg> {
    let mut args: Vec<Arg> = Vec::new();
    for arg in errors.keep(all.parse2(tokens)).into_iter().flatten() {
        let Some(arg) = errors.keep(arg) else { continue };
        let name = arg.name.unraw().to_string();
        if !known.contains(&name.as_str()) {
            let hint = synonyms::hint(&name, known)
                .or_else(|| nearest(&name, known.iter().copied()).map(|meant| format!("did you mean `{meant}`?")))
                .unwrap_or_else(|| format!("expected one of {}", list(known)));
            errors.push(&arg.name, format!("unknown argument `{name}`; {hint}"));
        } else if !repeatable.contains(&name.as_str())
            && args.iter().any(|other| other.name.unraw() == arg.name.unraw())
        {
            errors.push(&arg.name, format!("`{name}` is given twice"));
        } else {
            args.push(arg);
        }
    }
    args
}

/// Every argument, or what is wrong with it.
fn all(input: ParseStream<'_>) -> syn::Result<Vec<syn::Result<Arg>>> {
    let mut args = Vec::new();
    while !input.is_empty() {
        let arg = parse_arg(input);
        let is_whole = arg.is_ok() && (input.is_empty() || input.peek(Token![,]));
        args.push(match arg {
            Ok(arg) if !is_whole => Err(input.error(format!("expected `,` after the value of `{}`", arg.name))),
            arg => arg,
        });
        while !input.is_empty() && !input.peek(Token![,]) {
            input.parse::<TokenTree>()?;
        }
        input.parse::<Option<Token![,]>>()?;
    }
    Ok(args)
}

fn list(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

fn parse_arg(input: ParseStream<'_>) -> syn::Result<Arg> {
    let name = Ident::parse_any(input)?;
    let value = if input.peek(Token![=]) {
        input.parse::<Token![=]>()?;
        if input.is_empty() || input.peek(Token![,]) {
            return Err(syn::Error::new_spanned(&name, format!("`{name}` has no value; write `{name} = ..`")));
        }
        Value::Is(input.parse()?)
    } else if input.peek(token::Paren) {
        let content;
        syn::parenthesized!(content in input);
        Value::List(content.parse()?)
    } else {
        Value::Flag
    };
    Ok(Arg { name, value })
}

impl Arg {
    /// The expression of `name = expression`.
    pub(crate) fn expr(&self) -> syn::Result<&Expr> {
        match &self.value {
            Value::Is(expr) => Ok(expr),
            _ => Err(self.error(format!("write `{} = ..`", self.name))),
        }
    }

    /// The text of `name = "text"`.
    pub(crate) fn text(&self, example: &str) -> syn::Result<&LitStr> {
        text(self.expr()?).ok_or_else(|| self.expected(&format!("text in quotes, as `{} = \"{example}\"`", self.name)))
    }

    /// A number, checked if it is written out; any constant of the type will do.
    pub(crate) fn number(&self, least: u64, most: u64) -> syn::Result<Expr> {
        let expr = self.expr()?;
        let number = match literal(expr) {
            Some(_) => integer(expr),
            None if matches!(expr, Expr::Unary(_)) => None,
            None => return Ok(expr.clone()),
        };
        match number {
            Some(number) if (least..=most).contains(&number) => Ok(expr.clone()),
            _ => Err(self.expected(&format!("a whole number from {least} to {most}"))),
        }
    }

    pub(crate) fn expected(&self, what: &str) -> syn::Error {
        match &self.value {
            Value::Is(expr) => syn::Error::new_spanned(expr, format!("`{}` is {what}", self.name)),
            _ => self.error(format!("`{}` is {what}", self.name)),
        }
    }

    pub(crate) fn error(&self, message: impl std::fmt::Display) -> syn::Error {
        syn::Error::new_spanned(&self.name, message)
    }
}

/// A list in brackets of texts.
pub(crate) fn texts(expr: &Expr) -> Option<Vec<LitStr>> {
    let Expr::Array(array) = expr else { return None };
    array.elems.iter().map(|element| text(element).cloned()).collect()
}

pub(crate) fn text(expr: &Expr) -> Option<&LitStr> {
    match literal(expr)? {
        Lit::Str(text) => Some(text),
        _ => None,
    }
}

/// A whole number that is written out.
pub(crate) fn integer(expr: &Expr) -> Option<u64> {
    match literal(expr)? {
        Lit::Int(number) => number.base10_parse().ok(),
        _ => None,
    }
}

fn literal(expr: &Expr) -> Option<&Lit> {
    match expr {
        Expr::Lit(literal) => Some(&literal.lit),
        // Macros by example hand expressions on in groups that cannot be seen.
        Expr::Group(group) => literal(&group.expr),
        _ => None,
    }
}

/// Words in a list, as `replace(priority, data)`.
pub(crate) fn words(tokens: TokenStream) -> syn::Result<Vec<Ident>> {
    let words = |input: ParseStream<'_>| input.parse_terminated(Ident::parse_any, Token![,]);
    Ok(words.parse2(tokens)?.into_iter().collect())
}

/// The tokens of a type or expression as a person reads them, for messages.
impl Arg {
    /// Its value as it was written; for a flag, what it stands for.
    pub(crate) fn shown(&self) -> String {
        match &self.value {
            Value::Is(expr) => shown(expr),
            Value::List(tokens) => shown(tokens),
            Value::Flag => "by = data".to_owned(),
        }
    }
}

pub(crate) fn shown(tokens: impl ToTokens) -> String {
    tokens.to_token_stream().to_string().replace(" < ", "<").replace(" >", ">").replace(" ,", ",")
}
