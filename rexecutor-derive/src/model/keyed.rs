//! How many jobs of one key run at once: `concurrency(key = |data| data.customer, limit = 2)`.

use syn::{Expr, ExprClosure};

use crate::{
    args::{self, Arg, Value},
    errors::Errors,
};

/// How many jobs of one key run at once on all nodes.
pub(crate) struct Keyed {
    pub(crate) key: ExprClosure,
    pub(crate) limit: Expr,
}

impl Keyed {
    pub(crate) fn parse(arg: &Arg, errors: &mut Errors) -> syn::Result<Self> {
        let Value::List(tokens) = &arg.value else {
            return Err(arg.error(
                "`concurrency` is the limit of a key, written as `concurrency(key = |data| data.customer, limit = 2)`; for one \
                 of all jobs on a node, did you mean `max_concurrency`?",
            ));
        };
        let args = args::parse(tokens.clone(), &["key", "limit"], &[], errors);
        let named = |name: &str, example: &str| {
            let missing = || arg.error(format!("`concurrency` has no `{name}`: add `{example}`"));
            args.iter().find(|arg| arg.name == name).ok_or_else(missing)
        };
        let limit = named("limit", "limit = 2")?.number(1, u32::MAX.into())?;
        let key = named("key", "key = |data| data.customer")?;
        match key.expr()? {
            Expr::Closure(closure) if closure.inputs.len() == 1 => Ok(Self { key: closure.clone(), limit }),
            _ => Err(key.expected("a closure over the data, as `key = |data| data.customer`")),
        }
    }
}
