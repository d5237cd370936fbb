//! What people are shown of a node.

use super::options::Options;
use crate::model::AboutNode;

/// What this node is.
pub(super) fn about(options: &Options) -> AboutNode {
    let slots = options.executor_slots.iter().map(|(name, slots)| ((*name).to_owned(), *slots));
    AboutNode {
        host: host(),
        pid: Some(std::process::id()),
        version: options.version.clone(),
        slots: Some(options.max_running),
        executor_slots: slots.collect(),
    }
}

/// The machine's name, where the system tells it without a call of its own.
fn host() -> Option<String> {
    let of_variable = |name: &str| std::env::var(name).ok();
    let of_kernel = || std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let host = of_kernel().or_else(|| of_variable("HOSTNAME")).or_else(|| of_variable("COMPUTERNAME"))?;
    Some(host.trim().to_owned()).filter(|host| !host.is_empty())
}
