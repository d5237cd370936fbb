//! A claim that is under way.

use std::{sync::Arc, time::Duration};

use futures::future::BoxFuture;

use crate::model::{Claimed, Demand, NodeId, Result};

/// A claim that is under way, and what was asked.
pub(super) struct Claiming {
    pub(super) node: NodeId,
    pub(super) demands: Arc<[Demand]>,
    pub(super) began: Duration,
    pub(super) answer: BoxFuture<'static, Result<Claimed>>,
}
