//! The signals of Unix.

use std::io::Result;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Handlers for the signals that ask a process to end.
pub(super) struct Handlers {
    interrupt: Signal,
    terminate: Signal,
}

impl Handlers {
    pub(super) fn install() -> Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// The number of the next signal.
    pub(super) async fn next(&mut self) -> i32 {
        tokio::select! {
            biased;
            _ = self.terminate.recv() => SignalKind::terminate().as_raw_value(),
            _ = self.interrupt.recv() => SignalKind::interrupt().as_raw_value(),
        }
    }
}
