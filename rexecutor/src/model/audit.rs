//! What is recorded when somebody changes something by hand: who, what, when, before and after.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::id::{ExecutorName, FlowId, JobId};

/// What a change was about: a kind of thing, and which one.
///
/// The kinds of this version are `cluster`, `executor`, `tag`, `node`, `schedule`, `flow`, `job`, and `jobs` for many at once. A newer
/// program may store others, which are read as they are.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct AuditObject {
    /// The kind, in a word.
    pub kind: String,
    /// Which one: a number or a name. Empty for the cluster and for many jobs.
    pub id: String,
}

impl AuditObject {
    /// The object of this kind with this number or name.
    pub fn new(kind: impl Into<String>, id: impl Into<String>) -> Self {
        Self { kind: kind.into(), id: id.into() }
    }

    /// The whole cluster.
    pub fn cluster() -> Self {
        Self::new("cluster", "")
    }

    /// An executor.
    pub fn executor(executor: &ExecutorName) -> Self {
        Self::new("executor", executor.as_str())
    }

    /// The jobs that have a tag.
    pub fn tag(tag: impl Into<String>) -> Self {
        Self::new("tag", tag)
    }

    /// The nodes that have a label.
    pub fn node(label: impl Into<String>) -> Self {
        Self::new("node", label)
    }

    /// A schedule entry.
    pub fn schedule(name: impl Into<String>) -> Self {
        Self::new("schedule", name)
    }

    /// A workflow or a batch.
    pub fn flow(flow: FlowId) -> Self {
        Self::new("flow", flow.to_string())
    }

    /// A job.
    pub fn job(job: JobId) -> Self {
        Self::new("job", job.to_string())
    }

    /// Many jobs at once.
    pub fn jobs() -> Self {
        Self::new("jobs", "")
    }

    /// … as backends store it.
    pub(crate) fn bounded(&self) -> Self {
        Self::new(name(&self.kind), name(&self.id))
    }
}

/// A change that is to be recorded. Setters take what few changes have; all of it is empty by default.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "an entry does nothing before it is recorded"]
pub struct AuditEntry {
    /// Who made the change.
    pub by: String,
    /// Through what, in a word: `dashboard`, `api`, `cli`.
    pub via: String,
    /// What was done, in a word, as `cancel`.
    pub action: String,
    /// To what.
    pub object: AuditObject,
    /// Whose jobs it is about; `None`: those of all executors.
    pub executor: Option<ExecutorName>,
    /// What was there before, as JSON.
    pub before: Option<String>,
    /// What is there now, as JSON.
    pub after: Option<String>,
    /// Why it was refused; `None`: it was done.
    pub error: Option<String>,
    /// For how long the entry is kept.
    pub kept: Duration,
}

impl AuditEntry {
    /// For how long an entry is kept by default: 90 days.
    pub const KEPT: Duration = Duration::from_secs(90 * 24 * 3_600);

    /// The longest time that an entry is kept: 100 years. Whatever is longer counts as this.
    pub const LONGEST: Duration = Duration::from_secs(36_525 * 24 * 3_600);

    /// The most characters of who, through what, what, and which.
    pub const MOST_NAME: usize = 256;

    /// The most bytes of [`before`](Self::before), of [`after`](Self::after), and of [`error`](Self::error).
    pub const MOST_TEXT: usize = 16 * 1_024;

    /// Somebody has done this to that.
    pub fn new(by: impl Into<String>, action: impl Into<String>, object: AuditObject) -> Self {
        Self {
            by: by.into(),
            via: String::new(),
            action: action.into(),
            object,
            executor: None,
            before: None,
            after: None,
            error: None,
            kept: Self::KEPT,
        }
    }

    /// … through this.
    pub fn with_via(self, via: impl Into<String>) -> Self {
        Self { via: via.into(), ..self }
    }

    /// … whose jobs are of this executor; `None`: of all.
    pub fn with_executor(self, executor: Option<ExecutorName>) -> Self {
        Self { executor, ..self }
    }

    /// … which was this before, as JSON.
    pub fn with_before(self, before: impl Into<String>) -> Self {
        Self { before: Some(before.into()), ..self }
    }

    /// … and is this now, as JSON.
    pub fn with_after(self, after: impl Into<String>) -> Self {
        Self { after: Some(after.into()), ..self }
    }

    /// … which was refused; `None`: it was done.
    pub fn with_error(self, error: Option<String>) -> Self {
        Self { error, ..self }
    }

    /// … which is kept for so long. The default is [`KEPT`](Self::KEPT); `Duration::MAX` keeps it for ever, as far as anybody will see.
    pub fn kept_for(self, kept: Duration) -> Self {
        Self { kept, ..self }
    }

    /// The entry as backends store it: names and texts have the most that they may have, and no text has U+0000, which PostgreSQL cannot
    /// store. JSON that is too long becomes `{"truncated": "its beginning"}`.
    pub fn bounded(self) -> Self {
        Self {
            by: name(&self.by),
            via: name(&self.via),
            action: name(&self.action),
            object: self.object.bounded(),
            executor: self.executor,
            before: self.before.map(json),
            after: self.after.map(json),
            error: self.error.map(|error| cut(&clean(&error), Self::MOST_TEXT).to_owned()),
            kept: self.kept.min(Self::LONGEST),
        }
    }

    /// When it is deleted, if it is recorded at this instant.
    pub fn kept_until(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let kept = TimeDelta::from_std(self.kept.min(Self::LONGEST)).unwrap_or(TimeDelta::MAX);
        now.checked_add_signed(kept).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }
}

/// A name as backends store it.
pub(crate) fn name(text: &str) -> String {
    clean(text).chars().take(AuditEntry::MOST_NAME).collect()
}

/// A text as every database can store it.
fn clean(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// At most so many bytes, and whole characters.
fn cut(text: &str, most: usize) -> &str {
    text.get(..text.floor_char_boundary(most)).unwrap_or_default()
}

fn json(text: String) -> String {
    let text = clean(&text);
    if text.len() <= AuditEntry::MOST_TEXT {
        return text;
    }
    // What is escaped once more may have twice as many bytes, or six times as many where control characters stand.
    let beginning = cut(&text, AuditEntry::MOST_TEXT / 8);
    serde_json::json!({ "truncated": beginning, "bytes": text.len() }).to_string()
}

/// A change that was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuditRecord {
    /// Its number: the later one is recorded, the higher.
    pub id: i64,
    /// When it was recorded, by the backend's clock.
    pub at: DateTime<Utc>,
    /// What was recorded.
    pub entry: AuditEntry,
}

impl AuditRecord {
    /// A change that was recorded.
    pub fn new(id: i64, at: DateTime<Utc>, entry: AuditEntry) -> Self {
        Self { id, at, entry }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_is_bounded_and_stays_json() {
        let long = format!("\"{}\"", "\u{1}ü".repeat(20_000));
        let entry = AuditEntry::new("a\0".repeat(1_000), "cancel", AuditObject::tag("ü".repeat(1_000)));
        let entry = entry.with_before(long.clone()).with_after("{\"a\":1}").with_error(Some(long)).bounded();
        assert_eq!((entry.by.chars().count(), entry.object.id.chars().count()), (256, 256));
        assert!(entry.by.starts_with("a\u{fffd}a"));
        let before = entry.before.expect("it was given");
        assert!(before.len() <= AuditEntry::MOST_TEXT, "{}", before.len());
        let before: serde_json::Value = serde_json::from_str(&before).expect("it is JSON");
        assert_eq!(before["bytes"], 60_002);
        assert!(before["truncated"].as_str().is_some_and(|text| text.starts_with("\"\u{1}ü")));
        assert_eq!(entry.after.as_deref(), Some("{\"a\":1}"));
        assert!(entry.error.is_some_and(|error| error.len() <= AuditEntry::MOST_TEXT));
    }

    #[test]
    fn an_entry_is_kept_for_ninety_days_and_for_a_hundred_years_at_most() {
        let entry = AuditEntry::new("ann", "cancel", AuditObject::cluster());
        let now = DateTime::UNIX_EPOCH;
        assert_eq!(entry.kept_until(now) - now, TimeDelta::days(90));
        let ever = entry.kept_for(Duration::MAX).bounded();
        assert_eq!(ever.kept_until(now) - now, TimeDelta::days(36_525));
    }
}
