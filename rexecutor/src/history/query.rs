//! Asking for a history.

use std::time::Duration;

use super::timeline::Timeline;
use crate::{
    backend::{self, Backend},
    global,
    manage::JobsError,
    model::ExecutorName,
};

/// How jobs went, of all executors: see [`history`](mod@crate::history).
pub fn history() -> HistoryQuery {
    HistoryQuery { executors: None }
}

/// What is asked of a history: [`history`](fn@crate::history()) gives it.
#[derive(Debug, Clone)]
#[must_use = "nothing is read before `last`"]
pub struct HistoryQuery {
    /// `None`: all.
    executors: Option<Vec<ExecutorName>>,
}

impl HistoryQuery {
    /// Only those of these executors, by their names.
    pub fn executors<N: Into<ExecutorName>>(self, names: impl IntoIterator<Item = N>) -> Self {
        Self { executors: Some(names.into_iter().map(Into::into).collect()) }
    }

    /// Reads the last `span`: up to two hours by the minute, up to 14 days by the hour, and longer ones, at most 400 days, by the day.
    ///
    /// It reads a row for each executor, way to end and step of time that anything has ended in.
    ///
    /// # Errors
    ///
    /// When no global backend is set, or it fails or cannot do this.
    pub async fn last(self, span: Duration) -> Result<Timeline, JobsError> {
        self.last_on_backend(span, &*global::backend()?).await
    }

    /// [`last`](Self::last) on a backend of your choice.
    ///
    /// # Errors
    ///
    /// When the backend fails or cannot do this.
    pub async fn last_on_backend<B: Backend + ?Sized>(
        self,
        span: Duration,
        backend: &B,
    ) -> Result<Timeline, JobsError> {
        let recorded = backend::history(backend)?.read(self.executors.as_deref(), span).await?;
        Ok(Timeline::new(span, &recorded))
    }
}
