//! When a job is due by itself: `cron = ".."`, `every = ".."`, and what belongs to them.

use proc_macro2::TokenStream;
use rexecutor_schedule::{Schedule, ScheduleError, TimeZone, problem};
use syn::{Expr, LitStr};

use super::policy::{self, Missed};
use crate::{
    args::{self, Arg, Value},
    duration,
    errors::Errors,
};

/// The arguments that begin a schedule. They may be repeated.
pub(crate) const SCHEDULES: [&str; 2] = ["cron", "every"];

/// What goes with each of them, or with all of them.
const OPTIONS: [(&str, &str); 8] = [
    ("timezone", "a time zone"),
    ("data", "the data of its ticks"),
    ("jitter", "a jitter"),
    ("starts", "a start"),
    ("ends", "an end"),
    ("missed", "a policy for missed ticks"),
    ("overlap", "a policy for overlapping ticks"),
    ("entry", "the name of a schedule entry"),
];

/// The longest jitter: an hour.
const MAX_JITTER_MILLIS: u64 = 3_600_000;

/// One schedule.
pub(crate) struct Cron {
    /// As `Schedule::parse` takes it.
    pub(crate) expression: LitStr,
    pub(crate) options: Options,
}

/// What a schedule has beside its expression.
#[derive(Default, Clone)]
pub(crate) struct Options {
    pub(crate) timezone: Option<LitStr>,
    pub(crate) data: Option<Expr>,
    /// In milliseconds.
    pub(crate) jitter: Option<u64>,
    pub(crate) starts: Option<LitStr>,
    pub(crate) ends: Option<LitStr>,
    pub(crate) missed: Option<Missed>,
    /// The name of the variant.
    pub(crate) overlap: Option<&'static str>,
    pub(crate) entry: Option<LitStr>,
}

/// All schedules of a job, each with its options or else those that are given for all.
pub(crate) fn take(args: &[Arg], errors: &mut Errors) -> Vec<Cron> {
    let is_schedule = |arg: &&Arg| SCHEDULES.iter().any(|name| arg.name == name);
    let schedules: Vec<&Arg> = args.iter().filter(is_schedule).collect();
    let mut shared = Options::default();
    for arg in args {
        let Some((_, what)) = OPTIONS.iter().find(|(name, _)| arg.name == name) else { continue };
        if schedules.is_empty() {
            errors.push(&arg.name, format!("{what} without a schedule: add `cron = \"..\"`"));
        }
        let taken = shared.take(arg);
        errors.keep(taken);
    }
    if let Some(zone) = args.iter().find(|arg| arg.name == "timezone")
        && !schedules.is_empty()
        && schedules.iter().all(|arg| arg.name == "every")
    {
        errors.push(&zone.name, EVERY_ZONE);
    }
    let read = |arg: &&Arg| Cron::parse(arg, &shared, errors);
    schedules.iter().filter_map(read).collect()
}

const EVERY_ZONE: &str =
    "`every` counts from midnight in UTC, whatever the time zone; for a time of day write `cron = \"0 30 9 * * *\"`";

impl Options {
    fn take(&mut self, arg: &Arg) -> syn::Result<()> {
        match arg.name.to_string().as_str() {
            "timezone" => self.timezone = Some(timezone(arg)?),
            "data" => self.data = Some(arg.expr()?.clone()),
            "jitter" => {
                let text = arg.text("30s")?;
                let millis = duration::millis(text)?;
                if millis > MAX_JITTER_MILLIS {
                    return Err(syn::Error::new_spanned(text, "a jitter is at most an hour"));
                }
                self.jitter = Some(millis);
            }
            "starts" => self.starts = Some(arg.text("2027-01-31")?.clone()),
            "missed" => self.missed = Some(policy::missed(arg)?),
            "overlap" => self.overlap = Some(policy::overlap(arg)?),
            "entry" => self.entry = Some(policy::entry(arg)?),
            _ => self.ends = Some(arg.text("2027-12-31")?.clone()),
        }
        Ok(())
    }

    fn or(self, shared: &Self) -> Self {
        let shared = shared.clone();
        Self {
            timezone: self.timezone.or(shared.timezone),
            data: self.data.or(shared.data),
            jitter: self.jitter.or(shared.jitter),
            starts: self.starts.or(shared.starts),
            ends: self.ends.or(shared.ends),
            missed: self.missed.or(shared.missed),
            overlap: self.overlap.or(shared.overlap),
            entry: self.entry.or(shared.entry),
        }
    }
}

impl Cron {
    /// Reads `cron = ".."` or `cron("..", timezone = "..", data = ..)`, and the same with `every`.
    fn parse(arg: &Arg, shared: &Options, errors: &mut Errors) -> Option<Self> {
        let is_interval = arg.name == "every";
        let (text, own) = match &arg.value {
            Value::List(tokens) => parse_list(arg, tokens.clone(), errors)?,
            _ => {
                let example = if is_interval { "90s" } else { "0 0 9 * * MON-FRI" };
                (errors.keep(arg.text(example))?.clone(), Options::default())
            }
        };
        let mut options = own.or(shared);
        let mut expression = text.clone();
        if is_interval {
            options.timezone = None;
            expression = LitStr::new(&format!("@every {}", text.value().trim()), text.span());
        }
        if let Some(problem) = problem(&expression.value()) {
            errors.push(&text, problem);
            return None;
        }
        let cron = Self { expression, options };
        errors.keep(cron.check_dates())?;
        Some(cron)
    }

    fn check_dates(&self) -> syn::Result<()> {
        let Options { starts, ends, .. } = &self.options;
        // What is wrong with the rest is told elsewhere.
        let Ok(schedule) = Schedule::parse(&self.expression.value(), &self.timezone()) else { return Ok(()) };
        let at = |date: &LitStr, error: ScheduleError| syn::Error::new_spanned(date, error);
        let started = match starts {
            Some(date) => schedule.start_on(&date.value()).map_err(|error| at(date, error))?,
            None => schedule,
        };
        match ends {
            Some(date) => started.end_on(&date.value()).map(drop).map_err(|error| at(date, error)),
            None => Ok(()),
        }
    }

    /// The name of its time zone.
    pub(crate) fn timezone(&self) -> String {
        self.options.timezone.as_ref().map_or_else(|| "UTC".to_owned(), LitStr::value)
    }

    /// When it is due, for people.
    pub(crate) fn shown(&self) -> String {
        let expression = self.expression.value();
        match Schedule::parse(&expression, &self.timezone()) {
            Ok(schedule) => format!("due {} (`{expression}`)", schedule.describe()),
            Err(_) => format!("due at `{expression}`"),
        }
    }
}

fn parse_list(arg: &Arg, tokens: TokenStream, errors: &mut Errors) -> Option<(LitStr, Options)> {
    let mut tokens = tokens.into_iter();
    let first = tokens.next().map(|token| syn::parse2::<LitStr>(token.into()));
    let Some(Ok(text)) = first else {
        errors.combine(arg.error(format!("write `{}(\"..\", timezone = \"..\", data = ..)`", arg.name)));
        return None;
    };
    let rest: TokenStream = tokens.skip(1).collect();
    let mut options = Options::default();
    for option in args::parse(rest, &OPTIONS.map(|(name, _)| name), &[], errors) {
        if arg.name == "every" && option.name == "timezone" {
            errors.push(&option.name, EVERY_ZONE);
        }
        let taken = options.take(&option);
        errors.keep(taken);
    }
    Some((text, options))
}

fn timezone(arg: &Arg) -> syn::Result<LitStr> {
    let zone = arg.text("Europe/London")?;
    match zone.value().parse::<TimeZone>() {
        Ok(_) => Ok(zone.clone()),
        Err(error) => Err(syn::Error::new_spanned(zone, error)),
    }
}
