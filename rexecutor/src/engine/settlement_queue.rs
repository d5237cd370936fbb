//! Outcomes on their way to the backend.
//!
//! # Invariants
//!
//! - An outcome leaves the settlements only when the backend has stored or refused it.
//! - One batch is under way at a time; meanwhile the next one gathers. So a lone outcome goes out at once, and many go
//!   out together.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
    task::{Context, Poll},
};

use futures::{FutureExt, future::BoxFuture};

use super::outage::Outage;
use crate::{
    backend::Backend,
    model::{JobId, Lease, Result, Settlement},
};

/// How many outcomes go out together.
const BATCH: usize = 500;

/// How many may wait before the node stops claiming.
pub(super) const MOST_WAITING: usize = 10_000;

type Answer = Result<Vec<(JobId, Lease)>>;

/// Outcomes on their way to the backend.
pub(super) struct SettlementQueue {
    backend: Arc<dyn Backend>,
    outage: Outage,
    waiting: VecDeque<Settlement>,
    step: Option<Step>,
    batch: usize,
}

/// What the settlements waits for.
enum Step {
    Settling(Arc<[Settlement]>, BoxFuture<'static, Answer>),
    Pausing(BoxFuture<'static, ()>),
}

impl Step {
    /// The backend's answer, if it was asked.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Answer>> {
        match self {
            Self::Settling(_, answer) => answer.poll_unpin(context).map(Some),
            Self::Pausing(pause) => pause.poll_unpin(context).map(|()| None),
        }
    }
}

impl SettlementQueue {
    pub(super) fn new(backend: Arc<dyn Backend>, outage: Outage) -> Self {
        Self { backend, outage, waiting: VecDeque::new(), step: None, batch: BATCH }
    }

    pub(super) fn push(&mut self, settlement: Settlement) {
        self.waiting.push_back(settlement);
    }

    /// How many wait, but for those under way.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whose outcomes are not stored yet, as far as is known.
    pub(super) fn runs(&self) -> BTreeSet<(JobId, Lease)> {
        let under_way = match &self.step {
            Some(Step::Settling(batch, _)) => &batch[..],
            Some(Step::Pausing(_)) | None => &[],
        };
        under_way.iter().chain(&self.waiting).map(|settlement| (settlement.id, settlement.lease)).collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.step.is_none()
    }

    /// Sends what waits and takes in the answers; whether anything came of it.
    pub(super) fn advance(&mut self, context: &mut Context<'_>) -> bool {
        let mut has_advanced = false;
        loop {
            match &mut self.step {
                None if self.waiting.is_empty() => return has_advanced,
                None => self.send(),
                Some(step) => match step.poll(context) {
                    Poll::Pending => return has_advanced,
                    Poll::Ready(answer) => {
                        let step = self.step.take();
                        if let (Some(Step::Settling(batch, _)), Some(answer)) = (step, answer) {
                            self.answered(&batch, answer);
                        }
                        has_advanced = true;
                    }
                },
            }
        }
    }

    fn send(&mut self) {
        let batch: Arc<[_]> = self.waiting.drain(..self.waiting.len().min(self.batch)).collect();
        let (backend, settlements) = (self.backend.clone(), batch.clone());
        let answer = Box::pin(async move { backend.settle(settlements).await });
        self.step = Some(Step::Settling(batch, answer));
    }

    fn answered(&mut self, batch: &[Settlement], answer: Answer) {
        match answer {
            Ok(refused) => {
                self.outage.is_over();
                self.batch = BATCH;
                for (id, lease) in refused {
                    // Also what a retry finds whose first try was stored and whose answer was lost.
                    tracing::debug!(job.id = %id, job.lease = %lease, "the job has moved on, its outcome is refused");
                }
            }
            Err(error) => {
                self.step = Some(Step::Pausing(self.outage.failed(&error)));
                // One outcome that cannot be stored must not keep the others from it: they go alone, it goes last.
                if !error.is_transient() {
                    self.batch = 1;
                }
                match self.batch {
                    1 => self.waiting.extend(batch.iter().cloned()),
                    _ => batch.iter().rev().for_each(|settlement| self.waiting.push_front(settlement.clone())),
                }
            }
        }
    }
}
