//! The streams of running jobs.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::id::{JobId, Lease};

/// A chunk that a run adds to the stream of its job.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewChunk {
    /// The job.
    pub job: JobId,
    /// Where it stands.
    pub offset: Offset,
    /// The attempt that gives it.
    pub attempt: u16,
    /// What it says.
    pub text: String,
}

impl NewChunk {
    /// What the run that holds the offset's lease says.
    pub fn new(job: JobId, offset: Offset, attempt: u16, text: impl Into<String>) -> Self {
        Self { job, offset, attempt, text: text.into() }
    }
}

/// A part of what a running job streams: what one call of [`emit`](crate::JobContext::emit) was given, or a part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Chunk {
    /// Where it stands in the stream: whoever reads on starts after it.
    pub offset: Offset,
    /// The attempt that gave it. One that is higher than before has begun anew, as a rule.
    pub attempt: u16,
    /// What it says.
    pub text: String,
}

impl Chunk {
    /// What stands there.
    pub fn new(offset: Offset, attempt: u16, text: impl Into<String>) -> Self {
        Self { offset, attempt, text: text.into() }
    }
}

/// Where a [`Chunk`] stands in the stream of its job: offsets rise, and say nothing else. As text, such as `1-17`, it can be the `id`
/// of a server-sent event.
///
/// ```
/// use rexecutor::results::Offset;
///
/// let offset: Offset = "1-17".parse()?;
/// assert_eq!(offset.to_string(), "1-17");
/// assert!(offset > Offset::START);
/// # Ok::<(), rexecutor::results::ParseOffsetError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Offset {
    lease: Lease,
    number: u32,
}

impl Offset {
    /// Before the first chunk.
    pub const START: Self = Self { lease: Lease(0), number: 0 };

    /// That of a run's chunk, counted from 1.
    pub const fn new(lease: Lease, number: u32) -> Self {
        Self { lease, number }
    }

    /// The run that gave the chunk.
    pub const fn lease(self) -> Lease {
        self.lease
    }

    /// Which of the run's chunks it is, counted from 1.
    pub const fn number(self) -> u32 {
        self.number
    }
}

impl Default for Offset {
    fn default() -> Self {
        Self::START
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.lease.0, self.number)
    }
}

impl FromStr for Offset {
    type Err = ParseOffsetError;

    fn from_str(text: &str) -> Result<Self, ParseOffsetError> {
        let parsed = text.split_once('-').and_then(|(lease, number)| {
            let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
            let are_digits = digits(lease) && digits(number);
            are_digits.then(|| Some(Self { lease: Lease(lease.parse().ok()?), number: number.parse().ok()? })).flatten()
        });
        parsed.ok_or(ParseOffsetError(()))
    }
}

impl From<Offset> for String {
    fn from(offset: Offset) -> Self {
        offset.to_string()
    }
}

impl TryFrom<String> for Offset {
    type Error = ParseOffsetError;

    fn try_from(text: String) -> Result<Self, ParseOffsetError> {
        text.parse()
    }
}

/// A text that is no [`Offset`].
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an offset of a stream: two numbers with a hyphen between them were expected, as in `1-17`")]
pub struct ParseOffsetError(());

crate::debug_as_sentence!(ParseOffsetError);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_15_3_an_offset_comes_back_from_its_text_and_nothing_else_is_one() {
        let last = Offset::new(Lease(i64::MAX), u32::MAX);
        assert_eq!([Offset::START, last].map(|offset| offset.to_string().parse()), [Ok(Offset::START), Ok(last)]);
        for text in ["", "1", "1-", "-1-2", "1-+2", "1-2-3", "a-1", "1-4294967296", " 1-1"] {
            assert!(text.parse::<Offset>().is_err(), "{text:?}");
        }
        assert!(Offset::new(Lease(2), 1) > Offset::new(Lease(1), 9));
    }
}
