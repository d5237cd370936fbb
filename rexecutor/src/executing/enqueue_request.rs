//! A job on its way into a backend, as hooks and middleware see it.

use std::fmt;

use serde::de::DeserializeOwned;

use crate::model::{Headers, NewJob};

/// A job that is about to be enqueued, as [`on_enqueue`](crate::middleware::on_enqueue) and
/// [`Middleware::on_enqueue`](crate::middleware::Middleware::on_enqueue) see it.
///
/// The executor, the data and the metadata can be read. Tags, headers and the priority can be changed; they are checked afterwards, as those
/// of the job's builder are.
pub struct EnqueueRequest<'j>(&'j mut NewJob);

impl<'j> EnqueueRequest<'j> {
    pub(crate) fn new(job: &'j mut NewJob) -> Self {
        Self(job)
    }

    /// The name of the job's executor.
    pub fn executor(&self) -> &str {
        self.0.executor.as_str()
    }

    /// The job's data, as JSON.
    pub fn data_json(&self) -> &str {
        &self.0.data
    }

    /// The job's data, decoded as `T`.
    ///
    /// # Errors
    ///
    /// When they do not decode as `T`.
    pub fn data<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.data_json())
    }

    /// The job's metadata, as JSON; `None` if it has none.
    pub fn metadata_json(&self) -> Option<&str> {
        self.0.metadata.as_deref()
    }

    /// The job's tags.
    pub fn tags(&self) -> &[String] {
        &self.0.tags
    }

    /// Adds a tag of at most 255 bytes, unless the job has it. A job has at most [100](crate::limits::MAX_TAGS).
    pub fn add_tag(&mut self, tag: impl Into<String>) {
        let tag = tag.into();
        if !self.0.tags.contains(&tag) {
            self.0.tags.push(tag);
        }
    }

    /// The job's headers.
    pub fn headers(&self) -> &Headers {
        &self.0.extras.headers
    }

    /// Sets a header, in place of one with the same name. All headers of a job together may have 8 KiB.
    pub fn set_header(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.extras.edit().headers.set(name, value);
    }

    /// The job's priority. Lower numbers start first.
    pub fn priority(&self) -> u16 {
        self.0.priority
    }

    /// Sets the job's priority, 0 to [999](crate::limits::MAX_PRIORITY).
    pub fn set_priority(&mut self, priority: u16) {
        self.0.priority = priority;
    }
}

impl fmt::Debug for EnqueueRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnqueueRequest")
            .field("executor", &self.executor())
            .field("tags", &self.tags())
            .field("priority", &self.priority())
            .finish_non_exhaustive()
    }
}
