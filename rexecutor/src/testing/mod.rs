//! Asserting what was enqueued, and what was executed.

mod assertion;
mod condition;
mod difference;
#[cfg(feature = "__testing")]
#[doc(hidden)]
pub mod job_runner;
mod mismatch;

pub use self::{assertion::Expectation, mismatch::Mismatch};

/// Asserts that jobs were enqueued, whatever has become of them since.
///
/// Any of these, in any order:
///
/// | | |
/// | --- | --- |
/// | `1 job`, `3 jobs` | exactly so many match; without it, one at least |
/// | `to: backend` | where they are, any expression; the global backend, if it is left out |
/// | `for_executor: EmailJob` | whose they are |
/// | `with_data: value` | their data, compared as JSON |
/// | `data: Email { to: "a@b", .. }` | a pattern that their data match; text in it matches a `String`, and `if` may follow |
/// | `data_matches: \|email\| email.to.len() > 3` | what their data are like |
/// | `with_metadata: value` | their metadata, compared as JSON |
/// | `tagged_with: ["a", "b"]` | they have these tags, and maybe others |
/// | `scheduled_at: instant` | when they are due |
/// | `scheduled_after: instant`, `scheduled_before: instant` | due after, or before; not at the instant itself |
/// | `with_status: status` | where they stand |
/// | `with_priority: number` | their priority |
///
/// `data` and `data_matches` need `for_executor`, which says what type the data have. Jobs whose data are not of that type
/// do not match. Text can be one of several, as in `to: "a@b" | "c@d"`, but cannot stand within one of several patterns.
///
/// It awaits, so it stands in an `async` block or function.
///
/// # Panics
///
/// When the jobs are not there: with what was wanted, the job that comes nearest and where it differs, and all others. It
/// needs the feature `macros`, which is on by default.
///
/// # Examples
///
/// ```
/// use rexecutor::{assert_enqueued, backend::memory::InMemoryBackend, prelude::*};
/// # #[derive(serde::Serialize, serde::Deserialize)]
/// # struct Email { to: String, urgent: bool }
/// # struct EmailJob;
/// # #[async_trait::async_trait]
/// # impl Executor for EmailJob {
/// #     type Data = Email; type Metadata = (); const NAME: &'static str = "email_job";
/// #     async fn execute(_: Job<Email, ()>) -> ExecutionResult { ExecutionResult::Done }
/// # }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let backend = InMemoryBackend::new().paused();
/// let email = Email { to: "bob@example.com".to_owned(), urgent: true };
/// let _ = EmailJob::builder().with_data(email).add_tag("mail").enqueue_to_backend(&backend).await?;
///
/// assert_enqueued!(1 job, to: backend, for_executor: EmailJob, tagged_with: ["mail"]);
/// assert_enqueued!(
///     to: backend,
///     for_executor: EmailJob,
///     data: Email { to: "bob@example.com" | "ann@example.com", .. },
/// );
/// assert_enqueued!(to: backend, for_executor: EmailJob, data_matches: |email| email.urgent);
/// # Ok(())
/// # }
/// ```
#[cfg(feature = "macros")]
#[macro_export]
macro_rules! assert_enqueued {
    ($($arguments:tt)*) => {
        $crate::__private::expectation!($crate enqueued $($arguments)*)
    };
}

/// Asserts that no such job was enqueued.
///
/// It takes what [`assert_enqueued!`](crate::assert_enqueued) does, but for a number of jobs.
///
/// # Panics
///
/// When there is one, with all that match.
///
/// # Examples
///
/// ```
/// use rexecutor::{backend::memory::InMemoryBackend, prelude::*, refute_enqueued};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let backend = InMemoryBackend::new();
/// refute_enqueued!(to: backend, with_status: JobStatus::Scheduled);
/// # }
/// ```
#[cfg(feature = "macros")]
#[macro_export]
macro_rules! refute_enqueued {
    ($($arguments:tt)*) => {
        $crate::__private::expectation!($crate refuted $($arguments)*)
    };
}

/// Asserts that jobs have run and are complete.
///
/// It takes what [`assert_enqueued!`](crate::assert_enqueued) does. Jobs that ended otherwise are meant with
/// `with_status: JobStatus::Discarded` or `with_status: JobStatus::Cancelled`; any status that is named takes the place of
/// `complete`. A job that is deleted when it is complete,
/// as with `retain = "none"`, is not there to be found.
///
/// # Panics
///
/// When there are none, or not as many.
///
/// # Examples
///
/// ```
/// use rexecutor::{assert_executed, backend::memory::InMemoryBackend, prelude::*};
/// # struct Greet;
/// # #[async_trait::async_trait]
/// # impl Executor for Greet {
/// #     type Data = String; type Metadata = (); const NAME: &'static str = "greet";
/// #     async fn execute(_: Job<String, ()>) -> ExecutionResult { ExecutionResult::Done }
/// # }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let backend = std::sync::Arc::new(InMemoryBackend::new());
/// let _ = Greet::builder().with_data("Bob".to_owned()).enqueue_to_backend(&backend).await?;
/// let node = Rexecutor::builder().with_backend(backend.clone()).with_executor::<Greet>().start().await?;
/// # while Greet::query_jobs_on_backend(Where::status_equals(JobStatus::Complete), &backend).await?.is_empty() {
/// #     tokio::task::yield_now().await;
/// # }
/// node.graceful_shutdown().await;
/// assert_executed!(1 job, to: backend, for_executor: Greet, with_data: "Bob");
/// # Ok(())
/// # }
/// ```
#[cfg(feature = "macros")]
#[macro_export]
macro_rules! assert_executed {
    ($($arguments:tt)*) => {
        $crate::__private::expectation!($crate executed $($arguments)*)
    };
}

/// A backend of whatever kind, to look at. Not public API.
#[doc(hidden)]
pub fn borrow<B: crate::backend::Inspect + ?Sized>(backend: &B) -> &B {
    backend
}

/// The global backend. Not public API.
///
/// # Panics
///
/// When none is set.
#[doc(hidden)]
#[track_caller]
pub fn global() -> std::sync::Arc<dyn crate::backend::Backend> {
    match crate::global::backend() {
        Ok(backend) => backend,
        Err(error) => panic!("{error}"),
    }
}
