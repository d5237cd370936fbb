//! Batches inside a transaction of the application's, on whichever database the configuration says.

use futures::future::BoxFuture;
use rexecutor::{
    backend::{
        Enqueued, NewJob,
        flows::{Created, FlowError, FlowsIn, StoredFlow},
    },
    job::FlowId,
};
use sqlx::Transaction;

use crate::{AnyBackend, any::Kind};

macro_rules! flows_in {
    ($feature:literal, $database:ty, $ours:ident, $other:literal, $theirs:ident, $names:expr) => {
        /// In a transaction of the database's own type; refused if the backend is on the other one.
        #[cfg(feature = $feature)]
        impl<'t> FlowsIn<Transaction<'t, $database>> for AnyBackend {
            fn create_in<'a>(
                &'a self,
                transaction: &'a mut Transaction<'t, $database>,
                flow: StoredFlow,
                jobs: Vec<NewJob>,
            ) -> BoxFuture<'a, Result<Created, FlowError>> {
                match &self.0 {
                    Kind::$ours(backend) => backend.create_in(transaction, flow, jobs),
                    #[cfg(feature = $other)]
                    Kind::$theirs(_) => Box::pin(std::future::ready(Err(elsewhere($names).into()))),
                }
            }

            fn add_in<'a>(
                &'a self,
                transaction: &'a mut Transaction<'t, $database>,
                flow: FlowId,
                jobs: Vec<NewJob>,
            ) -> BoxFuture<'a, Result<Vec<Enqueued>, FlowError>> {
                match &self.0 {
                    Kind::$ours(backend) => backend.add_in(transaction, flow, jobs),
                    #[cfg(feature = $other)]
                    Kind::$theirs(_) => Box::pin(std::future::ready(Err(elsewhere($names).into()))),
                }
            }
        }
    };
}

flows_in!("sqlite", sqlx::Sqlite, Sqlite, "postgres", Postgres, ["SQLite", "PostgreSQL"]);
flows_in!("postgres", sqlx::Postgres, Postgres, "sqlite", Sqlite, ["PostgreSQL", "SQLite"]);

#[cfg(all(feature = "sqlite", feature = "postgres"))]
fn elsewhere([theirs, ours]: [&str; 2]) -> rexecutor::backend::BackendError {
    rexecutor::backend::BackendError::message(format!(
        "the transaction is on {theirs} and the backend on {ours}: begin it on the backend's database"
    ))
}
