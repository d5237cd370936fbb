//! The filters of the list of jobs, as they stand in an address: the one place that reads and writes them.

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use rexecutor::{
    backend::{
        Filter,
        observe::{JobOrder, JobsRequest, Position},
    },
    job::{ExecutorName, JobId, JobStatus, NodeId},
};

use crate::{access::Access, problem::Problem, request::Cx};

/// What is looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Search {
    /// What stands in the field.
    pub(crate) text: String,
    pub(crate) statuses: Vec<JobStatus>,
    /// `None`: what suits the statuses.
    pub(crate) order: Option<JobOrder>,
    pub(crate) after: Option<Position>,
    pub(crate) limit: usize,
}

const SIZE: usize = 50;

/// The words of the field that take a value, and what they look for.
pub const HINTS: &[(&str, &str)] = &[
    ("executor:mail", "jobs of this executor; several: any of them"),
    ("tag:vip", "with this tag; several: all of them"),
    ("any:a,b", "with one of these tags at least"),
    ("id:42", "with this number; several: id:42,43"),
    ("node:3", "running on this node"),
    ("priority:0", "of this priority"),
    ("status:retryable", "of this status; several: any of them"),
    ("data:text", "with this text in the data"),
    ("error:text", "with this text in an error's type or details"),
    ("since:1h  before:10m", "enqueued in this time; also 2026-01-31 or 2026-01-31T09:30Z"),
    ("finished:1h", "finished since then"),
    ("due:1h", "due within this time from now"),
    ("\"two words\"", "quotes keep spaces together: error:\"timed out\""),
];

impl Search {
    /// Reads the parameters of an address. Those that are not ours are left alone.
    pub(crate) fn read(parameters: &[(String, String)]) -> Result<Self, Problem> {
        let mut search = Self { limit: SIZE, ..Self::default() };
        for (name, value) in parameters {
            let invalid = |what: &str| Problem::Invalid(format!("`{value}` is no {what}."));
            match name.as_str() {
                "q" => search.text.clone_from(value),
                "status" if !value.is_empty() => {
                    for word in value.split(',') {
                        search.statuses.push(word.parse().map_err(|_| invalid(&no_status()))?);
                    }
                }
                "order" if !value.is_empty() => {
                    search.order = Some(JobOrder::of_word(value).ok_or_else(|| invalid("order"))?);
                }
                "after" if !value.is_empty() => {
                    search.after = Some(value.parse().map_err(|_| invalid("position in a list"))?);
                }
                "limit" if !value.is_empty() => {
                    let limit: usize = value.parse().map_err(|_| invalid("number of jobs"))?;
                    search.limit = limit.clamp(1, 500);
                }
                _ => {}
            }
        }
        search.statuses.sort_unstable();
        search.statuses.dedup();
        Ok(search)
    }

    /// In which order the jobs come.
    pub(crate) fn order(&self) -> JobOrder {
        let all = |is: fn(JobStatus) -> bool| !self.statuses.is_empty() && self.statuses.iter().all(|one| is(*one));
        match self.order {
            Some(JobOrder::Due) if !all(JobStatus::is_pending) => JobOrder::Newest,
            Some(JobOrder::Finished) if !all(JobStatus::is_finished) => JobOrder::Newest,
            Some(order) => order,
            None if all(JobStatus::is_pending) => JobOrder::Due,
            None if all(JobStatus::is_finished) => JobOrder::Finished,
            None => JobOrder::Newest,
        }
    }

    /// The orders that suit the statuses.
    pub(crate) fn orders(&self) -> Vec<JobOrder> {
        let suits = |order: &JobOrder| Self { order: Some(*order), ..self.clone() }.order() == *order;
        JobOrder::ALL.iter().copied().filter(suits).collect()
    }

    /// What a backend is asked for.
    pub(crate) fn request(&self, cx: &Cx, now: DateTime<Utc>) -> Result<JobsRequest, Problem> {
        if cx.shared.redact.is_some() && words(&self.text).iter().any(|word| word.starts_with("data:")) {
            return Err(Problem::Invalid("Data are hidden here, so nobody can search in them.".to_owned()));
        }
        let request = JobsRequest::new(self.filter(&cx.access, now)?).in_order(self.order());
        Ok(request.after(self.after).at_most(self.limit))
    }

    /// The condition, which lets through nothing that they may not see.
    pub(crate) fn filter(&self, access: &Access, now: DateTime<Utc>) -> Result<Filter, Problem> {
        let mut all = Vec::new();
        if !self.statuses.is_empty() {
            all.push(Filter::StatusIn(self.statuses.clone()));
        }
        all.extend(conditions(&self.text, now)?);
        if let Some(seen) = access.executors() {
            all.push(any_of(seen.to_vec()));
        }
        Ok(Filter::All(all))
    }

    /// The parameters that say all of this, but for the position.
    pub(crate) fn parameters(&self) -> Vec<(&'static str, String)> {
        let statuses: Vec<&str> = self.statuses.iter().map(|status| status.as_str()).collect();
        let mut parameters = vec![("q", self.text.clone()), ("status", statuses.join(","))];
        parameters.push(("order", self.order.map_or(String::new(), |order| order.as_str().to_owned())));
        if self.limit != SIZE {
            parameters.push(("limit", self.limit.to_string()));
        }
        parameters.retain(|(_, value)| !value.is_empty());
        parameters
    }
}

/// Which jobs the text of the field looks for, as [`HINTS`] explain it.
///
/// # Errors
///
/// When a word has no value, or one that it cannot have, or names a filter that does not exist.
///
/// # Examples
///
/// ```
/// use rexecutor_web::views;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let now = "2026-01-31T09:30:00Z".parse()?;
/// assert!(views::filter("executor:mail tag:vip since:1h", now).is_ok());
/// assert_eq!(views::filter("id:x", now).unwrap_err().to_string(), "`id:x`: `x` is no number.");
/// # Ok(())
/// # }
/// ```
pub fn filter(text: &str, now: DateTime<Utc>) -> Result<Filter, InvalidSearch> {
    Ok(Filter::All(conditions(text, now)?))
}

/// A word of a search that cannot be understood.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidSearch(String);

rexecutor::debug_as_sentence!(InvalidSearch);

impl From<InvalidSearch> for Problem {
    fn from(error: InvalidSearch) -> Self {
        Self::Invalid(error.0)
    }
}

fn conditions(text: &str, now: DateTime<Utc>) -> Result<Vec<Filter>, InvalidSearch> {
    let (mut all, mut executors, mut tags) = (Vec::new(), Vec::new(), Vec::new());
    for word in words(text) {
        // Or it would look for everything.
        let name = word.trim_end_matches(',').strip_suffix(':');
        if let Some(example) = name.and_then(example) {
            return Err(InvalidSearch(format!("`{word}` says nothing behind the colon; write `{example}`, say.")));
        }
        match word.split_once(':') {
            Some(("executor", names)) => executors.extend(list(names).map(ExecutorName::from)),
            Some(("tag", names)) => tags.extend(list(names)),
            Some((name, value)) if !value.is_empty() => all.push(condition(name, value, &word, now)?),
            _ => all.push(plain(&word)),
        }
    }
    if !tags.is_empty() {
        all.push(Filter::TagsAllOf(tags));
    }
    if !executors.is_empty() {
        all.push(any_of(executors));
    }
    Ok(all)
}

fn any_of(names: Vec<ExecutorName>) -> Filter {
    match <[ExecutorName; 1]>::try_from(names) {
        Ok([name]) => Filter::Executor(name),
        Err(names) => Filter::Any(names.into_iter().map(Filter::Executor).collect()),
    }
}

/// A word without a name in front: a number is a job's, and anything else an executor's name.
fn plain(word: &str) -> Filter {
    match word.trim_start_matches('#').parse::<i64>() {
        Ok(id) => Filter::IdIn(vec![id.into()]),
        Err(_) => Filter::Executor(ExecutorName::from(word.to_owned())),
    }
}

fn condition(name: &str, value: &str, word: &str, now: DateTime<Utc>) -> Result<Filter, InvalidSearch> {
    let invalid = |what: &str| InvalidSearch(format!("`{word}`: `{value}` is no {what}."));
    let number = |text: &str| text.trim_start_matches('#').parse::<i64>().map_err(|_| invalid("number"));
    let past = || time(value, now).ok_or_else(|| invalid("time; write 1h, 2026-01-31 or 2026-01-31T09:30Z"));
    Ok(match name {
        "any" => Filter::TagsOneOf(list(value).collect()),
        "id" => Filter::IdIn(list(value).map(|id| number(&id).map(JobId::from)).collect::<Result<_, _>>()?),
        "node" => Filter::Node(NodeId(number(value)?)),
        "priority" => Filter::Priority(value.parse().map_err(|_| invalid("priority"))?),
        "data" => Filter::DataContains(value.to_owned()),
        "error" => Filter::ErrorContains(value.to_owned()),
        "since" => Filter::InsertedAfter(past()?),
        "before" => Filter::InsertedBefore(past()?),
        "finished" => Filter::FinishedAfter(past()?),
        "due" => {
            let ahead = duration(value).ok_or_else(|| invalid("time; write 1h, say"))?;
            Filter::ScheduledBefore(now.checked_add_signed(ahead).unwrap_or(now))
        }
        "status" => Filter::StatusIn(
            list(value).map(|status| status.parse().map_err(|_| invalid(&no_status()))).collect::<Result<_, _>>()?,
        ),
        // Executors may have such a name, but hardly one does.
        _ if !name.is_empty() && name.chars().all(|letter| letter.is_ascii_lowercase()) => {
            let names: Vec<&str> = examples().map(|(name, _)| name).collect();
            return Err(InvalidSearch(format!(
                "`{word}`: there is no filter `{name}`; there are {}. The executor of this name is `executor:{word}`.",
                names.join(", ")
            )));
        }
        _ => plain(word),
    })
}

/// What a wrong status is not.
fn no_status() -> String {
    format!("status; there are {}", JobStatus::ALL.iter().map(|status| status.as_str()).collect::<Vec<_>>().join(", "))
}

/// How a filter is used; `None`: there is none of this name.
fn example(name: &str) -> Option<&'static str> {
    examples().find(|(known, _)| *known == name).map(|(_, example)| example)
}

/// The name of each filter, and how it is used.
fn examples() -> impl Iterator<Item = (&'static str, &'static str)> {
    let words = HINTS.iter().flat_map(|(hint, _)| hint.split_whitespace());
    words.filter_map(|word| Some((word.split_once(':')?.0, word))).filter(|(_, word)| !word.contains('"'))
}

/// An instant, or how long ago.
fn time(text: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    if let Some(ago) = duration(text) {
        return now.checked_sub_signed(ago);
    }
    let instant = DateTime::parse_from_rfc3339(text).ok().map(|at| at.to_utc());
    let local = |format| NaiveDateTime::parse_from_str(text, format).ok().map(|at| at.and_utc());
    let day = || Some(text.parse::<NaiveDate>().ok()?.and_hms_opt(0, 0, 0)?.and_utc());
    let instant = instant.or_else(|| local("%Y-%m-%dT%H:%M:%S")).or_else(|| local("%Y-%m-%dT%H:%MZ"));
    instant.or_else(|| local("%Y-%m-%dT%H:%M")).or_else(day)
}

fn duration(text: &str) -> Option<TimeDelta> {
    let digits = text.trim_end_matches(|character: char| character.is_ascii_alphabetic());
    let (count, unit): (i64, &str) = (digits.parse().ok()?, text.get(digits.len()..)?);
    match unit {
        "s" => TimeDelta::try_seconds(count),
        "m" | "min" => TimeDelta::try_minutes(count),
        "h" => TimeDelta::try_hours(count),
        "d" => TimeDelta::try_days(count),
        _ => None,
    }
}

fn list(text: &str) -> impl Iterator<Item = String> {
    text.split(',').filter(|one| !one.is_empty()).map(str::to_owned)
}

/// The words of a text; quotes keep spaces together.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut is_quoted, mut is_open) = (Vec::new(), String::new(), false, false);
    for character in text.chars() {
        match character {
            '"' => (is_quoted, is_open) = (!is_quoted, true),
            space if space.is_whitespace() && !is_quoted => {
                if is_open {
                    words.push(std::mem::take(&mut word));
                }
                is_open = false;
            }
            other => {
                word.push(other);
                is_open = true;
            }
        }
    }
    words.extend(is_open.then_some(word));
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests;
