//! Limits that several jobs share: `limit = STRIPE`, `limit = [STRIPE, DATABASE]`.

use syn::{Expr, ExprPath};

use crate::args::{Arg, integer};

pub(super) fn limits(arg: &Arg) -> syn::Result<Vec<ExprPath>> {
    let expected = || {
        let expr = arg.expr();
        if expr.is_ok_and(|expr| integer(expr).is_some()) {
            return arg.expected(
                "the `static` of a limit that several jobs share; for how many of this one run at once on a node, did you mean \
                 `max_concurrency`?",
            );
        }
        arg.expected("the `static` of a limit that several jobs share, as `limit = STRIPE`, or a list of some")
    };
    let one = |expr: &Expr| match expr {
        Expr::Path(path) => Ok(path.clone()),
        _ => Err(expected()),
    };
    match arg.expr()? {
        Expr::Array(array) if !array.elems.is_empty() => array.elems.iter().map(one).collect(),
        expr => Ok(vec![one(expr)?]),
    }
}
