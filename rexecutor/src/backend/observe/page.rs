//! Pages of jobs.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};

use crate::model::{Filter, JobId, JobRow, JobStatus};

/// In which order jobs come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum JobOrder {
    /// By number, the highest first: as they were enqueued, the newest first.
    #[default]
    Newest,
    /// By number, the lowest first.
    Oldest,
    /// Jobs that wait, by due time, the next first.
    Due,
    /// Finished jobs by the time at which they finished, the last first.
    Finished,
}

impl JobOrder {
    /// Every order.
    pub const ALL: &[Self] = &[Self::Newest, Self::Oldest, Self::Due, Self::Finished];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Newest => "newest",
            Self::Oldest => "oldest",
            Self::Due => "due",
            Self::Finished => "finished",
        }
    }

    /// The order of this word.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|order| order.as_str() == word)
    }

    /// Which statuses have a place in it.
    pub const fn has(self, status: JobStatus) -> bool {
        match self {
            Self::Newest | Self::Oldest => true,
            Self::Due => status.is_pending(),
            Self::Finished => status.is_finished(),
        }
    }

    /// Where a job stands in it; `None`: nowhere.
    pub fn position(self, job: &JobRow) -> Option<Position> {
        let at = match self {
            Self::Newest | Self::Oldest => DateTime::UNIX_EPOCH,
            Self::Due => job.scheduled_at,
            Self::Finished => job.finished_at()?,
        };
        self.has(job.status).then_some(Position { at, id: job.id })
    }

    /// Whether a job at `position` comes behind one at `other`.
    pub fn is_behind(self, position: Position, other: Position) -> bool {
        match self {
            Self::Newest | Self::Finished => position < other,
            Self::Oldest | Self::Due => position > other,
        }
    }
}

/// Where a job stands in an order. As a text it is two numbers with a point between them, for an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// When it is due, or has finished; 1970, where that is of no account.
    pub at: DateTime<Utc>,
    /// Its number.
    pub id: JobId,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.at.timestamp_micros(), self.id)
    }
}

/// A text that is no [`Position`].
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no position in a list of jobs; expected microseconds and a number, as in `0.42`")]
pub struct UnknownPosition(String);

crate::debug_as_sentence!(UnknownPosition);

impl FromStr for Position {
    type Err = UnknownPosition;

    fn from_str(text: &str) -> Result<Self, UnknownPosition> {
        let unknown = || UnknownPosition(text.to_owned());
        let (micros, id) = text.split_once('.').ok_or_else(unknown)?;
        let (micros, id): (i64, i64) = micros.parse().ok().zip(id.parse().ok()).ok_or_else(unknown)?;
        let at = DateTime::from_timestamp_micros(micros).ok_or_else(unknown)?;
        Ok(Self { at, id: id.into() })
    }
}

/// Which jobs are wanted.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct JobsRequest {
    /// Which match.
    pub filter: Filter,
    /// In which order.
    pub order: JobOrder,
    /// Behind which position; `None`: from the start.
    pub after: Option<Position>,
    /// How many at most, up to [`MOST`](Self::MOST).
    pub limit: usize,
}

impl JobsRequest {
    /// The most jobs that a page has.
    pub const MOST: usize = 1_000;

    /// The newest 50 that match.
    pub fn new(filter: Filter) -> Self {
        Self { filter, order: JobOrder::Newest, after: None, limit: 50 }
    }

    /// In this order.
    #[must_use]
    pub fn in_order(self, order: JobOrder) -> Self {
        Self { order, ..self }
    }

    /// Behind this position.
    #[must_use]
    pub fn after(self, after: Option<Position>) -> Self {
        Self { after, ..self }
    }

    /// At most so many.
    #[must_use]
    pub fn at_most(self, limit: usize) -> Self {
        Self { limit, ..self }
    }

    /// How many a page has at most.
    pub fn size(&self) -> usize {
        self.limit.clamp(1, Self::MOST)
    }
}

/// A page of jobs.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct JobsPage {
    /// The jobs.
    pub jobs: Vec<JobRow>,
    /// Behind which position the next page begins; `None`: this is the last one.
    pub next: Option<Position>,
    /// Whether it ends because enough rows were looked at: then there may be jobs that match behind `next`, or none.
    pub is_partial: bool,
    /// The backend's present.
    pub now: DateTime<Utc>,
}

impl JobsPage {
    /// The last page.
    pub fn last(jobs: Vec<JobRow>, now: DateTime<Utc>) -> Self {
        Self { jobs, next: None, is_partial: false, now }
    }

    /// A full page, behind whose last job there is another one.
    pub fn full(jobs: Vec<JobRow>, next: Option<Position>, now: DateTime<Utc>) -> Self {
        Self { jobs, next, is_partial: false, now }
    }

    /// A page that ends because enough rows were looked at.
    pub fn partial(jobs: Vec<JobRow>, next: Position, now: DateTime<Utc>) -> Self {
        Self { jobs, next: Some(next), is_partial: true, now }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_read_from_its_own_text_and_from_nothing_else() {
        let position = Position { at: DateTime::from_timestamp_micros(-7).unwrap(), id: i64::MAX.into() };
        assert_eq!(position.to_string().parse(), Ok(position));
        for text in ["", "7", "7.", ".7", "7.x", "9223372036854775807.1", "1.9223372036854775808", "1.2.3"] {
            assert!(text.parse::<Position>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_order_is_read_from_its_own_word() {
        for order in JobOrder::ALL {
            assert_eq!(JobOrder::of_word(order.as_str()), Some(*order));
        }
        assert_eq!(JobOrder::of_word("random"), None);
    }
}
