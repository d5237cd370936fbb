//! Enqueuing together with whoever comes at the same time.

use std::{collections::BTreeSet, error::Error};

use rexecutor::{
    backend::{BackendError, Enqueued, NewJob, Result},
    clock::{Clock, SystemClock},
    job::ExecutorName,
};
use tokio::sync::oneshot;

use super::{
    backend::PgBackend,
    enqueue::{CHUNK, CHUNK_BYTES, executors},
    group_commit::Waiting,
    session::{Progress, check_runtime},
};

const WHAT: &str = "could not store jobs";

impl PgBackend {
    /// Stores jobs together with those of others who come at the same time.
    pub(super) async fn enqueue_in_group(&self, jobs: Vec<NewJob>) -> Result<Vec<Enqueued>> {
        check_runtime("could not store jobs")?;
        let (answer, mut answered) = oneshot::channel();
        self.0.group_commit.put(Waiting { jobs, answer });
        let backend = self.clone();
        // A task of its own: a caller that gives up must not take the others' jobs down with it.
        let mut storing = tokio::spawn(async move { backend.store_group().await });
        let limit = SystemClock.sleep(self.0.options.timeout);
        let answer = async {
            tokio::select! {
                biased;
                answer = &mut answered => return answer,
                _ = &mut storing => {}
            }
            answered.await
        };
        tokio::select! {
            biased;
            answer = answer => answer.unwrap_or_else(|_| Err(lost())),
            // Whoever had the turn before may have waited for as long.
            () = limit => Err(self.0.too_late(WHAT)),
        }
    }

    async fn store_group(&self) {
        let turn = self.0.group_commit.turn.lock().await;
        let mut group = self.0.group_commit.take(CHUNK, CHUNK_BYTES);
        if group.is_empty() {
            return;
        }
        let counts: Vec<usize> = group.iter().map(|waiting| waiting.jobs.len()).collect();
        let all: Vec<NewJob> = match &mut group[..] {
            // They are not needed again: there are no others for whose sake they would be tried by themselves.
            [alone] => std::mem::take(&mut alone.jobs),
            many => many.iter().flat_map(|waiting| waiting.jobs.iter().cloned()).collect(),
        };
        let executors: BTreeSet<ExecutorName> = executors(&all);
        let answer = self.0.limited(WHAT, self.0.store(all, &Progress::default())).await;
        drop(turn);
        match answer {
            Ok(mut answers) => {
                self.0.wake_and_tell(executors).await;
                for (Waiting { answer, .. }, count) in group.into_iter().zip(counts) {
                    let rest = answers.split_off(count.min(answers.len()));
                    let _ = answer.send(Ok(std::mem::replace(&mut answers, rest)));
                }
            }
            // One caller's jobs must not fail the others': each has a transaction of its own.
            Err(error) if group.len() > 1 && !error.is_transient() => {
                for Waiting { jobs, answer } in group {
                    let _ = answer.send(self.store(jobs).await);
                }
            }
            Err(error) => group.into_iter().for_each(|waiting| drop(waiting.answer.send(Err(copy(&error))))),
        }
    }
}

fn lost() -> BackendError {
    BackendError::transient("the jobs may not have been stored", "the runtime is ending")
}

/// The same error for another caller.
fn copy(error: &BackendError) -> BackendError {
    let message = error.source().map(rexecutor::__private::chain).unwrap_or_default();
    match error.is_transient() {
        true => BackendError::transient(error.to_string(), message),
        false => BackendError::permanent(error.to_string(), message),
    }
}
