//! The middleware of one run, from the outside in: that of its node, then that of its executor.

use std::{fmt, sync::Arc};

use futures::future::BoxFuture;

use super::{
    middleware::{Middleware, Next, Run},
    result::ExecutionResult,
};
use crate::context::JobContext;

/// The middleware of a kind of job, from the outside in.
pub(crate) type OwnMiddleware = &'static [&'static dyn Middleware];

/// The middleware of a node, from the outside in. Cloning it where there is none costs nothing.
#[derive(Clone, Default)]
pub(crate) struct NodeMiddleware(Option<Arc<[Arc<dyn Middleware>]>>);

impl NodeMiddleware {
    /// Adds one inside of all others.
    pub(crate) fn add(&mut self, layer: Arc<dyn Middleware>) {
        self.0 = Some(self.all().iter().cloned().chain([layer]).collect());
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    fn all(&self) -> &[Arc<dyn Middleware>] {
        self.0.as_deref().unwrap_or_default()
    }
}

impl fmt::Debug for NodeMiddleware {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} layers", self.all().len())
    }
}

/// The middleware of one run.
#[derive(Clone)]
pub(crate) struct Layers {
    node: NodeMiddleware,
    own: OwnMiddleware,
}

impl Layers {
    /// `None`: there is none.
    pub(crate) fn of(node: &NodeMiddleware, own: OwnMiddleware) -> Option<Self> {
        (!node.is_empty() || !own.is_empty()).then(|| Self { node: node.clone(), own })
    }

    pub(super) fn get(&self, depth: usize) -> Option<&dyn Middleware> {
        let node = self.node.all();
        match node.get(depth) {
            Some(layer) => Some(&**layer),
            None => self.own.get(depth.saturating_sub(node.len())).copied(),
        }
    }

    /// The work of a job, with the middleware around it.
    pub(crate) fn around(
        self,
        context: JobContext,
        job: BoxFuture<'static, ExecutionResult>,
    ) -> BoxFuture<'static, ExecutionResult> {
        Box::pin(Next { layers: self, depth: 0, job }.run(Run::new(context)))
    }
}
