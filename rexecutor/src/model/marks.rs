//! What sets a job apart from a plain one.

use std::fmt;

/// What the end of a job's run must heed beside its outcome, as stored with the job.
///
/// A plain job has none, and none is stored for it: so the statements that complete jobs by the hundred ask for this one
/// property. Every other job takes the way through [`lifecycle`](crate::backend::lifecycle), which says what follows.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Marks(u32);

impl Marks {
    /// A plain job's.
    pub const NONE: Self = Self(0);

    /// Somebody asked the job to stop: however its run ends, it ends cancelled.
    pub const STOPPING: Self = Self(1);

    /// It did not decode on the node that claimed it last, and waits for a version of the program that can read it, or was
    /// discarded because none came. While it waits, the newest of its errors says since when.
    pub const UNDECODED: Self = Self(2);

    /// Somebody waits for its end: once it is finished, [every wakeup](crate::backend::Ends) hears of it.
    pub const AWAITED: Self = Self(4);

    /// [Steps](crate::backend::StepLog) of it are stored: they are deleted with it.
    pub const STEPS: Self = Self(8);

    /// Its run has ended because it waits for a signal: the next one makes it due.
    pub const WAITING: Self = Self(16);

    /// A signal has come while it runs, which the run may not have seen.
    pub const SIGNALLED: Self = Self(32);

    /// It is part of a flow: its end counts there.
    pub const MEMBER: Self = Self(64);

    /// It is cancelled because there was nothing to do, and shown as skipped.
    pub const SKIPPED: Self = Self(128);

    /// It is a task of a workflow that goes on, and would have been deleted when it was complete: it is deleted with the workflow's end.
    pub const FLEETING: Self = Self(256);

    /// The [circuit breaker](crate::backend::breaker) of its executor has let it through, to see whether its attempts still fail.
    pub const TRIAL: Self = Self(512);

    /// Each with its name.
    const NAMES: &[(Self, &str)] = &[
        (Self::STOPPING, "stopping"),
        (Self::UNDECODED, "undecoded"),
        (Self::AWAITED, "awaited"),
        (Self::STEPS, "steps"),
        (Self::WAITING, "waiting"),
        (Self::SIGNALLED, "signalled"),
        (Self::MEMBER, "member"),
        (Self::SKIPPED, "skipped"),
        (Self::FLEETING, "fleeting"),
        (Self::TRIAL, "trial"),
    ];

    /// Whether the job is a plain one.
    pub const fn is_plain(self) -> bool {
        self.0 == 0
    }

    /// Whether it has all of `other`.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether it has any of `other`.
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// With these, too.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Without these.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The number that is stored; `None` for a plain job, for which nothing is.
    pub const fn stored(self) -> Option<u32> {
        if self.is_plain() { None } else { Some(self.0) }
    }

    /// What a stored number says. Those that this version does not know are kept.
    pub const fn from_stored(stored: Option<u32>) -> Self {
        match stored {
            Some(bits) => Self(bits),
            None => Self::NONE,
        }
    }
}

impl fmt::Debug for Marks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = Self::NAMES.iter().filter(|(mark, _)| self.contains(*mark));
        let rest = Self::NAMES.iter().fold(*self, |rest, (mark, _)| rest.without(*mark));
        let rest = (!rest.is_plain()).then(|| format!("{:#x}", rest.0));
        f.debug_set().entries(known.map(|(_, name)| name)).entries(rest).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_job_stores_nothing_and_unknown_marks_are_kept() {
        assert_eq!(Marks::NONE.stored(), None);
        assert_eq!(Marks::from_stored(None), Marks::NONE);
        let newer = Marks::from_stored(Some(0x8001));
        assert!(newer.contains(Marks::STOPPING) && !newer.is_plain());
        assert_eq!(newer.without(Marks::STOPPING).stored(), Some(0x8000));
        assert_eq!(format!("{newer:?}"), r#"{"stopping", "0x8000"}"#);
    }
}
