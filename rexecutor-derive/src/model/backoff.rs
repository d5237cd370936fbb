//! How long a failed attempt waits: `backoff = exponential("4s", max = "7d", jitter = 0.1)`.

use proc_macro2::TokenStream;
use quote::ToTokens;
use rexecutor_schedule::nearest;
use syn::{Expr, LitStr, Path};

use crate::{
    args::{self, Arg},
    duration,
    errors::Errors,
};

/// How long a failed attempt waits.
pub(crate) enum Backoff {
    Curve(Box<Curve>),
    /// A function of the attempt's number.
    Function(Path),
}

/// One of the curves of `BackoffStrategy`.
pub(crate) struct Curve {
    pub(crate) name: syn::Ident,
    pub(crate) base: u64,
    pub(crate) power: Option<Expr>,
    pub(crate) max: Option<u64>,
    pub(crate) min: Option<u64>,
    pub(crate) jitter: Option<Expr>,
}

const CURVES: [&str; 4] = ["constant", "linear", "exponential", "polynomial"];

impl Backoff {
    pub(crate) fn parse(arg: &Arg, errors: &mut Errors) -> syn::Result<Self> {
        let expected = || {
            arg.expected(
                "`constant(\"5s\")`, `linear(\"5s\")`, `exponential(\"4s\", max = \"7d\", jitter = 0.1)`, \
                 `polynomial(\"5s\", power = 2)` or the path of a function",
            )
        };
        match arg.expr()? {
            Expr::Path(path) => Ok(Self::Function(path.path.clone())),
            Expr::Call(call) => {
                let Expr::Path(function) = &*call.func else { return Err(expected()) };
                let name = function.path.require_ident().map_err(|_| expected())?.clone();
                if !CURVES.contains(&name.to_string().as_str()) {
                    let hint = nearest(&name.to_string(), CURVES)
                        .map_or_else(String::new, |meant| format!("; did you mean `{meant}`?"));
                    return Err(syn::Error::new_spanned(&name, format!("`{name}` is no backoff{hint}")));
                }
                let base = call.args.first().and_then(args::text);
                let base = base.ok_or_else(|| {
                    syn::Error::new_spanned(call, format!("write a duration first, as `{name}(\"5s\")`"))
                })?;
                Curve::parse(name, base, call.args.iter().skip(1), errors).map(|curve| Self::Curve(Box::new(curve)))
            }
            _ => Err(expected()),
        }
    }
}

impl Curve {
    fn parse<'a>(
        name: syn::Ident,
        base: &LitStr,
        options: impl Iterator<Item = &'a Expr>,
        errors: &mut Errors,
    ) -> syn::Result<Self> {
        let is_polynomial = name == "polynomial";
        let known: &[&str] = if is_polynomial { &["power", "max", "min", "jitter"] } else { &["max", "min", "jitter"] };
        let options: TokenStream = options.flat_map(|option| [option.to_token_stream(), quote::quote!(,)]).collect();
        let mut curve = Self { name, base: duration::millis(base)?, power: None, max: None, min: None, jitter: None };
        for option in args::parse(options, known, &[], errors) {
            match option.name.to_string().as_str() {
                "power" => curve.power = Some(option.number(1, 16)?),
                "max" => curve.max = Some(duration::millis(option.text("7d")?)?),
                "min" => curve.min = Some(duration::millis(option.text("1s")?)?),
                _ => curve.jitter = Some(jitter(&option)?),
            }
        }
        if is_polynomial && curve.power.is_none() {
            return Err(syn::Error::new_spanned(
                &curve.name,
                "a polynomial needs a power, as `polynomial(\"5s\", power = 2)`",
            ));
        }
        Ok(curve)
    }
}

/// A part of the delay, from 0 to 1.
fn jitter(option: &Arg) -> syn::Result<Expr> {
    let expr = option.expr()?;
    let part = match expr {
        Expr::Lit(syn::ExprLit { lit: syn::Lit::Float(part), .. }) => part.base10_parse::<f64>().ok(),
        _ => None,
    };
    match part {
        Some(part) if (0.0..=1.0).contains(&part) => Ok(expr.clone()),
        _ => Err(option.expected("a part of the delay from 0.0 to 1.0, as `jitter = 0.1`")),
    }
}
