//! Ending a run inside a transaction of the application's.

use std::any::Any;

use futures::future::BoxFuture;

use super::capabilities::Backend;
use crate::model::{BackendError, Result, Settlement};

/// Stores how a run ends inside a transaction of the application's, on the database that holds the jobs, too.
///
/// # Contract
///
/// - The run ends so, and what follows from its outcome is stored, if and only if the transaction commits.
/// - A run whose job is not executing under its lease any more, or that is asked to stop, is refused: the answer is false, and
///   nothing is changed. Until the transaction ends nobody else can change the job.
/// - What is no transaction of the backend's, or is on another database, is refused with an error, before anything is written.
pub trait SettleIn: Send + Sync {
    /// Ends a run in `transaction`; returns whether it was still its job's.
    fn settle_in<'a>(
        &'a self,
        transaction: &'a mut (dyn Any + Send),
        settlement: Settlement,
    ) -> BoxFuture<'a, Result<bool>>;
}

/// The capability to end runs inside transactions, of a backend that has it.
///
/// # Errors
///
/// Names the backend and the capability, if it lacks it.
pub fn settle_in<B: Backend + ?Sized>(backend: &B) -> Result<&dyn SettleIn> {
    backend.settle_in().ok_or_else(|| {
        BackendError::unsupported(backend.name(), "completing of jobs in transactions (`Backend::settle_in`)")
    })
}
