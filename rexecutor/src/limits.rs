//! What is accepted, at most.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

/// The longest delay: 1,000 years of 365 days.
pub const MAX_DELAY: TimeDelta = TimeDelta::days(365_000);

/// The most bytes that a job's encoded data, and its metadata, may each have, unless
/// [`Executor::MAX_DATA_BYTES`](crate::executor::Executor::MAX_DATA_BYTES) says otherwise: 1 MiB.
pub const MAX_DATA_BYTES: usize = 1024 * 1024;

/// The deepest nesting of JSON that can be read back: `serde_json` refuses to read 128 levels.
pub const MAX_DEPTH: usize = 127;

/// The most bytes that the names and values of a job's headers may have together: 8 KiB.
pub const MAX_HEADER_BYTES: usize = 8 * 1024;

/// The most conditions that one query may have: 10,000. A list of ids, statuses or tags is one condition.
pub const MAX_CONDITIONS: usize = 10_000;

/// How deep `and`, `or` and `!` may be nested in a query: 100. A chain of one of them is one level, however long it is.
pub const MAX_CONDITION_DEPTH: usize = 100;

/// The most failed attempts that are kept with a job: 20, which are the first and the newest 19. Each says at most 64 KiB.
pub const MAX_ERRORS: usize = 20;

/// How long a job that does not decode waits for a version of the program that can read it: 24 hours. Then it is discarded,
/// with its data as they are.
pub const MAX_DEFERRAL: TimeDelta = TimeDelta::hours(24);

/// The highest priority: 999, so that there are 1,000 of them. A claim looks at each priority that has waiting jobs, due or not:
/// with 65,536 of them it took half a second.
pub const MAX_PRIORITY: u16 = 999;

/// The most tags that a job may have: 100.
pub const MAX_TAGS: usize = 100;

/// The shortest snooze: 100 ms. A job that snoozes for less, or for zero, waits this long: else it would run without a pause.
pub const MIN_SNOOZE: TimeDelta = TimeDelta::milliseconds(100);

/// The longest key of a job, for limits of so many a key, in bytes.
pub const MAX_KEY_BYTES: usize = 255;

/// The longest tag, in bytes.
pub const MAX_TAG_BYTES: usize = 255;

/// The most bytes that the [stream](crate::JobContext::emit) of a job may have: 4 MiB.
pub const MAX_STREAM_BYTES: usize = 4 * 1024 * 1024;

/// The most bytes that a chunk of a stream has: 32 KiB. What is longer is several chunks.
pub const MAX_CHUNK_BYTES: usize = 32 * 1024;

/// Whether every backend can store this instant: the years 1 to 9999.
pub fn is_storable(instant: DateTime<Utc>) -> bool {
    let bound = |year| NaiveDate::from_ymd_opt(year, 1, 1).unwrap_or_default();
    (bound(1)..bound(10_000)).contains(&instant.date_naive())
}
