//! Enqueuing inside a transaction of the application's own.

use futures::future::BoxFuture;
use rexecutor::{
    backend::{BackendError, Enqueued},
    clock::{Clock, SystemClock},
    executor::Executor,
    job::builder::{EnqueueError, JobBuilder, ReadyData},
};
use sqlx::{Sqlite, Transaction};

use super::{enqueue, error::backend_error, work::Work};

/// Enqueues a job in a transaction of the application's own, so that there is a job if and only if the rest of the
/// transaction is committed.
///
/// The transaction must be one of the file that the backend is on. Begin it with `BEGIN IMMEDIATE`: SQLite refuses to let
/// a transaction write that has read before, if another connection has written in between. Nodes see the job within
/// their poll interval after the commit.
///
/// # Examples
///
/// ```
/// use rexecutor::prelude::*;
/// use rexecutor_sqlx::{EnqueueIn, SqliteBackend};
/// use sqlx::Connection;
/// # struct SendReceipt;
/// # #[async_trait::async_trait]
/// # impl Executor for SendReceipt {
/// #     type Data = u32; type Metadata = (); const NAME: &'static str = "send_receipt";
/// #     async fn execute(_: Job<u32, ()>) -> ExecutionResult { ExecutionResult::Done }
/// # }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("shop.db");
/// let backend = SqliteBackend::open(&path).await?;
/// let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path);
/// let mut connection = sqlx::SqliteConnection::connect_with(&options).await?;
///
/// let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
/// sqlx::query("CREATE TABLE sales (id INTEGER PRIMARY KEY)").execute(&mut *transaction).await?;
/// SendReceipt::builder().with_data(1).enqueue_in(&mut transaction).await?;
/// transaction.commit().await?;
/// # drop(backend);
/// # Ok(())
/// # }
/// ```
pub trait EnqueueIn {
    /// Enqueues the job when `transaction` is committed.
    ///
    /// # Errors
    ///
    /// When a field is not acceptable, or the transaction fails; see [`JobBuilder::enqueue`].
    fn enqueue_in<'a>(
        self,
        transaction: &'a mut Transaction<'_, Sqlite>,
    ) -> BoxFuture<'a, Result<Enqueued, EnqueueError>>;
}

impl<E: Executor, D: ReadyData<E::Data> + Send> EnqueueIn for JobBuilder<'_, E, D> {
    fn enqueue_in<'a>(
        self,
        transaction: &'a mut Transaction<'_, Sqlite>,
    ) -> BoxFuture<'a, Result<Enqueued, EnqueueError>> {
        let job = self.encode();
        Box::pin(async move {
            let job = job?;
            let mut work = Work::new(&mut *transaction, SystemClock.now());
            let stored = enqueue::store(&mut work, &[job]).await.map_err(backend_error)?;
            let none = || BackendError::message("no answer for the job that was enqueued");
            Ok(stored.first().copied().ok_or_else(none)?)
        })
    }
}
