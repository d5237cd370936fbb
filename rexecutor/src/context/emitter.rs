//! What runs stream, gathered in their node until it is stored.
//!
//! # Invariants
//!
//! - The chunks of a run are stored in their order, and all of them before its outcome: whoever reads the stream of a job that has ended
//!   has the whole of it. Where the backend is away for longer than a run waits for that, they are stored after it.
//! - What waits to be stored is bounded: whoever emits more waits.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use tokio::sync::{Notify, OnceCell};

use crate::{
    backend::{Backend, Streams, streams},
    limits::{MAX_CHUNK_BYTES, MAX_STREAM_BYTES},
    model::{BackendError, JobId, Lease, NewChunk, Offset, Result},
};

/// How many bytes may wait to be stored, of all runs of a node.
const MOST_UNSTORED: usize = 1 << 20;

/// How many chunks are stored together.
const BATCH: usize = 1_000;

/// Why a job could not [stream](crate::JobContext::emit) more.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum EmitError {
    /// The stream of the job has as many bytes as it may have.
    #[error("the stream of job {job} is full: it may have {limit} bytes")]
    Full {
        /// The job.
        job: JobId,
        /// How many it may have.
        limit: usize,
    },
    /// The backend failed, or cannot do this.
    #[error(transparent)]
    Backend(#[from] BackendError),
}

crate::debug_as_sentence!(EmitError);

impl EmitError {
    /// Whether the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Full { .. } => false,
            Self::Backend(error) => error.is_transient(),
        }
    }
}

/// What the runs of a node stream that is not stored yet.
#[derive(Debug, Default)]
pub(crate) struct Emitter {
    waiting: Mutex<VecDeque<(Arc<RunStream>, NewChunk)>>,
    /// How many bytes wait, also of those that are being stored.
    bytes: AtomicUsize,
    /// Whether anybody stores them.
    is_served: AtomicBool,
    news: Notify,
    /// Somebody waits until all is stored.
    hurry: Notify,
    stored: Notify,
}

/// What a run has streamed.
#[derive(Debug)]
pub(crate) struct RunStream {
    job: JobId,
    lease: Lease,
    attempt: u16,
    /// How many bytes earlier runs have streamed; asked once.
    before: OnceCell<usize>,
    said: Mutex<Said>,
    unstored: AtomicUsize,
}

#[derive(Debug, Default)]
struct Said {
    chunks: u32,
    bytes: usize,
}

impl RunStream {
    pub(crate) fn new(job: JobId, lease: Lease, attempt: u16) -> Self {
        let (before, said) = (OnceCell::new(), Mutex::default());
        Self { job, lease, attempt, before, said, unstored: AtomicUsize::new(0) }
    }

    pub(crate) async fn emit(
        self: &Arc<Self>,
        emitter: &Emitter,
        backend: &dyn Backend,
        text: &str,
    ) -> Result<(), EmitError> {
        let (streams, is_served) = (streams(backend)?, emitter.is_served.load(Ordering::Relaxed));
        let before = match is_served {
            true => *self.before.get_or_try_init(|| self.bytes_before(streams)).await?,
            false => 0,
        };
        let text = text.replace('\0', "\u{fffd}");
        for text in parts(&text) {
            // Nothing stores what a test performs, and whoever waited would do so for ever.
            if is_served {
                emitter.has_room().await;
            }
            self.add(emitter, before, text)?;
        }
        Ok(())
    }

    async fn bytes_before(&self, streams: &dyn Streams) -> Result<usize> {
        match self.lease {
            Lease(..=1) => Ok(0),
            _ => Ok(usize::try_from(streams.stream_bytes(self.job).await?).unwrap_or(usize::MAX)),
        }
    }

    fn add(self: &Arc<Self>, emitter: &Emitter, before: usize, text: &str) -> Result<(), EmitError> {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if before.saturating_add(said.bytes).saturating_add(text.len()) > MAX_STREAM_BYTES {
            return Err(EmitError::Full { job: self.job, limit: MAX_STREAM_BYTES });
        }
        (said.chunks, said.bytes) = (said.chunks + 1, said.bytes + text.len());
        let chunk = NewChunk::new(self.job, Offset::new(self.lease, said.chunks), self.attempt, text);
        self.unstored.fetch_add(1, Ordering::Relaxed);
        emitter.bytes.fetch_add(text.len(), Ordering::Relaxed);
        // While the other lock is held: their order is that of their numbers.
        emitter.waiting().push_back((self.clone(), chunk));
        emitter.news.notify_one();
        Ok(())
    }

    /// Waits until all that it has streamed is stored.
    pub(crate) async fn stored(&self, emitter: &Emitter) {
        loop {
            let stored = emitter.stored.notified();
            if self.unstored.load(Ordering::Acquire) == 0 || !emitter.is_served.load(Ordering::Relaxed) {
                return;
            }
            emitter.hurry.notify_one();
            stored.await;
        }
    }
}

/// The parts of a text that are chunks; none of a text that is empty.
fn parts(mut text: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        let end = (0..=MAX_CHUNK_BYTES.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        let (part, rest) = text.split_at(end);
        text = rest;
        (!part.is_empty()).then_some(part)
    })
}

impl Emitter {
    fn waiting(&self) -> MutexGuard<'_, VecDeque<(Arc<RunStream>, NewChunk)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn has_room(&self) {
        loop {
            let stored = self.stored.notified();
            if self.bytes.load(Ordering::Acquire) < MOST_UNSTORED {
                return;
            }
            self.hurry.notify_one();
            stored.await;
        }
    }

    /// From now on somebody stores what is emitted.
    pub(crate) fn serve(&self) {
        self.is_served.store(true, Ordering::Relaxed);
    }

    /// Waits until there is something to store.
    pub(crate) async fn news(&self) {
        while self.waiting().is_empty() {
            self.news.notified().await;
        }
    }

    /// Waits until somebody waits for all to be stored.
    pub(crate) async fn hurry(&self) {
        self.hurry.notified().await;
    }

    /// Stores a batch; returns whether there was any. What could not be stored waits for the next time, unless it never can be.
    pub(crate) async fn store(&self, backend: &dyn Backend) -> Result<bool> {
        let batch: Vec<_> = {
            let mut waiting = self.waiting();
            let count = waiting.len().min(BATCH);
            waiting.drain(..count).collect()
        };
        if batch.is_empty() {
            return Ok(false);
        }
        let chunks = batch.iter().map(|(_, chunk)| chunk.clone()).collect();
        let result = streams(backend)?.append(chunks).await;
        match &result {
            Err(error) if error.is_transient() => {
                let mut waiting = self.waiting();
                batch.into_iter().rev().for_each(|chunk| waiting.push_front(chunk));
                return result.map(|()| true);
            }
            Err(error) => {
                let error = error as &dyn std::error::Error;
                tracing::warn!(error, chunks = batch.len(), "what jobs stream cannot be stored, and is lost");
            }
            Ok(()) => {}
        }
        for (run, chunk) in batch {
            self.bytes.fetch_sub(chunk.text.len(), Ordering::Release);
            run.unstored.fetch_sub(1, Ordering::Release);
        }
        self.stored.notify_waiters();
        Ok(true)
    }

    /// Stores all that there is.
    #[cfg(feature = "__testing")]
    pub(crate) async fn store_all(&self, backend: &dyn Backend) -> Result<()> {
        while self.store(backend).await? {}
        Ok(())
    }

    /// Takes out what a run has emitted, where nobody stores it.
    #[cfg(feature = "__testing")]
    pub(crate) fn take(&self, job: JobId) -> Vec<String> {
        let mut waiting = self.waiting();
        let (taken, others) = waiting.drain(..).partition(|(_, chunk)| chunk.job == job);
        *waiting = others;
        let taken: VecDeque<(Arc<RunStream>, NewChunk)> = taken;
        taken.into_iter().map(|(_, chunk)| chunk.text).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_15_3_a_long_text_is_several_chunks_and_none_is_cut_in_a_letter() {
        let text = "é".repeat(MAX_CHUNK_BYTES) + "x";
        let parts: Vec<&str> = parts(&text).collect();
        assert_eq!(parts.iter().map(|part| part.len()).collect::<Vec<_>>(), [MAX_CHUNK_BYTES, MAX_CHUNK_BYTES, 1]);
        assert_eq!(parts.concat(), text);
        assert_eq!(super::parts("").count(), 0);
    }
}
