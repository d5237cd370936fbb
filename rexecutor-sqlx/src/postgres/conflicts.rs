//! Which jobs of one call can be decided on together, where some of them must not exist beside others.

use std::collections::HashMap;

use rexecutor::{
    backend::{Due, Enqueued, NewJob, Unique},
    job::{
        JobId, JobStatus,
        uniqueness_criteria::{Resolution, UniqueKey},
    },
};

/// Jobs that can be decided on together: no two of them have one key.
pub(crate) struct Round {
    /// With their places.
    pub(crate) jobs: Vec<(usize, NewJob)>,
    /// Jobs that an earlier one of the round stands in the way of, whatever becomes of that one, and what they do to it.
    pub(crate) same: Vec<(usize, usize, Same)>,
    pub(crate) length: usize,
}

/// What a job does to an earlier one of its round.
#[derive(Clone, Copy)]
pub(crate) enum Same {
    /// It leaves it as it is.
    Ignored,
    /// It has taken its place.
    Debounced,
}

impl Same {
    pub(crate) fn answer(self, id: JobId) -> Enqueued {
        match self {
            Self::Ignored => Enqueued::Existing(id),
            Self::Debounced => Enqueued::Replaced(id),
        }
    }
}

impl Round {
    /// Takes the first jobs that can be, at most `most`.
    pub(crate) fn take(jobs: &mut std::iter::Peekable<std::vec::IntoIter<NewJob>>, most: usize) -> Self {
        let mut round = Self { jobs: Vec::new(), same: Vec::new(), length: 0 };
        let mut seen: HashMap<UniqueKey, (usize, Unique)> = HashMap::new();
        while round.jobs.len() < most
            && let Some(job) = jobs.peek()
        {
            let earlier = job.unique.as_ref().and_then(|unique| Some((unique, seen.get(&unique.key)?)));
            match earlier {
                Some((unique, (place, first))) if is_settled_by(unique, first) => {
                    round.same.push((round.length, *place, Same::Ignored));
                    jobs.next();
                }
                Some((unique, (place, first))) if unique == first && round.waits_for(*place, job) => {
                    let place = *place;
                    let Some(later) = jobs.next() else { break };
                    round.debounce(place, later);
                }
                Some(_) => break,
                None => {
                    let Some(job) = jobs.next() else { break };
                    if let Some(unique) = &job.unique {
                        seen.insert(unique.key, (round.length, unique.clone()));
                    }
                    round.jobs.push((round.length, job));
                }
            }
            round.length += 1;
        }
        round
    }

    fn place_of(&self, place: usize) -> Option<usize> {
        self.jobs.binary_search_by_key(&place, |(known, _)| *known).ok()
    }

    /// Whether the job at a place, which is stored or takes the place of a stored one in the same moment, waits for a later one.
    fn waits_for(&self, place: usize, later: &NewJob) -> bool {
        let Some((_, first)) = self.place_of(place).and_then(|at| self.jobs.get(at)) else { return false };
        let Some(Resolution::Debounce(debounce)) = later.unique.as_ref().map(|unique| unique.on_conflict) else {
            return false;
        };
        let covers = |unique: &Unique| PENDING.iter().all(|status| unique.statuses.contains(*status));
        let waits =
            |job: &NewJob| (&job.executor, job.due, job.blocked) == (&first.executor, Due::In(debounce.within), false);
        later.unique.as_ref().is_some_and(covers) && waits(first) && waits(later)
    }

    /// Lets a job take the place of an earlier one. What few jobs have stays with the first one, as it does in a row.
    fn debounce(&mut self, place: usize, later: NewJob) {
        if let Some((_, first)) = self.place_of(place).and_then(|at| self.jobs.get_mut(at)) {
            let extras = std::mem::take(&mut first.extras);
            *first = later;
            first.extras = extras;
        }
        self.same.push((self.length, place, Same::Debounced));
    }
}

const PENDING: [JobStatus; 2] = [JobStatus::Scheduled, JobStatus::Retryable];

/// Whether the job that stands for the first one stands in the way of the second, too, and is left as it is.
fn is_settled_by(second: &Unique, first: &Unique) -> bool {
    second == first && second.on_conflict == Resolution::Ignore && second.statuses.contains(JobStatus::Scheduled)
}
