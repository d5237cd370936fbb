//! What must not exist beside a job: `unique(key = |data| data.user, within = "5m", on_conflict = replace(priority))`.

use proc_macro2::Ident;
use rexecutor_schedule::nearest;
use syn::{Expr, ExprClosure};

use crate::{
    args::{self, Arg, Value},
    duration,
    errors::Errors,
};

/// What must not exist beside a job.
pub(crate) struct Unique {
    pub(crate) by: By,
    pub(crate) within_millis: Option<u64>,
    /// The variants of `JobStatus`; `None`: the default ones.
    pub(crate) statuses: Option<Vec<Ident>>,
    /// The fields that are replaced.
    pub(crate) replace: Vec<Ident>,
    pub(crate) kind: Kind,
}

/// By which argument it was said.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Unique,
    Throttle,
    Debounce { longest_millis: u64 },
}

/// How many windows the longest wait of a debounced job has, unless it is said.
const WINDOWS: u64 = 10;

/// What is compared, beside the executor.
pub(crate) enum By {
    Data,
    Nothing,
    Key(Box<ExprClosure>),
}

const STATUSES: [(&str, &str); 7] = [
    ("blocked", "Blocked"),
    ("scheduled", "Scheduled"),
    ("executing", "Executing"),
    ("retryable", "Retryable"),
    ("complete", "Complete"),
    ("cancelled", "Cancelled"),
    ("discarded", "Discarded"),
];

const FIELDS: [&str; 6] = ["priority", "data", "metadata", "scheduled_at", "max_attempts", "tags"];

impl Unique {
    /// The same executor and data within a time.
    pub(crate) fn within(millis: u64) -> Self {
        Self { within_millis: Some(millis), ..Self::all(By::Data) }
    }

    fn all(by: By) -> Self {
        Self { by, within_millis: None, statuses: None, replace: Vec::new(), kind: Kind::Unique }
    }

    /// `throttle = "1m"`, or `throttle(within = "1m", key = |data| ..)`.
    pub(crate) fn throttle(arg: &Arg, errors: &mut Errors) -> syn::Result<Self> {
        Ok(Self::in_windows(arg, "1m", &["within", "key"], errors)?.0)
    }

    /// `debounce = "5s"`, or `debounce(within = "5s", key = |data| .., longest = "1m")`.
    pub(crate) fn debounce(arg: &Arg, errors: &mut Errors) -> syn::Result<Self> {
        let (mut unique, options) = Self::in_windows(arg, "5s", &["within", "key", "longest"], errors)?;
        let within = unique.within_millis.unwrap_or_default();
        let longest = options.iter().find(|option| option.name == "longest");
        let longest_millis = match longest {
            Some(option) => duration::millis(option.text("1m")?)?,
            None => within.saturating_mul(WINDOWS).min(duration::MAX_MILLIS),
        };
        if let Some(option) = longest.filter(|_| longest_millis < within) {
            return Err(option.expected("at least as long as `within`, which each call waits"));
        }
        unique.kind = Kind::Debounce { longest_millis };
        Ok(unique)
    }

    /// What both of them have.
    fn in_windows(arg: &Arg, example: &str, known: &[&str], errors: &mut Errors) -> syn::Result<(Self, Vec<Arg>)> {
        let mut unique = Self { kind: Kind::Throttle, ..Self::all(By::Nothing) };
        let Value::List(tokens) = &arg.value else {
            unique.within_millis = Some(duration::millis(arg.text(example)?)?);
            return Ok((unique, Vec::new()));
        };
        let args = args::parse(tokens.clone(), known, &[], errors);
        for option in &args {
            match option.name.to_string().as_str() {
                "within" => unique.within_millis = Some(duration::millis(option.text(example)?)?),
                "key" => unique.by = key(option)?,
                _ => {}
            }
        }
        match unique.within_millis {
            Some(_) => Ok((unique, args)),
            None => Err(arg.error(format!("`{}` needs a time: add `within = \"{example}\"`", arg.name))),
        }
    }

    pub(crate) fn parse(arg: &Arg, errors: &mut Errors) -> syn::Result<Self> {
        let mut unique = Self::all(By::Data);
        let tokens = match &arg.value {
            Value::List(tokens) => tokens.clone(),
            Value::Flag => return Ok(unique),
            Value::Is(_) => return Err(arg.expected("written as `unique(by = data, within = \"5m\")`")),
        };
        let args = args::parse(tokens, &["by", "key", "within", "statuses", "on_conflict"], &[], errors);
        for option in &args {
            match option.name.to_string().as_str() {
                "by" => unique.by = by(option)?,
                "key" => unique.by = key(option)?,
                "within" => unique.within_millis = Some(duration::millis(option.text("5m")?)?),
                "statuses" => unique.statuses = Some(statuses(option)?),
                _ => unique.replace = on_conflict(option)?,
            }
        }
        let named = |name: &str| args.iter().find(|arg| arg.name == name);
        if let (Some(_), Some(key)) = (named("by"), named("key")) {
            return Err(key.error("`by` and `key` both say what is compared: give one of them"));
        }
        Ok(unique)
    }

    /// Whether complete jobs stand in the way.
    pub(crate) fn covers_complete(&self) -> bool {
        let is_named =
            || self.statuses.as_ref().is_none_or(|statuses| statuses.iter().any(|status| status == "Complete"));
        !matches!(self.kind, Kind::Debounce { .. }) && is_named()
    }
}

fn by(option: &Arg) -> syn::Result<By> {
    match option.expr()? {
        Expr::Path(path) if path.path.is_ident("data") => Ok(By::Data),
        Expr::Path(path) if path.path.is_ident("executor") => Ok(By::Nothing),
        _ => Err(option.expected("`data` or `executor`")),
    }
}

fn key(option: &Arg) -> syn::Result<By> {
    match option.expr()? {
        Expr::Closure(closure) if closure.inputs.len() == 1 => Ok(By::Key(Box::new(closure.clone()))),
        _ => Err(option.expected("a closure over the data, as `key = |data| data.user`")),
    }
}

fn statuses(option: &Arg) -> syn::Result<Vec<Ident>> {
    let Expr::Array(array) = option.expr()? else {
        return Err(option.expected("a list of statuses, as `statuses = [scheduled, executing]`"));
    };
    let variant = |element: &Expr| {
        let word = match element {
            Expr::Path(path) => path.path.get_ident().cloned(),
            _ => None,
        };
        let word =
            word.ok_or_else(|| syn::Error::new_spanned(element, "write the status as a word, as `scheduled`"))?;
        let known = STATUSES.iter().find(|(status, _)| word == status);
        let variant = known.ok_or_else(|| unknown(&word, "status", STATUSES.map(|(status, _)| status)))?.1;
        Ok(Ident::new(variant, word.span()))
    };
    array.elems.iter().map(variant).collect()
}

fn on_conflict(option: &Arg) -> syn::Result<Vec<Ident>> {
    let expected = || option.expected("`ignore` or `replace(priority, ..)`");
    match option.expr()? {
        Expr::Path(path) if path.path.is_ident("ignore") => Ok(Vec::new()),
        Expr::Call(call) if matches!(&*call.func, Expr::Path(path) if path.path.is_ident("replace")) => {
            let arguments = &call.args;
            let fields = args::words(quote::quote!(#arguments))?;
            match fields.iter().find(|field| FIELDS.iter().all(|known| *field != known)) {
                Some(field) => Err(unknown(field, "field", FIELDS)),
                None if fields.is_empty() => Err(expected()),
                None => Ok(fields),
            }
        }
        _ => Err(expected()),
    }
}

fn unknown<const N: usize>(word: &Ident, what: &str, known: [&str; N]) -> syn::Error {
    let list = || known.map(|word| format!("`{word}`")).join(", ");
    let hint = nearest(&word.to_string(), known)
        .map_or_else(|| format!("expected one of {}", list()), |meant| format!("did you mean `{meant}`?"));
    syn::Error::new_spanned(word, format!("unknown {what} `{word}`; {hint}"))
}
