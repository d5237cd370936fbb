//! What unique jobs are compared by, and what a conflict leads to.

use chrono::TimeDelta;

use super::{
    status::{JobStatus, Statuses},
    time::whole_micros,
};

/// What unique jobs are compared by: 16 bytes of a SHA-256, the same on every platform and in every release.
///
/// Its last bit says whether the data of the job are a part of what is compared, so that an update of the data knows whether
/// the key goes with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UniqueKey(pub [u8; 16]);

impl UniqueKey {
    /// Whether the data of the job are a part of what is compared.
    pub const fn is_of_data(self) -> bool {
        self.0[15] & 1 == 1
    }
}

/// What a unique job must not exist beside: the encoded form of
/// [`UniquenessCriteria`](crate::job::uniqueness_criteria::UniquenessCriteria).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unique {
    /// Jobs conflict only if their keys are the same.
    pub key: UniqueKey,
    /// … and were enqueued less than this long ago. `None`: however long ago.
    pub within: Option<TimeDelta>,
    /// … and stand in one of these statuses.
    pub statuses: Statuses,
    /// What becomes of the job that is there.
    pub on_conflict: Resolution,
}

impl Unique {
    /// Jobs with this key in one of these statuses conflict, however old they are, and are left as they are.
    pub const fn new(key: UniqueKey, statuses: Statuses) -> Self {
        Self { key, within: None, statuses, on_conflict: Resolution::Ignore }
    }

    /// Only jobs that were enqueued less than this long ago, in whole microseconds; `None`: however long ago.
    #[must_use]
    pub fn with_within(self, within: impl Into<Option<TimeDelta>>) -> Self {
        Self { within: within.into().map(whole_micros), ..self }
    }

    /// Only jobs in one of these statuses.
    #[must_use]
    pub fn with_statuses(self, statuses: Statuses) -> Self {
        Self { statuses, ..self }
    }

    /// What becomes of the job that is there.
    #[must_use]
    pub fn with_on_conflict(self, on_conflict: Resolution) -> Self {
        let on_conflict = match on_conflict {
            Resolution::Debounce(debounce) => Resolution::Debounce(debounce.whole()),
            other => other,
        };
        Self { on_conflict, ..self }
    }
}

/// What becomes of the stored job when a new one conflicts with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Resolution {
    /// It is left as it is.
    Ignore,
    /// It takes over fields of the new one.
    Replace(Replace),
    /// It takes over the content of the new one and waits again, if it has not begun; if it has, the new one is inserted.
    Debounce(Debounce),
}

/// How long a job waits for a later call that takes its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Debounce {
    /// How long after each call the job is due.
    pub within: TimeDelta,
    /// How long after the first call it is due at the latest.
    pub longest: TimeDelta,
}

impl Debounce {
    /// Due `within` after the last call, `longest` after the first.
    pub const fn new(within: TimeDelta, longest: TimeDelta) -> Self {
        Self { within, longest }
    }

    /// … in whole microseconds.
    fn whole(self) -> Self {
        Self { within: whole_micros(self.within), longest: whole_micros(self.longest) }
    }
}

impl Resolution {
    /// What [`Ignore`](Self::Ignore) was called in 0.1.
    #[deprecated(note = "write `Resolution::Ignore`")]
    #[expect(non_upper_case_globals, reason = "it was a variant")]
    pub const DoNothing: Self = Self::Ignore;
}

/// The fields that a stored job takes over from a new one that conflicts with it.
///
/// A job that is executing takes nothing over: its run has begun with what it had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replace {
    fields: Fields,
    statuses: Statuses,
}

/// Which fields are taken over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fields {
    /// The priority.
    pub priority: bool,
    /// The data.
    pub data: bool,
    /// The metadata.
    pub metadata: bool,
    /// The due time.
    pub scheduled_at: bool,
    /// The number of attempts.
    pub max_attempts: bool,
    /// The tags.
    pub tags: bool,
}

macro_rules! fields {
    ($($field:ident, $and:ident, $words:literal;)*) => {
        impl Replace {
            $(
                #[doc = concat!("Takes over ", $words, ", while the stored job is scheduled or retryable.")]
                pub const fn $field() -> Self {
                    Self::nothing().$and()
                }

                #[doc = concat!("… and ", $words, ".")]
                pub const fn $and(mut self) -> Self {
                    self.fields.$field = true;
                    self
                }
            )*

            const fn nothing() -> Self {
                let fields = Fields { $($field: false),* };
                Self { fields, statuses: Statuses::of(&[JobStatus::Scheduled, JobStatus::Retryable]) }
            }
        }
    };
}

fields! {
    priority, and_priority, "the priority";
    data, and_data, "the data";
    metadata, and_metadata, "the metadata";
    scheduled_at, and_scheduled_at, "the due time";
    max_attempts, and_max_attempts, "the number of attempts";
    tags, and_tags, "the tags";
}

impl Replace {
    /// In which statuses the stored job takes over anything. The default is scheduled and retryable.
    pub const fn for_statuses(mut self, statuses: &[JobStatus]) -> Self {
        self.statuses = Statuses::of(statuses);
        self
    }

    /// Which fields are taken over.
    pub const fn fields(&self) -> Fields {
        self.fields
    }

    /// In which statuses.
    pub const fn statuses(&self) -> Statuses {
        self.statuses
    }
}
