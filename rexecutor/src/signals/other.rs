//! What stands for signals elsewhere: Ctrl-C.

use std::io::Result;

/// Handlers for what asks a process to end.
pub(super) struct Handlers;

impl Handlers {
    pub(super) fn install() -> Result<Self> {
        Ok(Self)
    }

    /// The number that the next one would have on Unix.
    pub(super) async fn next(&mut self) -> i32 {
        match tokio::signal::ctrl_c().await {
            Ok(()) => 2,
            Err(_) => std::future::pending().await,
        }
    }
}
