//! Jobs of one key that run one after another: `ordered_by = |data| data.customer`, `on_discard = halt`.

use syn::{Expr, ExprClosure};

use crate::args::Arg;

/// Whose jobs run one after another, and what a discarded one does to those behind it.
pub(crate) struct Ordered {
    pub(crate) key: ExprClosure,
    pub(crate) halts: bool,
}

impl Ordered {
    pub(crate) fn parse(arg: &Arg) -> syn::Result<Self> {
        match arg.expr()? {
            Expr::Closure(closure) if closure.inputs.len() == 1 => Ok(Self { key: closure.clone(), halts: false }),
            _ => Err(arg.expected("a closure over the data, as `ordered_by = |data| data.customer`")),
        }
    }
}

/// Whether `on_discard` says that the line halts.
pub(crate) fn halts(arg: &Arg) -> syn::Result<bool> {
    match arg.expr()? {
        Expr::Path(path) if path.path.is_ident("halt") => Ok(true),
        Expr::Path(path) if path.path.is_ident("skip") => Ok(false),
        _ => Err(arg.expected(
            "`skip` or `halt`: whether the jobs behind one that was discarded start, or wait until somebody lets them",
        )),
    }
}
