//! What a running job says of itself: how far it has got, what it logs, and what it streams.

use std::{sync::Arc, time::Duration};

use super::{
    emitter::{EmitError, RunStream},
    job_context::{Inner, JobContext},
    reporter::RunReport,
};
use crate::clock::Clock;

/// For how long a run that has ended waits until what it has streamed is stored.
const LAST_CHUNKS: Duration = Duration::from_secs(10);

impl JobContext {
    /// Says how far the job has got, for whoever [looks](crate::results::ProgressExt::progress), in any process: `done` of `total`, and
    /// what it is doing, of at most 4 KiB.
    ///
    /// It costs next to nothing, however often it is called: the newest word of each job is stored four times a second at most, for
    /// all jobs of a node together. It never fails the job; what the backend could not store is stored later, with what is newest
    /// then. A run that was taken over by another one is not heard any more.
    ///
    /// ```
    /// use rexecutor::prelude::*;
    ///
    /// #[job]
    /// async fn import(pages: u64, context: JobContext) {
    ///     for page in 0..pages {
    ///         context.progress(page, pages, "importing");
    ///         // …
    ///     }
    ///     context.log(format!("{pages} pages are imported"));
    /// }
    /// ```
    pub fn progress(&self, done: u64, total: u64, text: impl AsRef<str>) {
        if let Some(environment) = &self.0.environment {
            self.said().progress(&environment.reporter, done, total, text.as_ref(), environment.clock.now());
        }
    }

    /// Adds a line to the log of this attempt, which is kept with the job: of the newest attempt the last 100 lines, of at most 4 KiB
    /// each and 64 KiB together. It is stored as [`progress`](Self::progress) is.
    pub fn log(&self, text: impl AsRef<str>) {
        if let Some(environment) = &self.0.environment {
            self.said().log(&environment.reporter, text.as_ref(), environment.clock.now());
        }
    }

    /// Adds a chunk to the job's stream, which others [follow](crate::results::ChunksExt::chunks) while it runs, from any process and any
    /// [offset](crate::results::Offset): the words of a long answer, say, for a web page that shows them as they come.
    ///
    /// Chunks are gathered, and stored up to ten times a second for all jobs of a node together, in a table beside the jobs; all of them
    /// before the job's end is. The stream stays until the job is deleted, and may have [4 MiB](crate::limits::MAX_STREAM_BYTES). A text
    /// of more than [32 KiB](crate::limits::MAX_CHUNK_BYTES) is several chunks, an empty one is none. A later attempt adds to the same
    /// stream, and its chunks say so. A run that was taken over by another one is not heard any more.
    ///
    /// It returns as soon as there is room, without waiting for the backend as a rule: if more than 1 MiB of a node's chunks wait to be
    /// stored, it waits. In a job that does not run it does nothing.
    ///
    /// ```
    /// use rexecutor::prelude::*;
    ///
    /// #[job]
    /// async fn answer(question: String, context: JobContext) -> Result<(), EmitError> {
    ///     for word in question.split_inclusive(' ').rev() {
    ///         context.emit(word).await?;
    ///     }
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// When the stream is full, or the backend keeps none; also when it cannot be asked how much earlier attempts have streamed.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, a text of one chunk may not have been added; of a longer one a part may.
    pub async fn emit(&self, text: impl AsRef<str>) -> Result<(), EmitError> {
        let Some(environment) = &self.0.environment else { return Ok(()) };
        let Inner { row, stream, .. } = &*self.0;
        let stream = stream.get_or_init(|| Arc::new(RunStream::new(row.id, row.lease, row.attempt)));
        stream.emit(&environment.emitter, &*environment.backend, text.as_ref()).await
    }

    /// Waits until all that the run has streamed is stored, for a while.
    pub(crate) async fn streamed(&self) {
        let Some((stream, environment)) = self.0.stream.get().zip(self.0.environment.as_ref()) else { return };
        tokio::select! {
            biased;
            () = stream.stored(&environment.emitter) => {}
            () = environment.clock.sleep(LAST_CHUNKS) => {}
        }
    }

    /// Takes out what the run has streamed, where nobody stores it.
    #[cfg(feature = "__testing")]
    pub(crate) fn take_streamed(&self) -> Vec<String> {
        self.0.environment.as_ref().map(|environment| environment.emitter.take(self.job_id())).unwrap_or_default()
    }

    fn said(&self) -> &Arc<RunReport> {
        let Inner { row, said, .. } = &*self.0;
        said.get_or_init(|| Arc::new(RunReport::new(row.id, row.lease, row.attempt)))
    }

    /// What the run has said of itself, if anything.
    #[cfg(feature = "__testing")]
    pub(crate) fn has_said(&self) -> Option<crate::model::Progress> {
        self.0.said.get().map(|said| said.said())
    }
}
