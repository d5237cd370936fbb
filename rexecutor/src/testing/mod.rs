//! Asserting what was enqueued.

mod assertion;
#[doc(hidden)]
pub mod bench;

pub use self::assertion::Expectation;

/// Asserts that jobs were enqueued.
///
/// Any of these, in any order; without a number of jobs, one at least:
///
/// | | |
/// | --- | --- |
/// | `1 job`, `3 jobs` | exactly so many match |
/// | `to: backend` | where they are; the global backend, if it is left out |
/// | `for_executor: EmailJob` | whose they are |
/// | `with_data: value` | their data, compared as JSON |
/// | `with_metadata: value` | their metadata, compared as JSON |
/// | `tagged_with: ["a", "b"]` | they have these tags, and maybe others |
/// | `scheduled_at: instant` | when they are due |
/// | `scheduled_after: instant`, `scheduled_before: instant` | due after, or before; not at the instant itself |
/// | `with_status: status` | where they stand |
/// | `with_priority: number` | their priority |
///
/// It awaits, so it stands in an `async` block or function.
///
/// # Panics
///
/// When the jobs are not there, with all jobs that are.
///
/// # Examples
///
/// ```
/// use rexecutor::{assert_enqueued, backend::memory::InMemoryBackend, prelude::*};
/// # struct EmailJob;
/// # #[async_trait::async_trait]
/// # impl Executor for EmailJob {
/// #     type Data = String; type Metadata = (); const NAME: &'static str = "email_job";
/// #     async fn execute(_: Job<String, ()>) -> ExecutionResult { ExecutionResult::Done }
/// # }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let backend = InMemoryBackend::new().paused();
/// EmailJob::builder().with_data("bob@example.com".to_owned()).add_tag("mail").enqueue_to_backend(&backend).await?;
///
/// assert_enqueued!(
///     1 job,
///     to: backend,
///     for_executor: EmailJob,
///     with_data: "bob@example.com",
///     tagged_with: ["mail"],
/// );
/// # Ok(())
/// # }
/// ```
#[macro_export]
macro_rules! assert_enqueued {
    ($count:literal job $(, $($rest:tt)*)?) => {
        $crate::__expect!([$crate::testing::Expectation::exactly($count)] [&*$crate::testing::global()] $($($rest)*)?)
    };
    ($count:literal jobs $(, $($rest:tt)*)?) => {
        $crate::__expect!([$crate::testing::Expectation::exactly($count)] [&*$crate::testing::global()] $($($rest)*)?)
    };
    ($($rest:tt)*) => {
        $crate::__expect!([$crate::testing::Expectation::some()] [&*$crate::testing::global()] $($rest)*)
    };
}

/// Takes one field after the other. Not public API.
#[doc(hidden)]
#[macro_export]
macro_rules! __expect {
    ([$expected:expr] [$backend:expr]) => {
        $expected.check($backend).await
    };
    ([$expected:expr] [$backend:expr] to: $to:expr $(, $($rest:tt)*)?) => {
        $crate::__expect!([$expected] [$crate::testing::borrow(&$to)] $($($rest)*)?)
    };
    ([$expected:expr] [$backend:expr] for_executor: $executor:ty $(, $($rest:tt)*)?) => {
        $crate::__expect!([$expected.for_executor::<$executor>()] [$backend] $($($rest)*)?)
    };
    ([$expected:expr] [$backend:expr] tagged_with: $tags:expr $(, $($rest:tt)*)?) => {
        $crate::__expect!([$expected.tagged_with(&$tags)] [$backend] $($($rest)*)?)
    };
    ([$expected:expr] [$backend:expr] with_data: $data:expr $(, $($rest:tt)*)?) => {
        $crate::__expect!([$expected.with_data(&$data)] [$backend] $($($rest)*)?)
    };
    ([$expected:expr] [$backend:expr] with_metadata: $metadata:expr $(, $($rest:tt)*)?) => {
        $crate::__expect!([$expected.with_metadata(&$metadata)] [$backend] $($($rest)*)?)
    };
    ([$expected:expr] [$backend:expr] $field:ident: $value:expr $(, $($rest:tt)*)?) => {
        $crate::__expect!([$expected.$field($value)] [$backend] $($($rest)*)?)
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
