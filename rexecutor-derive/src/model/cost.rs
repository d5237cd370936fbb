//! What a rate counts: `weight = |data| data.tokens`, `per = |data| data.customer`.

use syn::{Expr, ExprClosure};

use crate::args::{Arg, integer};

/// How many tokens a job costs.
pub(crate) enum Weight {
    /// As its data say.
    Of(ExprClosure),
    /// Always so many.
    Always(Expr),
}

impl Weight {
    pub(super) fn parse(arg: &Arg) -> syn::Result<Self> {
        match arg.expr()? {
            Expr::Closure(closure) if closure.inputs.len() == 1 => Ok(Self::Of(closure.clone())),
            Expr::Closure(_) => Err(arg.expected("a closure over the data, as `weight = |data| data.tokens`")),
            expr if integer(expr).is_some() => arg.number(1, u32::MAX.into()).map(Self::Always),
            _ => Err(arg.expected("a number of tokens, or a closure over the data, as `weight = |data| data.tokens`")),
        }
    }
}

/// The key of which each has a bucket.
pub(super) fn per(arg: &Arg) -> syn::Result<ExprClosure> {
    match arg.expr()? {
        Expr::Closure(closure) if closure.inputs.len() == 1 => Ok(closure.clone()),
        _ => Err(arg.expected("a closure over the data, as `per = |data| data.customer`")),
    }
}
