//! One job, as its attribute and its function say.

use proc_macro2::{Ident, Span, TokenStream};
use syn::{Expr, ItemFn, LitStr, Path, ext::IdentExt};

use crate::{
    args::{self, Arg},
    duration,
    errors::Errors,
    signature::{self, First, Signature},
};

pub(crate) mod backoff;
mod breaker;
mod contradictions;
mod cost;
pub(crate) mod cron;
mod keyed;
mod middleware;
mod ordered;
pub(crate) mod policy;
mod rate;
mod shared;
pub(crate) mod unique;
mod values;

use self::values::{aliases, flag, ident, is_never, name, path, retain, tags};
pub(crate) use self::{
    backoff::Backoff, breaker::Breaker, cost::Weight, cron::Cron, keyed::Keyed, ordered::Ordered, rate::Rate,
    unique::Unique, values::executor_of,
};

/// One job.
pub(crate) struct Job {
    pub(crate) function: ItemFn,
    pub(crate) signature: Signature,
    /// The unit struct that stands for it.
    pub(crate) executor: Ident,
    pub(crate) name: LitStr,
    /// Former names.
    pub(crate) aliases: Vec<LitStr>,
    /// Where rexecutor is.
    pub(crate) krate: Path,
    pub(crate) max_attempts: Option<Expr>,
    pub(crate) max_concurrency: Option<Expr>,
    pub(crate) cluster_concurrency: Option<Expr>,
    pub(crate) keyed: Option<Keyed>,
    pub(crate) ordered: Option<Ordered>,
    pub(crate) limits: Vec<syn::ExprPath>,
    /// From the outside in.
    pub(crate) middleware: Vec<Expr>,
    pub(crate) rate_limit: Option<Rate>,
    pub(crate) burst: Option<Expr>,
    /// How many tokens a job costs.
    pub(crate) weight: Option<Weight>,
    /// The key of which each has a bucket.
    pub(crate) per: Option<syn::ExprClosure>,
    pub(crate) max_pending: Option<Expr>,
    pub(crate) circuit_breaker: Option<Breaker>,
    pub(crate) max_data_bytes: Option<Expr>,
    pub(crate) priority: Option<Expr>,
    pub(crate) aging: Option<u64>,
    pub(crate) tags: Vec<LitStr>,
    pub(crate) timeout: Option<u64>,
    pub(crate) deadline: Option<u64>,
    pub(crate) is_blocking: bool,
    pub(crate) backoff: Option<Backoff>,
    pub(crate) unique: Option<Unique>,
    pub(crate) retain: Option<Retain>,
    pub(crate) is_never_rerun: bool,
    pub(crate) crons: Vec<Cron>,
    /// What was said of the backoff, of uniqueness, of keys and of the circuit breaker, for people.
    pub(crate) words: Words,
}

/// Arguments as they were written.
#[derive(Default)]
pub(crate) struct Words {
    pub(crate) backoff: Option<String>,
    pub(crate) unique: Option<String>,
    pub(crate) keyed: Option<String>,
    pub(crate) ordered: Option<String>,
    pub(crate) circuit_breaker: Option<String>,
}

/// How long a complete job is kept.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Retain {
    Forever,
    Nothing,
    Millis(u64),
}

const ARGS: [&str; 42] = [
    "name",
    "aliases",
    "executor",
    "max_attempts",
    "max_concurrency",
    "cluster_concurrency",
    "concurrency",
    "ordered_by",
    "on_discard",
    "limit",
    "middleware",
    "rate_limit",
    "burst",
    "weight",
    "per",
    "max_pending",
    "circuit_breaker",
    "max_data_bytes",
    "priority",
    "aging",
    "tags",
    "timeout",
    "deadline",
    "blocking",
    "backoff",
    "unique_within",
    "unique",
    "debounce",
    "throttle",
    "retain",
    "rerun",
    "cron",
    "every",
    "timezone",
    "data",
    "jitter",
    "starts",
    "ends",
    "missed",
    "overlap",
    "entry",
    "crate",
];

impl Job {
    /// Reads a job; on failure, all that is wrong with it.
    pub(crate) fn parse(args: TokenStream, item: TokenStream) -> Result<Self, syn::Error> {
        let mut errors = Errors::default();
        let args = args::parse(args, &ARGS, &cron::SCHEDULES, &mut errors);
        let function = match syn::parse2::<ItemFn>(item.clone()) {
            Ok(function) => function,
            Err(_) => {
                errors.push_at(Span::call_site(), "`#[job]` goes on an `async fn`");
                return errors.into_result(None);
            }
        };
        let signature = signature::parse(&function, &mut errors);
        let mut job = Self::plain(function, signature);
        for arg in &args {
            if let Err(error) = job.take(arg, &mut errors) {
                errors.combine(error);
            }
        }
        job.take_on_discard(&args);
        job.take_crons(&args, &mut errors);
        contradictions::find(&job, &args, &mut errors);
        errors.into_result(Some(job))
    }

    fn plain(function: ItemFn, signature: Signature) -> Self {
        let ident = &function.sig.ident;
        let name = ident.unraw().to_string();
        Self {
            executor: executor_of(ident),
            name: LitStr::new(&name, ident.span()),
            aliases: Vec::new(),
            signature,
            krate: syn::parse_quote!(::rexecutor),
            max_attempts: None,
            max_concurrency: None,
            cluster_concurrency: None,
            keyed: None,
            ordered: None,
            limits: Vec::new(),
            middleware: Vec::new(),
            rate_limit: None,
            burst: None,
            weight: None,
            per: None,
            max_pending: None,
            circuit_breaker: None,
            max_data_bytes: None,
            priority: None,
            aging: None,
            tags: Vec::new(),
            timeout: None,
            deadline: None,
            is_blocking: false,
            backoff: None,
            unique: None,
            retain: None,
            is_never_rerun: false,
            crons: Vec::new(),
            words: Words::default(),
            function,
        }
    }

    fn take(&mut self, arg: &Arg, errors: &mut Errors) -> syn::Result<()> {
        match arg.name.unraw().to_string().as_str() {
            "name" => self.name = name(arg)?,
            "aliases" => self.aliases = aliases(arg, errors)?,
            "executor" => self.executor = ident(arg)?,
            "max_attempts" => self.max_attempts = Some(arg.number(1, u16::MAX.into())?),
            "max_concurrency" => self.max_concurrency = Some(arg.number(1, u32::MAX.into())?),
            "cluster_concurrency" => self.cluster_concurrency = Some(arg.number(1, u32::MAX.into())?),
            "concurrency" => {
                self.keyed = Some(Keyed::parse(arg, errors)?);
                self.words.keyed = Some(arg.shown());
            }
            "ordered_by" => {
                self.ordered = Some(Ordered::parse(arg)?);
                self.words.ordered = Some(arg.shown());
            }
            // Once it is known what is ordered.
            "on_discard" => drop(ordered::halts(arg)?),
            "limit" => self.limits = shared::limits(arg)?,
            "middleware" => self.middleware = middleware::middleware(arg, errors)?,
            "rate_limit" => self.rate_limit = Some(Rate::parse(arg.text("100/1m")?)?),
            "burst" => self.burst = Some(arg.number(1, u32::MAX.into())?),
            "weight" => self.weight = Some(Weight::parse(arg)?),
            "per" => self.per = Some(cost::per(arg)?),
            "max_pending" => self.max_pending = Some(arg.number(1, u32::MAX.into())?),
            "circuit_breaker" => {
                self.circuit_breaker = Some(Breaker::parse(arg, errors)?);
                self.words.circuit_breaker = Some(arg.shown());
            }
            "max_data_bytes" => self.max_data_bytes = Some(arg.number(1, u32::MAX.into())?),
            "priority" => self.priority = Some(arg.number(0, 999)?),
            "aging" => self.aging = Some(duration::up_to_a_year(arg.text("10m")?)?),
            "tags" => self.tags = tags(arg)?,
            "timeout" => self.timeout = Some(duration::millis(arg.text("30s")?)?),
            "deadline" => self.deadline = Some(duration::millis(arg.text("1h")?)?),
            "blocking" => self.is_blocking = flag(arg)?,
            "backoff" => {
                self.backoff = Some(Backoff::parse(arg, errors)?);
                self.words.backoff = Some(arg.shown());
            }
            "unique_within" => {
                self.unique = Some(Unique::within(duration::millis(arg.text("5m")?)?));
                self.words.unique = Some(format!("by = data, within = {}", arg.shown()));
            }
            "unique" => {
                self.unique = Some(Unique::parse(arg, errors)?);
                self.words.unique = Some(arg.shown());
            }
            "debounce" => {
                self.unique = Some(Unique::debounce(arg, errors)?);
                self.words.unique = Some(format!("debounce {}", arg.shown()));
            }
            "throttle" => {
                self.unique = Some(Unique::throttle(arg, errors)?);
                self.words.unique = Some(format!("throttle {}", arg.shown()));
            }
            "retain" => self.retain = Some(retain(arg)?),
            "rerun" => self.is_never_rerun = is_never(arg)?,
            "crate" => self.krate = path(arg)?,
            // Schedules and what belongs to them are taken together.
            _ => {}
        }
        Ok(())
    }

    fn take_on_discard(&mut self, args: &[Arg]) {
        let on_discard = args.iter().find(|arg| arg.name == "on_discard");
        if let (Some(ordered), Some(Ok(halts))) = (&mut self.ordered, on_discard.map(ordered::halts)) {
            ordered.halts = halts;
        }
    }

    fn take_crons(&mut self, args: &[Arg], errors: &mut Errors) {
        let crons = cron::take(args, errors);
        for cron in &crons {
            if let (None, Some(ty)) = (&cron.options.data, self.required_data()) {
                let ty = args::shown(ty);
                errors.push(&cron.expression, format!("each tick needs data of type `{ty}`: add `data = ..`"));
            }
        }
        self.crons = crons;
    }

    /// The type of the data, if a tick cannot do without them.
    fn required_data(&self) -> Option<&syn::Type> {
        match &self.signature.first {
            First::Unit => None,
            First::Data(ty) => is_required(ty).then_some(ty),
            First::Job(ty, _) => is_required(ty).then_some(ty),
        }
    }
}

fn is_required(ty: &syn::Type) -> bool {
    match ty {
        syn::Type::Tuple(tuple) => !tuple.elems.is_empty(),
        syn::Type::Path(path) => path.path.segments.last().is_none_or(|segment| segment.ident != "Option"),
        _ => true,
    }
}
