//! What surrounds the runs of a job: `middleware = audit`, `middleware = [audit, REGION]`.

use syn::Expr;

use crate::{
    args::{self, Arg},
    errors::Errors,
};

pub(super) fn middleware(arg: &Arg, errors: &mut Errors) -> syn::Result<Vec<Expr>> {
    let expected = || {
        arg.expected(
            "an `async fn(run: Run, next: Next) -> ExecutionResult`, or a `static` of a type that implements `Middleware`, as \
             `middleware = audit`, or a list of some",
        )
    };
    let one = |expr: &Expr| match expr {
        Expr::Path(_) => Ok(expr.clone()),
        Expr::Closure(closure) => Err(syn::Error::new_spanned(
            closure,
            "write an `async fn(run: Run, next: Next) -> ExecutionResult` beside the job, and its name here",
        )),
        _ => Err(expected()),
    };
    // Macros by example hand expressions on in groups that cannot be seen.
    let all: Vec<Expr> = match ungrouped(arg.expr()?) {
        Expr::Array(array) if array.elems.is_empty() => return Err(expected()),
        Expr::Array(array) => array.elems.iter().map(|expr| one(ungrouped(expr))).collect::<syn::Result<_>>()?,
        expr => vec![one(expr)?],
    };
    for (place, expr) in all.iter().enumerate() {
        if all[..place].contains(expr) {
            errors.push(expr, format!("`{}` surrounds the job already: leave it out", args::shown(expr)));
        }
    }
    Ok(all)
}

fn ungrouped(expr: &Expr) -> &Expr {
    match expr {
        Expr::Group(group) => ungrouped(&group.expr),
        _ => expr,
    }
}
