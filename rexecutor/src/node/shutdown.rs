//! How a node ends.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use futures::future::BoxFuture;

use crate::engine::Engine;

/// A node that shuts down: wait on it to know when it has.
///
/// Shutting down has begun already. Dropping this value, or never waiting on it, changes nothing; write `drop(..)` or
/// `let _ = ..` where that is meant.
#[must_use = "the node is still shutting down: `.await` this to know when its jobs have ended"]
pub struct Shutdown(BoxFuture<'static, ()>);

impl Shutdown {
    pub(super) fn begin(engine: Option<Engine>) -> Self {
        let Some(engine) = engine else { return Self(Box::pin(std::future::ready(()))) };
        engine.shut_down();
        Self(Box::pin(async move { engine.left().await }))
    }
}

impl Future for Shutdown {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(context)
    }
}

impl fmt::Debug for Shutdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shutdown")
    }
}

/// Shuts a node down when it is dropped.
///
/// Dropping cannot wait: give it a name, and let the runtime live until the jobs have ended.
#[must_use = "dropping the guard shuts the node down: give it a name"]
pub struct DropGuard(pub(super) Option<Engine>);

impl Drop for DropGuard {
    fn drop(&mut self) {
        if let Some(engine) = &self.0 {
            engine.shut_down();
        }
    }
}

impl fmt::Debug for DropGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DropGuard")
    }
}
