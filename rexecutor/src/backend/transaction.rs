//! Enqueuing inside a transaction of the application's.

use futures::future::BoxFuture;

use crate::model::{Enqueued, NewJob, Result};

/// Stores jobs inside a transaction of the application's, on the database that holds the jobs, too: they exist if and only if
/// the transaction commits, and not before.
///
/// `T` is the transaction's type. A job's builder calls it in
/// [`enqueue_in`](crate::job::builder::JobBuilder::enqueue_in), for one job; it takes any number.
///
/// # Contract
///
/// - It is all or nothing, within the transaction. Answers are in the order of the jobs.
/// - A transaction on another database than the backend's is refused where that can be told, before anything is written.
pub trait EnqueueIn<T: ?Sized>: Send + Sync {
    /// Stores jobs in `transaction`.
    ///
    /// # Errors
    ///
    /// When the transaction is on another database: then it can be used for something else. When the database fails: then the
    /// transaction is of no more use, and what may be repeated, if the error is transient, is all of it. On SQLite begin it
    /// with `BEGIN IMMEDIATE`: one that has read before it writes fails if somebody else has written meanwhile.
    fn enqueue_in<'a>(&'a self, transaction: &'a mut T, jobs: Vec<NewJob>) -> BoxFuture<'a, Result<Vec<Enqueued>>>;
}

impl<T: ?Sized, B: EnqueueIn<T> + ?Sized> EnqueueIn<T> for std::sync::Arc<B> {
    fn enqueue_in<'a>(&'a self, transaction: &'a mut T, jobs: Vec<NewJob>) -> BoxFuture<'a, Result<Vec<Enqueued>>> {
        (**self).enqueue_in(transaction, jobs)
    }
}
