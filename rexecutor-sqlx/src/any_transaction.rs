//! Enqueuing inside a transaction of the application's, on whichever database the configuration says.

use futures::future::BoxFuture;
use rexecutor::backend::{EnqueueIn, Enqueued, NewJob, Result};
use sqlx::{Any, Transaction};

use crate::{
    AnyBackend,
    any::Kind,
    common::{AnyStore, store},
};

/// In a transaction of a `sqlx::AnyPool`, which is one type for both databases, as this backend is. Jobs are stored one by one:
/// where many are enqueued in one transaction, use the database's own type.
///
/// The transaction must be on the backend's database. On SQLite let it write before it reads, as `BEGIN` alone does not take
/// the lock for writing.
impl<'t> EnqueueIn<Transaction<'t, Any>> for AnyBackend {
    fn enqueue_in<'a>(
        &'a self,
        transaction: &'a mut Transaction<'t, Any>,
        jobs: Vec<NewJob>,
    ) -> BoxFuture<'a, Result<Vec<Enqueued>>> {
        match &self.0 {
            #[cfg(feature = "sqlite")]
            Kind::Sqlite(backend) => Box::pin(enqueue(backend, transaction, jobs)),
            #[cfg(feature = "postgres")]
            Kind::Postgres(backend) => Box::pin(enqueue(backend, transaction, jobs)),
        }
    }
}

async fn enqueue(
    backend: &impl AnyStore,
    transaction: &mut Transaction<'_, Any>,
    jobs: Vec<NewJob>,
) -> Result<Vec<Enqueued>> {
    backend.announce(transaction, &jobs).await?;
    store(backend, transaction, jobs).await.map_err(|error| backend.error(error))
}

/// In a transaction of the database's own type; refused if the backend is on PostgreSQL.
#[cfg(feature = "sqlite")]
impl<'t> EnqueueIn<Transaction<'t, sqlx::Sqlite>> for AnyBackend {
    fn enqueue_in<'a>(
        &'a self,
        transaction: &'a mut Transaction<'t, sqlx::Sqlite>,
        jobs: Vec<NewJob>,
    ) -> BoxFuture<'a, Result<Vec<Enqueued>>> {
        match &self.0 {
            Kind::Sqlite(backend) => backend.enqueue_in(transaction, jobs),
            #[cfg(feature = "postgres")]
            Kind::Postgres(_) => refused("SQLite", "PostgreSQL"),
        }
    }
}

/// In a transaction of the database's own type; refused if the backend is on SQLite.
#[cfg(feature = "postgres")]
impl<'t> EnqueueIn<Transaction<'t, sqlx::Postgres>> for AnyBackend {
    fn enqueue_in<'a>(
        &'a self,
        transaction: &'a mut Transaction<'t, sqlx::Postgres>,
        jobs: Vec<NewJob>,
    ) -> BoxFuture<'a, Result<Vec<Enqueued>>> {
        match &self.0 {
            #[cfg(feature = "sqlite")]
            Kind::Sqlite(_) => refused("PostgreSQL", "SQLite"),
            Kind::Postgres(backend) => backend.enqueue_in(transaction, jobs),
        }
    }
}

#[cfg(all(feature = "sqlite", feature = "postgres"))]
fn refused<'a>(theirs: &str, ours: &str) -> BoxFuture<'a, Result<Vec<Enqueued>>> {
    let error = format!("the transaction is on {theirs} and the backend on {ours}: begin it on the backend's database");
    Box::pin(std::future::ready(Err(rexecutor::backend::BackendError::message(error))))
}
