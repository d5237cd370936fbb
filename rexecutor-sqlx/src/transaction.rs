//! Enqueuing inside a transaction of the application's.

use rexecutor::{
    Executor,
    backend::{Enqueued, NewJob, Result},
    job::builder::{EnqueueError, JobBuilder, ReadyData},
};

/// Enqueues jobs inside a transaction of the application's, on the database that holds the jobs, too: the job exists if
/// and only if the transaction commits, and not before.
///
/// `T` is the transaction: `sqlx::Transaction` of PostgreSQL or of SQLite.
///
/// On SQLite the transaction must be one of the file that the backend is on. Begin it with `BEGIN IMMEDIATE`: SQLite refuses
/// to let a transaction write that has read before, if another connection has written in between. Nodes see the job
/// within their poll interval after the commit. On PostgreSQL they are notified when it commits.
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
pub trait EnqueueIn<T> {
    /// Enqueues the job in `transaction`.
    ///
    /// # Errors
    ///
    /// When a field is not acceptable, no backend of this kind of database is open in this process, or the database
    /// fails; then the transaction is of no more use.
    fn enqueue_in(self, transaction: &mut T) -> impl Future<Output = Result<Enqueued, EnqueueError>> + Send;
}

/// A transaction that jobs can be stored in.
pub(crate) trait StoreJobs {
    fn store_jobs(&mut self, jobs: Vec<NewJob>) -> impl Future<Output = Result<Vec<Enqueued>>> + Send;
}

impl<E: Executor, D: ReadyData<E::Data> + Send, T: StoreJobs + Send> EnqueueIn<T> for JobBuilder<'_, E, D> {
    async fn enqueue_in(self, transaction: &mut T) -> Result<Enqueued, EnqueueError> {
        let job = self.encode()?;
        let answers = transaction.store_jobs(vec![job]).await?;
        let none = || rexecutor::backend::BackendError::message("the database answered for no job");
        Ok(answers.first().copied().ok_or_else(none)?)
    }
}
