//! What the node runs on.

use std::{panic::catch_unwind, time::Duration};

/// Whether this is a tokio runtime with timers. Tokio has no other way to ask than to try; without timers the trial shows
/// tokio's own words on standard error, which say how to get them.
pub(super) fn has_timer() -> bool {
    tokio::runtime::Handle::try_current().is_ok() && catch_unwind(probe).is_ok()
}

#[expect(clippy::disallowed_methods, reason = "nothing sleeps: whether a timer can be made is the question")]
fn probe() {
    drop(tokio::time::sleep(Duration::ZERO));
}
