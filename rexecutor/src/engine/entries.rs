//! Enqueuing the jobs of schedule entries when they are due, on backends that keep entries.
//!
//! Every node does this: for the entries that its program has in its code, by its own time zone rules, and for those that were
//! added at run time. What is owed is decided by the backend, in the step that stores the jobs: of two nodes that come at once,
//! the second finds nothing owed.
//!
//! # Invariants
//!
//! - An entry from code is ticked only by nodes that declare it as it stands. A node of an older program looks again and again
//!   whether its definition holds once more.
//! - When to look again is decided from the moment at which the backend's clock was read, not from when the work was done.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::watch;

use super::{
    survey::Presence,
    ticker::{LONGEST_SLEEP, until},
};
use crate::{
    backend::{DueEntries, Entries, Wakeup},
    context::Environment,
    model::{NodeId, Result},
    schedule::{EntryAnswer, EntryStep, NewEntry, Ticked, is_behind},
};

/// How long after something unknown has happened a node looks at the entries, and while a tick waits for the end of a job.
const SOON: Duration = Duration::from_secs(1);

/// An entry that a program has in its code.
#[derive(Debug, Clone)]
pub(crate) struct Declared {
    pub(crate) name: String,
    pub(crate) entry: NewEntry,
}

/// What a node knows of an entry that it declares.
#[derive(Debug, Clone, Default)]
struct Known {
    /// As which node it was declared; `None`: it was not, or is not as this node declares it.
    declared_as: Option<Option<NodeId>>,
    /// Until when all of its ticks are done with.
    until: DateTime<Utc>,
    has_more: bool,
    /// Whether the log was told that it is refused.
    is_refused: bool,
}

/// What a node does about entries.
pub(super) struct EntryTicker {
    pub(super) environment: Environment,
    pub(super) wakeup: Arc<Wakeup>,
    pub(super) presence: watch::Receiver<Presence>,
    pub(super) declared: watch::Receiver<Vec<Declared>>,
    /// What the node is called.
    pub(super) label: String,
    pub(super) poll: Duration,
    pub(super) book: Book,
}

/// What is known of the entries that are declared.
#[derive(Debug, Default)]
pub(super) struct Book(Mutex<BTreeMap<String, Known>>);

impl EntryTicker {
    /// Does what is due, then waits until there is something to do.
    pub(super) async fn step(&self) -> Result<()> {
        let Some(entries) = self.environment.backend.entries() else { return std::future::pending().await };
        let (mut presence, mut declared) = (self.presence.clone(), self.declared.clone());
        let node = presence.borrow_and_update().node;
        let ours = declared.borrow_and_update().clone();
        let Some(node) = node else {
            changed(&mut presence, None).await;
            return Ok(());
        };
        let due = entries.due().await?;
        let (now, began) = (due.now, self.environment.clock.elapsed());
        let next = self.book.look(entries, due, &ours, Some(node), &self.label).await?;
        // However long that took, the next tick is not late for it.
        let now = now + TimeDelta::from_std(self.environment.clock.elapsed().saturating_sub(began)).unwrap_or_default();
        let wait = until(&self.environment.clock, now, next, self.poll.max(LONGEST_SLEEP));
        tokio::select! {
            biased;
            () = wait => {}
            () = self.wakeup.schedules_changed() => {}
            () = self.doubt() => {}
            () = changed(&mut presence, Some(node)) => {}
            () = more(&mut declared) => {}
        }
        Ok(())
    }

    /// Where a backend cannot tell what other processes have changed, it says so often.
    async fn doubt(&self) {
        self.wakeup.unknown().await;
        self.environment.clock.sleep(SOON).await;
    }
}

/// Waits until the node is another one.
async fn changed(presence: &mut watch::Receiver<Presence>, node: Option<NodeId>) {
    while presence.borrow_and_update().node == node {
        if presence.changed().await.is_err() {
            // The dispatcher has ended, and with it the node.
            return std::future::pending().await;
        }
    }
}

/// Waits until the node declares more.
async fn more(declared: &mut watch::Receiver<Vec<Declared>>) {
    if declared.changed().await.is_err() {
        std::future::pending().await
    }
}

impl Book {
    /// Declares what is not declared yet, and enqueues what is owed; returns when there is something to do again.
    pub(super) async fn look(
        &self,
        entries: &dyn Entries,
        due: DueEntries,
        ours: &[Declared],
        node: Option<NodeId>,
        label: &str,
    ) -> Result<Option<DateTime<Utc>>> {
        let now = due.now;
        self.declare(entries, ours, node, label).await?;
        let mut next = due.next_at;
        let mut at = |instant: Option<DateTime<Utc>>| next = next.into_iter().chain(instant).min();
        for Declared { name, entry } in ours {
            at(entry.schedule.next_after(now));
            let known = self.known().get(name).cloned().unwrap_or_default();
            let is_due = || entry.schedule.next_after(known.until).is_some_and(|next| next <= now);
            let is_behind = || is_behind(&entry.schedule, known.until, now);
            if known.declared_as == Some(node) && (known.has_more || is_due() || is_behind()) {
                self.tick(entries, name, || EntryStep::tick_declared(name, entry)).await?;
            }
            let has_more = self.known().get(name).is_some_and(|known| known.has_more);
            at(has_more.then(|| now + TimeDelta::seconds(1)));
        }
        for name in &due.names {
            if self.tick(entries, name, || EntryStep::tick(name)).await? {
                at(Some(now + TimeDelta::seconds(1)));
            }
        }
        // What has just ticked has its next tick now, and those that were due were not counted as the next ones.
        if !due.names.is_empty() {
            let due = entries.due().await?;
            at(due.next_at);
            at((!due.names.is_empty()).then(|| now + TimeDelta::seconds(1)));
        }
        Ok(next)
    }

    async fn declare(&self, entries: &dyn Entries, ours: &[Declared], node: Option<NodeId>, label: &str) -> Result<()> {
        let is_declared = |name: &str| self.known().get(name).is_some_and(|known| known.declared_as == Some(node));
        let mut new: Vec<&Declared> = ours.iter().filter(|declared| !is_declared(&declared.name)).collect();
        if new.is_empty() {
            return Ok(());
        }
        new.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        new.dedup_by(|one, other| one.name == other.name);
        let step = |new: &&Declared| EntryStep::declare(new.name.clone(), node, label, new.entry.clone());
        let answers = entries.step(new.iter().map(step).collect()).await?;
        for (Declared { name, .. }, answer) in new.into_iter().zip(answers) {
            let mut book = self.known();
            let known = book.entry(name.clone()).or_default();
            match answer {
                EntryAnswer::Declared { until } => (known.declared_as, known.until) = (Some(node), until),
                EntryAnswer::Refused(problem) if !std::mem::replace(&mut known.is_refused, true) => {
                    tracing::error!(schedule = name, problem, "a schedule does not tick");
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Enqueues what an entry owes; whether there is more to do soon.
    async fn tick(&self, entries: &dyn Entries, name: &str, step: impl Fn() -> EntryStep) -> Result<bool> {
        loop {
            let answer = match entries.step(vec![step()]).await {
                Ok(answers) => answers.into_iter().next(),
                Err(error) if error.is_transient() => return Err(error),
                // A job that cannot be stored must not keep the others from ticking. It is tried again at the next look.
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::error!(error, schedule = name, "the job of a tick cannot be stored");
                    return Ok(false);
                }
            };
            let Some(EntryAnswer::Ticked(ticked)) = answer else {
                // It is declared anew at the next look, if it is ours.
                self.known().remove(name);
                return Ok(false);
            };
            self.note(name, &ticked);
            if ticked.enqueued.is_empty() || !ticked.has_more {
                return Ok(ticked.has_more);
            }
        }
    }

    fn note(&self, name: &str, ticked: &Ticked) {
        let Ticked { until, enqueued, has_more, taken_back } = ticked;
        if let Some(last) = taken_back {
            tracing::warn!(
                schedule = name,
                last_tick = %last,
                "the last tick of a schedule lies ahead of the clock, which was wrong then or is now: it ticks on from now"
            );
        }
        enqueued.iter().for_each(|tick| tracing::debug!(schedule = name, %tick, "a tick was due"));
        if let Some(known) = self.known().get_mut(name) {
            (known.until, known.has_more) = (*until, *has_more);
        }
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<String, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
