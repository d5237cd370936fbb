//! Telling other processes that there is something new.
//!
//! `NOTIFY` in a transaction makes all commits wait for each other. So what is to be told is gathered here, and a task
//! tells it in a transaction of its own: the first at once, the others a few milliseconds apart. The task lives as long
//! as there is something to tell. Whoever has a lone notice waits until it is told: a program may enqueue one job and end.

use std::{
    collections::{BTreeSet, hash_map::RandomState},
    hash::{BuildHasher, Hasher},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rexecutor::job::{ExecutorName, JobId};
use serde::{Deserialize, Serialize};

/// PostgreSQL takes payloads of less than 8,000 bytes.
const MAX_PAYLOAD_BYTES: usize = 6_000;

/// What other processes are to be told.
#[derive(Debug)]
pub(super) struct Notices {
    pending: Mutex<Pending>,
    /// By which this process knows its own notices.
    origin: String,
}

#[derive(Debug, Default)]
struct Pending {
    executors: BTreeSet<ExecutorName>,
    cancelled: BTreeSet<JobId>,
    ended: BTreeSet<JobId>,
    /// Whether there are events to be read.
    happened: bool,
    /// Whether a task is about to tell them.
    is_told: bool,
    /// When the last one was added, in the time that nobody can set.
    last_at: Option<Duration>,
}

/// Who tells what was added.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Teller {
    /// The task that there is.
    Known,
    /// A task that is to be started.
    New,
    /// … and waited for: nothing was told of late.
    Awaited,
}

/// A notice that comes so long after the last one is a lone one.
const LULL: Duration = Duration::from_millis(50);

/// A payload.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Notice {
    from: String,
    #[serde(default)]
    pub(super) executors: Vec<String>,
    #[serde(default)]
    pub(super) cancelled: Vec<JobId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) ended: Vec<JobId>,
    /// Whether there are events to be read.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) happened: bool,
}

impl Default for Notices {
    fn default() -> Self {
        let origin = format!("{:016x}", RandomState::new().build_hasher().finish());
        Self { pending: Mutex::default(), origin }
    }
}

impl Notices {
    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What this process tells nobody but itself.
    pub(super) fn word(&self) -> String {
        payloads(&self.origin, BTreeSet::new(), BTreeSet::new()).concat()
    }

    /// Takes in what is to be told, and says who tells it.
    pub(super) fn add(
        &self,
        executors: BTreeSet<ExecutorName>,
        cancelled: Option<JobId>,
        ended: &[JobId],
        now: Duration,
    ) -> Teller {
        let mut pending = self.pending();
        pending.ended.extend(ended);
        pending.executors.extend(executors);
        pending.cancelled.extend(cancelled);
        pending.teller(now)
    }

    /// Takes in that there are events to be read, and says who tells it.
    pub(super) fn add_happened(&self, now: Duration) -> Teller {
        let mut pending = self.pending();
        pending.happened = true;
        pending.teller(now)
    }
}

impl Pending {
    /// Who tells what was just added.
    fn teller(&mut self, now: Duration) -> Teller {
        let last = self.last_at.replace(now);
        match std::mem::replace(&mut self.is_told, true) {
            true => Teller::Known,
            false if last.is_none_or(|last| now.saturating_sub(last) >= LULL) => Teller::Awaited,
            false => Teller::New,
        }
    }
}

impl Notices {
    /// Takes out what is left to tell when the task ends too early. The next one starts another task.
    pub(super) fn abandon(&self) -> Vec<String> {
        let left = self.take().unwrap_or_default();
        self.pending().is_told = false;
        left
    }

    /// Takes out the payloads that say all that is to be told; `None`: there is nothing, and the task is to end.
    pub(super) fn take(&self) -> Option<Vec<String>> {
        let mut pending = self.pending();
        let (executors, cancelled) = (std::mem::take(&mut pending.executors), std::mem::take(&mut pending.cancelled));
        let ended = std::mem::take(&mut pending.ended);
        let mut told = Vec::new();
        if !executors.is_empty() || !cancelled.is_empty() {
            told = payloads(&self.origin, executors, cancelled);
        }
        if !ended.is_empty() {
            told.extend(ends(&self.origin, ended));
        }
        if std::mem::take(&mut pending.happened) && told.is_empty() {
            let notice = Notice { from: self.origin.clone(), happened: true, ..Notice::default() };
            told.extend(serde_json::to_string(&notice));
        }
        pending.is_told = !told.is_empty();
        pending.is_told.then_some(told)
    }

    /// Reads a payload; `None` for this process's own, and for what is none of ours.
    pub(super) fn read(&self, payload: &str) -> Option<Notice> {
        let notice: Notice = serde_json::from_str(payload).ok()?;
        (notice.from != self.origin).then_some(notice)
    }
}

/// The origin of what no process says, but a transaction that commits later.
pub(super) const NO_PROCESS: &str = "transaction";

/// The payloads that say this.
pub(super) fn payloads(from: &str, executors: BTreeSet<ExecutorName>, cancelled: BTreeSet<JobId>) -> Vec<String> {
    let fresh = || Notice { from: from.to_owned(), ..Notice::default() };
    let (mut notices, mut notice, mut bytes) = (Vec::new(), fresh(), 0);
    let executors = executors.into_iter().map(|executor| (Some(executor.to_string()), None));
    for (executor, job) in executors.chain(cancelled.into_iter().map(|job| (None, Some(job)))) {
        // A character takes six bytes at most, as an escape.
        let more = executor.as_ref().map_or(20, |executor| executor.len() * 6 + 3);
        bytes += more;
        if bytes > MAX_PAYLOAD_BYTES {
            bytes = more;
            notices.push(std::mem::replace(&mut notice, fresh()));
        }
        notice.executors.extend(executor);
        notice.cancelled.extend(job);
    }
    notices.push(notice);
    notices.iter().filter_map(|notice| serde_json::to_string(notice).ok()).collect()
}

/// The payloads that say that these jobs have ended.
pub(super) fn ends(from: &str, ended: BTreeSet<JobId>) -> Vec<String> {
    let ended: Vec<JobId> = ended.into_iter().collect();
    // A number has 20 characters at most.
    let notices = ended.chunks(MAX_PAYLOAD_BYTES / 20);
    let notices = notices.map(|ended| Notice { from: from.to_owned(), ended: ended.to_vec(), ..Notice::default() });
    notices.filter_map(|notice| serde_json::to_string(&notice).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_are_short_enough_and_say_everything() {
        let (here, there) = (Notices::default(), Notices::default());
        let name = |number: usize| ExecutorName::from(format!("{number:03}{}", "\u{1}".repeat(252)));
        let executors: BTreeSet<_> = (0..50).map(name).collect();
        let cancelled: BTreeSet<_> = (0..1_000).map(JobId::from).collect();
        let payloads = payloads(&here.origin, executors, cancelled);
        assert!(payloads.iter().all(|payload| payload.len() < 8_000));
        assert!(payloads.iter().all(|payload| here.read(payload).is_none()));
        let notices: Vec<_> = payloads.iter().filter_map(|payload| there.read(payload)).collect();
        assert_eq!(notices.iter().map(|notice| notice.executors.len()).sum::<usize>(), 50);
        assert_eq!(notices.iter().map(|notice| notice.cancelled.len()).sum::<usize>(), 1_000);
        let payloads = ends(&here.origin, (0..1_000).map(|id| JobId::from(i64::MAX - id)).collect());
        assert!(payloads.iter().all(|payload| payload.len() < 8_000));
        let ended = payloads.iter().filter_map(|payload| there.read(payload)).map(|notice| notice.ended.len());
        assert_eq!(ended.sum::<usize>(), 1_000);
    }

    #[test]
    fn case_35_a_lone_notice_is_waited_for_and_a_task_that_ends_too_early_is_followed_by_another() {
        let notices = Notices::default();
        let add = |ms| notices.add([ExecutorName::from("mail")].into(), None, &[], Duration::from_millis(ms));
        assert_eq!(add(0), Teller::Awaited);
        assert_eq!(add(1), Teller::Known);
        assert!(notices.take().is_some() && notices.take().is_none(), "the task ends");
        assert_eq!(add(2), Teller::New, "one of many");
        assert_eq!(notices.abandon().len(), 1);
        assert_eq!(add(3), Teller::New);
        assert!(notices.take().is_some() && notices.take().is_none());
        assert!(notices.abandon().is_empty());
        assert_eq!(add(53), Teller::Awaited);
    }

    #[test]
    fn trap_36_a_foreign_payload_is_nothing() {
        let notices = Notices::default();
        for payload in ["", "mail", "{}", "[1]", r#"{"from":1}"#, r#"{"from":"x","executors":"all"}"#, "\u{fffd}"] {
            assert!(notices.read(payload).is_none(), "{payload}");
        }
    }
}
