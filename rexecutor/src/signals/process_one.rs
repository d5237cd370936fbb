//! Process 1 of a container, for which the operating system ignores signals that nobody has asked for.

use std::{
    fs,
    sync::{
        LazyLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use super::install;

/// How many waits there are that a signal is to end, together with the process.
static WAITING: AtomicUsize = AtomicUsize::new(0);

/// Whether a node was started: from then on a signal is for whoever shuts it down.
static HAS_NODE: AtomicBool = AtomicBool::new(false);

/// Whether this is process 1, and nobody has handlers of his own. Asked once, before ours are installed.
static IS_DEAF: LazyLock<bool> = LazyLock::new(|| std::process::id() == 1 && !has_handlers());

/// Waits for what comes before the first node is started, as connecting to a database. In process 1 a signal ends the process
/// meanwhile, as it would anywhere else; a program that has handlers of its own is left alone.
pub async fn while_waiting<T>(wait: impl Future<Output = T>) -> T {
    let _waiting = (*IS_DEAF && !HAS_NODE.load(Ordering::Acquire)).then(|| {
        WAITING.fetch_add(1, Ordering::AcqRel);
        install();
        Waiting
    });
    wait.await
}

/// A node starts. In process 1 signals are kept from now on for whoever listens for them.
pub(crate) fn stand() {
    if *IS_DEAF {
        install();
    }
    HAS_NODE.store(true, Ordering::Release);
}

/// Whether a signal ends the process because of a wait.
pub(super) fn is_waiting() -> bool {
    WAITING.load(Ordering::Acquire) > 0 && !HAS_NODE.load(Ordering::Acquire)
}

struct Waiting;

impl Drop for Waiting {
    fn drop(&mut self) {
        WAITING.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Whether SIGINT or SIGTERM has a handler already, or is ignored on purpose.
fn has_handlers() -> bool {
    fs::read_to_string("/proc/self/status").is_ok_and(|status| catches_or_ignores(&status))
}

fn catches_or_ignores(status: &str) -> bool {
    const INTERRUPT_AND_TERMINATE: u64 = 1 << 1 | 1 << 14;
    let masks = status.lines().filter_map(|line| line.strip_prefix("SigCgt:").or_else(|| line.strip_prefix("SigIgn:")));
    masks.filter_map(|mask| u64::from_str_radix(mask.trim(), 16).ok()).any(|mask| mask & INTERRUPT_AND_TERMINATE != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handlers_are_found_in_what_the_system_says_of_the_process() {
        let status =
            |caught: &str| format!("Name:\tshop\nSigIgn:\t0000000000001000\nSigCgt:\t{caught}\nCapInh:\tffffffff\n");
        assert!(!catches_or_ignores(&status("0000000000000440")));
        assert!(catches_or_ignores(&status("0000000000004440")));
        assert!(catches_or_ignores(&status("0000000000000442")));
        assert!(!catches_or_ignores(""));
    }
}
