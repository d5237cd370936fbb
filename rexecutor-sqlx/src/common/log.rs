//! Where threads of our own log.

use tracing::{Dispatch, dispatcher, subscriber::NoSubscriber};

/// Where the present task's log goes, for a thread that works for it. `None`: nowhere yet; a thread that was told so would not
/// notice when the program says where its log goes.
pub(crate) fn log() -> Option<Dispatch> {
    let log = dispatcher::get_default(Clone::clone);
    (!log.is::<NoSubscriber>()).then_some(log)
}
