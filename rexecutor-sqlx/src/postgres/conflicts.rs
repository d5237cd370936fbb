//! Which jobs of one call can be decided on together, where some of them must not exist beside others.

use std::collections::HashMap;

use rexecutor::{
    backend::{NewJob, Unique},
    job::{
        JobStatus,
        uniqueness_criteria::{Resolution, UniqueKey},
    },
};

/// Jobs that can be decided on together: no two of them have one key.
pub(crate) struct Round {
    /// With their places.
    pub(crate) jobs: Vec<(usize, NewJob)>,
    /// Jobs that an earlier one of the round stands in the way of, whatever becomes of that one.
    pub(crate) same: Vec<(usize, usize)>,
    pub(crate) length: usize,
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
                    round.same.push((round.length, *place));
                    jobs.next();
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
}

/// Whether the job that stands for the first one stands in the way of the second, too, and is left as it is.
fn is_settled_by(second: &Unique, first: &Unique) -> bool {
    second == first && second.on_conflict == Resolution::Ignore && second.statuses.contains(JobStatus::Scheduled)
}
