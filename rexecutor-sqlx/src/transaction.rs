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
/// # Examples
///
/// ```no_run
/// # use rexecutor::prelude::*;
/// # use rexecutor_sqlx::EnqueueIn;
/// # struct WelcomeEmail;
/// # #[async_trait::async_trait]
/// # impl Executor for WelcomeEmail {
/// #     type Data = String; type Metadata = (); const NAME: &'static str = "welcome_email";
/// #     async fn execute(_: Job<String, ()>) -> ExecutionResult { ExecutionResult::Done }
/// # }
/// # #[cfg(feature = "postgres")]
/// async fn sign_up(pool: &sqlx::PgPool, name: String) -> Result<(), Box<dyn std::error::Error>> {
///     let mut transaction = pool.begin().await?;
///     sqlx::query("INSERT INTO users (name) VALUES ($1)").bind(&name).execute(&mut *transaction).await?;
///     WelcomeEmail::builder().with_data(name).enqueue_in(&mut transaction).await?;
///     transaction.commit().await?;
///     Ok(())
/// }
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
