//! What a schedule says beside when it is due: `missed = last`, `overlap = skip`, `entry = ".."`.

use syn::{Expr, ExprCall, LitStr};

use crate::args::{self, Arg};

/// What becomes of missed ticks.
#[derive(Clone)]
pub(crate) enum Missed {
    Skip,
    Last,
    All,
    AtMost(Expr),
}

/// The longest name, in bytes.
const MAX_NAME: usize = 255;

/// Reads `missed = skip`, `last`, `all` or `all(5)`.
pub(super) fn missed(arg: &Arg) -> syn::Result<Missed> {
    match arg.expr()? {
        Expr::Path(path) if path.path.is_ident("skip") => Ok(Missed::Skip),
        Expr::Path(path) if path.path.is_ident("last") => Ok(Missed::Last),
        Expr::Path(path) if path.path.is_ident("all") => Ok(Missed::All),
        Expr::Call(ExprCall { func, args, .. }) if is_all(func) && args.len() == 1 => match args.first() {
            Some(most) if args::integer(most).is_some_and(|most| (1..=u16::MAX.into()).contains(&most)) => {
                Ok(Missed::AtMost(most.clone()))
            }
            most => {
                Err(syn::Error::new_spanned(most, "the most missed ticks that run are a whole number from 1 to 65535"))
            }
        },
        _ => Err(arg.expected("`skip`, `last`, `all`, or `all(5)` for the newest five")),
    }
}

fn is_all(func: &Expr) -> bool {
    matches!(func, Expr::Path(path) if path.path.is_ident("all"))
}

/// Reads `overlap = allow`, `skip`, `queue` or `replace`.
pub(super) fn overlap(arg: &Arg) -> syn::Result<&'static str> {
    const WORDS: [(&str, &str); 4] = [("allow", "Allow"), ("skip", "Skip"), ("queue", "Queue"), ("replace", "Replace")];
    let expr = arg.expr()?;
    let is_it = |word: &str| matches!(expr, Expr::Path(path) if path.path.is_ident(word));
    let found = WORDS.iter().find(|(word, _)| is_it(word)).map(|(_, variant)| *variant);
    found.ok_or_else(|| arg.expected("`allow`, `skip`, `queue` or `replace`"))
}

/// Reads `entry = "nightly-report"`.
pub(super) fn entry(arg: &Arg) -> syn::Result<LitStr> {
    let name = arg.text("nightly-report")?;
    let problem = match name.value() {
        text if text.is_empty() => "the name of a schedule entry is empty",
        text if text.len() > MAX_NAME => "the name of a schedule entry is longer than 255 bytes",
        text if text.contains('\0') => "the name of a schedule entry contains U+0000",
        _ => return Ok(name.clone()),
    };
    Err(syn::Error::new_spanned(name, problem))
}
