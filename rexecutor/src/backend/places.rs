//! How many more jobs of an executor may wait.

use std::collections::BTreeMap;

use crate::model::{BackendError, ExecutorName, NewJob};

/// The places that a call wants in the queue of an executor, where only so many jobs may wait.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Places {
    /// Whose queue.
    pub executor: ExecutorName,
    /// How many may wait in it.
    pub max_pending: usize,
    /// How many the call adds.
    pub count: usize,
}

impl Places {
    /// That it may be granted at all.
    ///
    /// # Errors
    ///
    /// When there would be no room in an empty queue.
    pub fn check(&self) -> Result<(), BackendError> {
        match self.count > self.max_pending {
            true => Err(BackendError::of_small_queue(&self.executor, self.max_pending, self.count)),
            false => Ok(()),
        }
    }

    /// What the caller is told when it is not.
    pub fn refused(&self) -> BackendError {
        BackendError::of_full_queue(self.executor.clone(), self.max_pending)
    }

    /// How many places a process takes at once, so that few of its calls have to ask.
    pub fn batch(&self) -> usize {
        let few = (self.max_pending / 50).clamp(20, 1_000).min(self.max_pending / 4);
        few.max(self.count)
    }
}

/// The places that these jobs want: none, for most. Where two of an executor differ, the lower limit counts.
pub fn places(jobs: &[NewJob]) -> Vec<Places> {
    let mut wanted: BTreeMap<&ExecutorName, (usize, usize)> = BTreeMap::new();
    for job in jobs {
        if let Some(max_pending) = job.extras.max_pending {
            let (most, count) = wanted.entry(&job.executor).or_insert((max_pending, 0));
            (*most, *count) = (max_pending.min(*most), *count + 1);
        }
    }
    let places = |(executor, (max_pending, count)): (&ExecutorName, _)| Places {
        executor: executor.clone(),
        max_pending,
        count,
    };
    wanted.into_iter().map(places).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_by_executor_and_taken_in_batches() {
        let job = |name: &'static str, most| NewJob::new(name, "1").with_max_pending(most);
        assert_eq!(places(&[job("plain", None)]), []);
        let found = places(&[job("a", Some(5)), job("b", Some(100_000)), job("a", Some(4)), job("plain", None)]);
        let counts: Vec<_> = found.iter().map(|wanted| (wanted.max_pending, wanted.count, wanted.batch())).collect();
        assert_eq!(counts, [(4, 2, 2), (100_000, 1, 1_000)]);
        assert!(found[0].check().is_ok());
        let many = Places { count: 5, ..found[0].clone() };
        assert!(!many.check().unwrap_err().is_transient(), "it would never pass");
        assert!(many.refused().is_transient());
        assert_eq!(Places { max_pending: 1_000, ..found[1].clone() }.batch(), 20);
    }
}
