//! What a test's jobs are kept in.

use std::sync::Arc;

use futures::{FutureExt, future::BoxFuture};
use rexecutor::backend::{Backend, memory::InMemoryBackend};

use crate::TestClock;

/// A backend, and what is to be done when the test has ended.
#[expect(missing_debug_implementations, reason = "nobody holds one")]
pub struct Opened {
    pub(super) backend: Arc<dyn Backend>,
    pub(super) close: BoxFuture<'static, ()>,
}

/// In memory.
pub fn memory(clock: TestClock) -> BoxFuture<'static, Opened> {
    let backend = Arc::new(InMemoryBackend::new().with_clock(clock));
    Box::pin(async { Opened { backend, close: async {}.boxed() } })
}

/// SQLite, in memory.
#[cfg(feature = "sqlite")]
pub fn sqlite(clock: TestClock) -> BoxFuture<'static, Opened> {
    Box::pin(async {
        match rexecutor_sqlx::SqliteOptions::new().clock(clock).open_in_memory().await {
            Ok(backend) => Opened { backend: Arc::new(backend), close: async {}.boxed() },
            Err(error) => panic!("could not open SQLite in memory: {error}"),
        }
    })
}

/// A schema of its own in the database that `DATABASE_URL` names, dropped when the test ends.
#[cfg(feature = "postgres")]
pub fn postgres(clock: TestClock) -> BoxFuture<'static, Opened> {
    use std::sync::atomic::{AtomicUsize, Ordering};

    static NEXT: AtomicUsize = AtomicUsize::new(0);
    Box::pin(async {
        let Ok(url) = std::env::var("DATABASE_URL") else {
            panic!("this test needs a PostgreSQL server: set DATABASE_URL to its address")
        };
        let schema = format!("rexecutor_test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let options = rexecutor_sqlx::PgOptions::new().schema(&schema).max_connections(4).clock(clock);
        match options.connect(&url).await {
            Ok(backend) => {
                let dropping = backend.clone();
                let close = async move {
                    if let Err(error) = dropping.drop_schema().await {
                        panic!("could not drop the schema `{schema}` of the test: {error}");
                    }
                };
                Opened { backend: Arc::new(backend), close: close.boxed() }
            }
            Err(error) => panic!("could not connect to DATABASE_URL: {error}"),
        }
    })
}

/// Says what is missing.
#[cfg(not(feature = "sqlite"))]
pub fn sqlite(_: TestClock) -> BoxFuture<'static, Opened> {
    panic!("`backend = sqlite` needs rexecutor-testing with its feature `sqlite`")
}

/// Says what is missing.
#[cfg(not(feature = "postgres"))]
pub fn postgres(_: TestClock) -> BoxFuture<'static, Opened> {
    panic!("`backend = postgres` needs rexecutor-testing with its feature `postgres`")
}
