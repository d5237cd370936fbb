//! Taking in how runs ended.

use std::sync::Arc;

use futures::future::BoxFuture;
use rexecutor::{
    backend::{Result, Settle, Settlement},
    job::{JobId, Lease},
};

use super::{backend::SqliteBackend, request::Request};

impl Settle for SqliteBackend {
    fn settle<'a>(&'a self, settlements: Arc<[Settlement]>) -> BoxFuture<'a, Result<Vec<(JobId, Lease)>>> {
        Box::pin(async move {
            let stored = self.0.writer.share(settlements.clone(), Request::Settle).await?;
            let refused = settlements.iter().zip(stored).filter(|(_, stored)| !stored);
            Ok(refused.map(|(settlement, _)| (settlement.id, settlement.lease)).collect())
        })
    }
}
