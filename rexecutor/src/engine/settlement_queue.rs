//! Outcomes on their way to the backend.
//!
//! # Invariants
//!
//! - An outcome leaves the settlements only when the backend has stored or refused it.
//! - One batch is under way at a time; meanwhile the next one gathers. So a lone outcome goes out at once, and many go
//!   out together.
//! - One that the backend refuses to store, again and again, keeps no other one from being stored: a batch that fails for good
//!   goes out again one by one, and what fails then is set apart, and tried by itself from time to time.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
    task::{Context, Poll},
};

use futures::{FutureExt, future::BoxFuture};

use super::{outage::Outage, plain};
use crate::{
    backend::Backend,
    model::{BackendError, JobId, Lease, NewJob, Outcome, Result, Settlement},
};

/// How many outcomes go out together.
const BATCH: usize = 500;

/// … and how many bytes of outputs, and of jobs that follow, about.
const BATCH_BYTES: usize = 4 << 20;

/// How many may wait before the node stops claiming.
pub(super) const MOST_WAITING: usize = 10_000;

/// How many may fail for good, one after the other, before the backend itself is taken to fail.
const MOST_FAILED: usize = 4;

type Answer = Result<Vec<(JobId, Lease)>>;

/// Outcomes on their way to the backend.
pub(super) struct SettlementQueue {
    backend: Arc<dyn Backend>,
    outage: Outage,
    waiting: VecDeque<Settlement>,
    /// How many of those that wait go out one by one, because one of them has failed the others.
    alone: usize,
    step: Option<Step>,
    /// How many have failed for good, one after the other.
    failed: usize,
    /// Those that cannot be stored, and when they are tried again.
    apart: VecDeque<Settlement>,
    apart_outage: Outage,
    apart_pause: Option<BoxFuture<'static, ()>>,
}

/// What the settlements waits for.
enum Step {
    Settling(Arc<[Settlement]>, Kind, BoxFuture<'static, Answer>),
    Pausing(BoxFuture<'static, ()>),
}

/// What is sent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// As many as there are.
    Batch,
    /// One of a batch that has failed.
    Alone,
    /// One that was set apart.
    Apart,
}

impl Step {
    /// The backend's answer, if it was asked.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Answer>> {
        match self {
            Self::Settling(_, _, answer) => answer.poll_unpin(context).map(Some),
            Self::Pausing(pause) => pause.poll_unpin(context).map(|()| None),
        }
    }
}

/// How many of those that wait go out together, which is one at least.
fn batch(waiting: &VecDeque<Settlement>) -> usize {
    let mut bytes = 0;
    let fits = |settlement: &&Settlement| {
        let is_next = bytes < BATCH_BYTES;
        if let Outcome::Complete { output, jobs, .. } = &settlement.outcome {
            bytes += output.as_ref().map_or(0, String::len);
            bytes += jobs.iter().flatten().map(NewJob::content_bytes).sum::<usize>();
        }
        is_next
    };
    waiting.iter().take(BATCH).take_while(fits).count()
}

impl SettlementQueue {
    /// The second outage is that of outcomes that cannot be stored.
    pub(super) fn new(backend: Arc<dyn Backend>, outage: Outage, apart_outage: Outage) -> Self {
        Self {
            backend,
            outage,
            waiting: VecDeque::new(),
            alone: 0,
            step: None,
            failed: 0,
            apart: VecDeque::new(),
            apart_outage,
            apart_pause: None,
        }
    }

    pub(super) fn push(&mut self, settlement: Settlement) {
        self.waiting.push_back(settlement);
    }

    /// How many wait, but for those under way.
    pub(super) fn len(&self) -> usize {
        self.waiting.len() + self.apart.len()
    }

    /// Whose outcomes are not stored yet, as far as is known.
    pub(super) fn runs(&self) -> BTreeSet<(JobId, Lease)> {
        let under_way = match &self.step {
            Some(Step::Settling(batch, ..)) => &batch[..],
            Some(Step::Pausing(_)) | None => &[],
        };
        under_way
            .iter()
            .chain(&self.waiting)
            .chain(&self.apart)
            .map(|settlement| (settlement.id, settlement.lease))
            .collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0 && self.step.is_none()
    }

    /// Whether nothing is left but what cannot be stored.
    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && matches!(self.step, None | Some(Step::Settling(_, Kind::Apart, _)))
    }

    /// Sends what waits and takes in the answers; whether anything came of it.
    pub(super) fn advance(&mut self, context: &mut Context<'_>) -> bool {
        let mut has_advanced = false;
        while self.step.is_some() || self.send(context) {
            let Some(step) = &mut self.step else { continue };
            let Poll::Ready(answer) = step.poll(context) else { return has_advanced };
            let step = self.step.take();
            if let (Some(Step::Settling(batch, kind, _)), Some(answer)) = (step, answer) {
                self.answered(&batch, kind, answer);
            }
            has_advanced = true;
        }
        has_advanced
    }

    /// Sends what is next; whether there is anything.
    fn send(&mut self, context: &mut Context<'_>) -> bool {
        let is_time = self.apart_pause.as_mut().is_none_or(|pause| pause.poll_unpin(context).is_ready());
        let (batch, kind): (Arc<[_]>, _) = match self.apart.front().filter(|_| is_time) {
            Some(first) => ([first.clone()].into(), Kind::Apart),
            None if self.waiting.is_empty() => return false,
            None if self.alone > 0 => {
                self.alone -= 1;
                (self.waiting.drain(..1).collect(), Kind::Alone)
            }
            None => (self.waiting.drain(..batch(&self.waiting)).collect(), Kind::Batch),
        };
        if kind == Kind::Apart {
            self.apart_pause = None;
            self.apart.pop_front();
        }
        let (backend, settlements) = (self.backend.clone(), batch.clone());
        let answer = Box::pin(async move { backend.settle(settlements).await });
        self.step = Some(Step::Settling(batch, kind, answer));
        true
    }

    fn answered(&mut self, batch: &[Settlement], kind: Kind, answer: Answer) {
        match answer {
            Ok(refused) => {
                self.outage.is_over();
                if kind == Kind::Apart {
                    self.apart_outage.is_over();
                }
                self.failed = 0;
                for (id, lease) in refused {
                    // Also what a retry finds whose first try was stored and whose answer was lost.
                    tracing::debug!(job.id = %id, job.lease = %lease, "the job has moved on, its outcome is refused");
                }
            }
            Err(error) => match (kind, batch) {
                // Its pause keeps nobody else waiting.
                (Kind::Apart, _) => self.set_apart(batch, &error),
                (_, [one]) if !error.is_transient() => self.failed_alone(one, &error),
                _ if error.is_transient() => {
                    let alone = self.alone + usize::from(kind == Kind::Alone);
                    self.put_back(batch, alone);
                    self.step = Some(Step::Pausing(self.outage.failed(&error)));
                }
                _ => self.put_back(batch, batch.len()),
            },
        }
    }

    /// Puts a batch back to where it came from; so many go out one by one.
    fn put_back(&mut self, batch: &[Settlement], alone: usize) {
        batch.iter().rev().for_each(|settlement| self.waiting.push_front(settlement.clone()));
        self.alone = alone;
    }

    /// One fails for good: what it says may be what cannot be stored.
    fn failed_alone(&mut self, settlement: &Settlement, error: &BackendError) {
        self.failed += 1;
        match plain::plain(settlement) {
            Some(plain) => {
                tracing::warn!(
                    job.id = %settlement.id,
                    error = error as &dyn std::error::Error,
                    "an outcome cannot be stored as it is: its text is stored in ASCII"
                );
                self.put_back(&[plain], self.alone + 1);
            }
            None => {
                tracing::error!(
                    job.id = %settlement.id,
                    outcome = settlement.outcome.as_str(),
                    error = error as &dyn std::error::Error,
                    "an outcome cannot be stored: it is tried again by itself"
                );
                self.set_apart(std::slice::from_ref(settlement), error);
            }
        }
        // One after the other fails: then it is not what they say.
        if self.failed > MOST_FAILED {
            self.step = Some(Step::Pausing(self.outage.failed(error)));
        }
    }

    fn set_apart(&mut self, batch: &[Settlement], error: &BackendError) {
        self.apart.extend(batch.iter().cloned());
        self.apart_pause = Some(self.apart_outage.failed(error));
    }
}
