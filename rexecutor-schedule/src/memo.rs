//! The answer that was found last.
//!
//! A ticker asks about the same tick again and again: whether it is owed, whether another one is, how long to sleep.

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};

/// Between which two instants there is no tick; the second one is a tick, or there is none any more.
type Gap = (DateTime<Utc>, Option<DateTime<Utc>>);

/// The gap that was found last.
#[derive(Debug, Default)]
pub(crate) struct Memo(Mutex<Option<Gap>>);

impl Memo {
    /// The first tick after `after`, which `search` finds if it is not known.
    pub(crate) fn or_else(
        &self,
        after: DateTime<Utc>,
        search: impl FnOnce() -> Option<DateTime<Utc>>,
    ) -> Option<DateTime<Utc>> {
        let known = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((from, next)) = known
            && from <= after
            && next.is_none_or(|next| after < next)
        {
            return next;
        }
        let next = search();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((after, next));
        next
    }
}

impl Clone for Memo {
    fn clone(&self) -> Self {
        Self::default()
    }
}
