//! The arguments of `assert_enqueued!` and its kin.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote};
use rexecutor_schedule::nearest;
use syn::{
    Expr, ExprClosure, LitInt, Pat, Path, Token, Type,
    parse::{Parse, ParseStream, Parser},
};

use crate::{errors::Errors, pattern};

const FIELDS: [&str; 12] = [
    "to",
    "for_executor",
    "with_data",
    "with_metadata",
    "data_matches",
    "data",
    "tagged_with",
    "scheduled_at",
    "scheduled_after",
    "scheduled_before",
    "with_status",
    "with_priority",
];

/// The whole call: where rexecutor is, which macro it was, and its arguments.
struct Call {
    krate: Path,
    kind: Ident,
    arguments: Vec<Argument>,
}

enum Argument {
    /// `3 jobs`
    Count(LitInt),
    Field(Ident, Box<Value>),
}

enum Value {
    Expr(Expr),
    Type(Type),
    Closure(ExprClosure),
    Pattern(Box<Pat>, Option<Expr>),
}

impl Parse for Call {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let (krate, kind) = (input.call(Path::parse_mod_style)?, input.parse()?);
        let mut arguments = Vec::new();
        while !input.is_empty() {
            arguments.push(input.parse()?);
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(Self { krate, kind, arguments })
    }
}

impl Parse for Argument {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.peek(LitInt) {
            let (count, word): (LitInt, Ident) = (input.parse()?, input.parse()?);
            return match word == "job" || word == "jobs" {
                true => Ok(Self::Count(count)),
                false => Err(syn::Error::new_spanned(&word, "write `1 job` or `3 jobs`")),
            };
        }
        let name: Ident = input.parse()?;
        let text = name.to_string();
        if !FIELDS.contains(&text.as_str()) {
            let hint = nearest(&text, FIELDS).map_or_else(
                || format!("expected a number of jobs, or one of `{}`", FIELDS.join("`, `")),
                |meant| format!("did you mean `{meant}`?"),
            );
            return Err(syn::Error::new_spanned(&name, format!("unknown field `{text}`; {hint}")));
        }
        input.parse::<Token![:]>()?;
        let value = match text.as_str() {
            "for_executor" => Value::Type(input.parse()?),
            "data_matches" => match input.parse()? {
                Expr::Closure(closure) if closure.inputs.len() == 1 => Value::Closure(closure),
                other => {
                    let words = "write what the data must be like, as `data_matches: |data| data.len() > 3`";
                    return Err(syn::Error::new_spanned(other, words));
                }
            },
            "data" => {
                let pattern = Pat::parse_multi_with_leading_vert(input)?;
                let guard = input.parse::<Option<Token![if]>>()?.map(|_| input.parse()).transpose()?;
                Value::Pattern(Box::new(pattern), guard)
            }
            _ => Value::Expr(input.parse()?),
        };
        Ok(Self::Field(name, Box::new(value)))
    }
}

pub(crate) fn expand(tokens: TokenStream) -> TokenStream {
    let call: Call = match Parser::parse2(Call::parse, tokens) {
        Ok(call) => call,
        Err(error) => return stand_in(&error),
    };
    let mut errors = Errors::default();
    let code = call.code(&mut errors);
    match errors.into_result(Some(code)) {
        Ok(code) => code,
        Err(error) => stand_in(&error),
    }
}

/// The mistake alone: as an expression, so that nothing else is told.
fn stand_in(error: &syn::Error) -> TokenStream {
    let error = error.to_compile_error();
    quote!({ #error })
}

impl Call {
    fn code(&self, errors: &mut Errors) -> TokenStream {
        let Self { krate, kind, arguments } = self;
        let executor = arguments.iter().find_map(|argument| match argument {
            Argument::Field(_, value) => match &**value {
                Value::Type(ty) => Some(ty),
                _ => None,
            },
            _ => None,
        });
        let mut seen: Vec<String> = Vec::new();
        let mut count = None;
        let mut backend = quote!(&*#krate::testing::global());
        let mut conditions = TokenStream::new();
        for argument in arguments {
            match argument {
                Argument::Count(number) if kind == "refuted" => {
                    errors.push(number, "no job at all is to match: leave the number out, or write `assert_enqueued!`");
                }
                Argument::Count(number) if count.is_some() => errors.push(number, "the number of jobs is given twice"),
                Argument::Count(number) => count = Some(number),
                Argument::Field(name, _) if seen.contains(&name.to_string()) => {
                    errors.push(name, format!("`{name}` is given twice"));
                }
                Argument::Field(name, value) => {
                    seen.push(name.to_string());
                    match &**value {
                        Value::Expr(to) if name == "to" => backend = quote!(#krate::testing::borrow(&(#to))),
                        value => conditions.extend(condition(krate, name, value, executor, errors)),
                    }
                }
            }
        }
        let count = count.map(|count| quote!(.exactly(#count)));
        quote! {
            if let ::core::result::Result::Err(failure) =
                #krate::testing::Expectation::#kind() #count #conditions .check(#backend).await
            {
                ::core::panic!("{}", failure)
            }
        }
    }
}

fn condition(krate: &Path, name: &Ident, value: &Value, executor: Option<&Type>, errors: &mut Errors) -> TokenStream {
    let (words, body) = match value {
        Value::Type(ty) => return quote!(.#name::<#ty>()),
        Value::Expr(expr) => {
            let by_reference = ["with_data", "with_metadata", "tagged_with"].iter().any(|field| name == field);
            return if by_reference { quote!(.#name(&(#expr))) } else { quote!(.#name(#expr)) };
        }
        Value::Closure(closure) => {
            let (pattern, body) = (&closure.inputs[0], &closure.body);
            (
                quote!(::core::concat!("|", ::core::stringify!(#pattern), "| ", ::core::stringify!(#body))),
                quote!({ let #pattern = data; #body }),
            )
        }
        Value::Pattern(pattern, guard) => {
            let words = match guard {
                Some(guard) => quote!(::core::stringify!(#pattern if #guard)),
                None => quote!(::core::stringify!(#pattern)),
            };
            let (pattern, texts) = pattern::without_texts(pattern, errors);
            let guards = texts.into_iter().chain(guard.as_ref().map(ToTokens::to_token_stream));
            let guards: TokenStream = guards.map(|guard| quote!(&& (#guard))).collect();
            let unused = format_ident!("_data");
            (words, quote!(match data { #pattern if true #guards => true, #unused => false }))
        }
    };
    let Some(executor) = executor else {
        errors.push(name, format!("`{name}` needs to know the data's type: add `for_executor: ..`"));
        return TokenStream::new();
    };
    quote! {
        .matching::<#executor>(
            #words,
            #[allow(unused_variables, unreachable_patterns, clippy::redundant_guards)]
            |data: &<#executor as #krate::Executor>::Data| -> bool { #body },
        )
    }
}
