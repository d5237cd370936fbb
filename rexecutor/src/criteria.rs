//! Which jobs must not exist beside each other, and what happens when they would.
//!
//! Uniqueness is decided inside the backend, in the same step that stores the job, so it holds under any concurrency
//! and across nodes.

use std::marker::PhantomData;

use chrono::TimeDelta;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::{
    json::{self, Json},
    model::{Debounce, JobStatus, Replace, Resolution, Statuses, Unique, UniqueKey},
};

/// Which stored jobs stand in the way of a new one.
///
/// A stored job conflicts if it was enqueued by the same criteria with the same executor, data or key (whichever the
/// criteria name), stands in one of the [`statuses`](Self::for_statuses), and was enqueued less than
/// [`within`](Self::and_within) ago. Then nothing is inserted: the stored job is left alone, or takes over the fields
/// that [`on_conflict`](Self::on_conflict) names.
///
/// The lifetime is that of nothing at present: it is kept for source compatibility.
///
/// # Examples
///
/// ```
/// use rexecutor::prelude::*;
///
/// /// One a user in five minutes; a second one makes the first more urgent.
/// fn once_a_user(user: u64) -> UniquenessCriteria<'static> {
///     UniquenessCriteria::by_key(&user)
///         .and_executor()
///         .and_within(TimeDelta::minutes(5))
///         .on_conflict(Replace::priority())
/// }
/// # once_a_user(1);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UniquenessCriteria<'a> {
    executor: bool,
    data: bool,
    key: Option<[u8; 32]>,
    within: Option<TimeDelta>,
    statuses: Statuses,
    on_conflict: Resolution,
    lifetime: PhantomData<&'a ()>,
}

impl UniquenessCriteria<'_> {
    const fn new() -> Self {
        Self {
            executor: false,
            data: false,
            key: None,
            within: None,
            statuses: Statuses::of(&[
                JobStatus::Blocked,
                JobStatus::Scheduled,
                JobStatus::Executing,
                JobStatus::Retryable,
                JobStatus::Complete,
            ]),
            on_conflict: Resolution::Ignore,
            lifetime: PhantomData,
        }
    }

    /// One job of an executor, whatever its data.
    pub const fn by_executor() -> Self {
        Self::new().and_executor()
    }

    /// One job of an executor with the same data.
    ///
    /// Data are compared as JSON, whatever the order of keys: two equal `HashMap`s are the same. The order of a list counts, and
    /// a `HashSet` is a list in another order each time. Such data are refused when a job is enqueued, where the type says so by
    /// its name, or, in builds with debug assertions, where they are found: use a `BTreeSet`.
    pub const fn by_data() -> Self {
        Self::new().and_executor().and_data()
    }

    /// One job with the same key, of whatever executor; see also [`and_executor`](Self::and_executor).
    ///
    /// Keys are compared as JSON, so they mean the same on every platform and in every release. Numbers are compared as they
    /// are written, however long they are. A key that does not encode as JSON is refused when the job is enqueued; so is one
    /// that holds NaN or an infinity, which JSON does not have.
    pub fn by_key<K: Serialize + ?Sized>(key: &K) -> Self {
        Self::new().and_key(key)
    }

    /// One job of any executor in this time.
    #[deprecated(
        note = "write `by_executor().and_within(..)`, or `by_key(..).and_within(..)` for jobs of several executors"
    )]
    pub const fn within(within: TimeDelta) -> Self {
        Self::new().and_within(within)
    }

    /// One job of any executor in these statuses.
    #[deprecated(
        note = "write `by_executor().for_statuses(..)`, or `by_key(..).for_statuses(..)` for jobs of several executors"
    )]
    pub const fn by_statuses(statuses: &[JobStatus]) -> Self {
        Self::new().for_statuses(statuses)
    }

    /// One job of an executor for all the calls that follow each other within `within`: each later one takes the place of the one
    /// before, as long as that has not begun. With [`and_key`](Self::and_key) it is one a key.
    ///
    /// The job is due `within` after the last call, and `longest` after the first one at the latest, so that it runs under calls
    /// that never cease. It takes over the data, the metadata, the priority, the number of attempts and the tags of each call;
    /// headers and the deadline are those of the first. A call that finds its job begun enqueues another, which may run beside it.
    /// A retry takes a later call over, too, and keeps its time if that is later.
    ///
    /// When such a job is due follows from this, so a builder refuses a due time beside it, and
    /// [`for_statuses`](Self::for_statuses) and [`and_within`](Self::and_within) change nothing.
    pub const fn debounce(within: TimeDelta, longest: TimeDelta) -> Self {
        let mut criteria = Self::new().and_executor();
        criteria.on_conflict = Resolution::Debounce(Debounce::new(within, longest));
        criteria
    }

    /// One job of an executor in any window of this length, however the job ends: the first call is enqueued, and those within
    /// `within` after it are not. With [`and_key`](Self::and_key) it is one a key.
    pub const fn throttle(within: TimeDelta) -> Self {
        Self::new().and_executor().and_within(within).for_statuses(JobStatus::ALL)
    }

    /// … and of the same executor.
    pub const fn and_executor(mut self) -> Self {
        self.executor = true;
        self
    }

    /// … and with the same data.
    pub const fn and_data(mut self) -> Self {
        self.data = true;
        self
    }

    /// … and with the same key.
    pub fn and_key<K: Serialize + ?Sized>(mut self, key: &K) -> Self {
        // What does not encode gets the digest of nothing, which `encode` knows and refuses.
        self.key = Some(Json::of(key).map_or(UNENCODABLE, |key| digest(&[key.as_str().as_bytes()])));
        self
    }

    /// … and enqueued less than this long ago. Without it a job is in the way for as long as it is stored.
    pub const fn and_within(mut self, within: TimeDelta) -> Self {
        self.within = Some(within);
        self
    }

    /// Which statuses count. The default is all but cancelled and discarded.
    pub const fn for_statuses(mut self, statuses: &[JobStatus]) -> Self {
        self.statuses = Statuses::of(statuses);
        self
    }

    /// Which statuses count.
    #[deprecated(note = "write `for_statuses(..)`, as `Replace` does")]
    pub const fn and_statuses(self, statuses: &[JobStatus]) -> Self {
        self.for_statuses(statuses)
    }

    /// Leaves the stored job as it is, whatever [`on_conflict`](Self::on_conflict) said before. That is the default.
    pub const fn on_conflict_do_nothing(mut self) -> Self {
        self.on_conflict = Resolution::Ignore;
        self
    }

    /// Lets the stored job take over fields of the new one. The default is to leave it as it is.
    pub const fn on_conflict(mut self, replace: Replace) -> Self {
        self.on_conflict = Resolution::Replace(replace);
        self
    }

    /// Whether the data of a job are a part of what is compared.
    pub(crate) const fn compares_data(&self) -> bool {
        self.data
    }

    /// The form that backends compare, for a job of `executor` with these data as JSON; `None` if the key did not encode, or
    /// the data are no JSON. A builder does this by itself; it is for jobs that are put together by hand.
    pub fn encode(&self, executor: &str, data: &str) -> Option<Unique> {
        if self.key == Some(UNENCODABLE) {
            return None;
        }
        let compared = match self.data {
            true => json::canonical(data)?,
            false => String::new(),
        };
        // What is not compared is left out, and a leading letter for each part keeps the combinations apart.
        let letter = |present, letter| if present { letter } else { b'-' };
        let scope = [letter(self.executor, b'e'), letter(self.data, b'd'), letter(self.key.is_some(), b'k')];
        let executor = if self.executor { executor.as_bytes() } else { b"" };
        let whole =
            digest(&[b"rexecutor 1", &scope, executor, compared.as_bytes(), self.key.as_ref().map_or(&[], |key| key)]);
        let mut key = [0; 16];
        key.copy_from_slice(&whole[..16]);
        key[15] = key[15] & !1 | u8::from(self.data);
        let unique = match self.on_conflict {
            Resolution::Debounce(_) => Unique::new(UniqueKey(key), WAITING),
            _ => Unique::new(UniqueKey(key), self.statuses).with_within(self.within),
        };
        Some(unique.with_on_conflict(self.on_conflict))
    }
}

/// What has not begun, or will begin again.
const WAITING: Statuses = Statuses::of(&[JobStatus::Scheduled, JobStatus::Retryable]);

const UNENCODABLE: [u8; 32] = [0; 32];

/// SHA-256 over the parts, each preceded by its length, so that no two lists of parts run together.
fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(criteria: UniquenessCriteria<'_>, executor: &str, data: &str) -> UniqueKey {
        criteria.encode(executor, data).unwrap().key
    }

    /// Trap 24: the key's hash changes with the Rust version or the platform. This value must never change.
    #[test]
    fn trap_24_keys_are_the_same_for_ever() {
        let hex: String = key(UniquenessCriteria::by_data(), "mail", r#"{"b":1,"a":[2]}"#)
            .0
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        assert_eq!(hex, "33bfe2822871509906c84ef967397a3f");
    }

    #[test]
    fn keys_differ_with_what_is_compared_and_with_nothing_else() {
        let by_executor = UniquenessCriteria::by_executor;
        let by_data = UniquenessCriteria::by_data;
        let by_key = UniquenessCriteria::by_key::<str>;
        assert_eq!(key(by_executor(), "a", "1"), key(by_executor(), "a", "2"));
        assert_ne!(key(by_executor(), "a", "1"), key(by_executor(), "b", "1"));
        assert_ne!(key(by_data(), "a", "1"), key(by_data(), "a", "2"));
        assert_eq!(key(by_data(), "a", r#"{"x":1,"y":2}"#), key(by_data(), "a", r#"{"y":2,"x":1}"#));
        assert_eq!(key(by_key("k"), "a", "1"), key(by_key("k"), "b", "2"));
        assert_ne!(key(by_key("k").and_executor(), "a", "1"), key(by_key("k").and_executor(), "b", "1"));
        assert_ne!(key(by_key("k"), "a", "1"), key(by_key("l"), "a", "1"));
        assert_ne!(key(by_key("a"), "", "1"), key(by_executor(), "a", "1"));
    }

    #[test]
    fn a_key_that_does_not_encode_is_noticed() {
        let bad = std::collections::HashMap::from([((1, 2), 3)]);
        assert_eq!(UniquenessCriteria::by_key(&bad).encode("a", "1"), None);
    }

    /// Case 24: numbers of more than 64 bits were compared as doubles.
    #[test]
    fn case_24_neighbours_of_more_than_64_bits_are_two_keys() {
        let by_data = UniquenessCriteria::by_data;
        let pairs = [
            (u128::MAX.to_string(), (u128::MAX - 1).to_string()),
            (i128::MIN.to_string(), (i128::MIN + 1).to_string()),
            ((1_u128 << 70).to_string(), ((1_u128 << 70) + 1).to_string()),
        ];
        for (one, other) in pairs {
            assert_ne!(key(by_data(), "a", &one), key(by_data(), "a", &other), "{one}");
            let [one, other] = [one, other].map(|number| format!("{{\"id\":[{number}]}}"));
            assert_ne!(key(by_data(), "a", &one), key(by_data(), "a", &other), "{one}");
        }
        let by_key = |number: u128| key(UniquenessCriteria::by_key(&number), "a", "1");
        assert_eq!(by_key(u128::MAX), by_key(u128::MAX));
        assert_ne!(by_key(u128::MAX), by_key(u128::MAX - 1));
    }

    /// Case 33: JSON has no NaN, and `serde_json` writes `null` for it.
    #[test]
    fn case_33_a_key_that_is_not_a_number_is_no_key() {
        assert_eq!(UniquenessCriteria::by_key(&f64::NAN).encode("a", "1"), None);
        assert_eq!(UniquenessCriteria::by_key(&("a", [f32::INFINITY])).encode("a", "1"), None);
        assert!(UniquenessCriteria::by_key(&None::<f64>).encode("a", "1").is_some());
    }
}
