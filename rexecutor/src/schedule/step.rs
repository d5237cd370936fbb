//! What may happen to a schedule entry: each step is one pure function, which a backend calls while nobody else can change the
//! entry.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::{
    Definition, Schedule,
    applied::{Applied, EntryAnswer, Surroundings},
    entry::{Origin, REMEMBERED, StoredEntry, StoredPause},
    new_entry::{EntryChange, NewEntry},
};
use crate::model::{NodeId, Pause};

/// A step of one entry.
#[derive(Debug, Clone)]
pub struct EntryStep {
    pub(crate) name: String,
    pub(super) action: Action,
}

#[derive(Debug, Clone)]
pub(super) enum Action {
    Declare { node: Option<NodeId>, by: String, new: Box<NewEntry> },
    Put { by: String, new: Box<NewEntry> },
    Change(EntryChange),
    Remove,
    Pause(Pause),
    Resume,
    Trigger { by: String },
    Tick { ours: Option<Box<(Schedule, String)>> },
}

impl EntryStep {
    fn new(name: impl Into<String>, action: Action) -> Self {
        Self { name: name.into(), action }
    }

    /// A node's program has this entry in its code; `None`: there is no node, as in a test that drains.
    pub fn declare(name: impl Into<String>, node: Option<NodeId>, by: impl Into<String>, new: NewEntry) -> Self {
        Self::new(name, Action::Declare { node, by: by.into(), new: Box::new(new) })
    }

    /// Somebody adds the entry, or changes all of it.
    pub fn put(name: impl Into<String>, by: impl Into<String>, new: NewEntry) -> Self {
        Self::new(name, Action::Put { by: by.into(), new: Box::new(new) })
    }

    /// Somebody changes a part of it.
    pub fn change(name: impl Into<String>, change: EntryChange) -> Self {
        Self::new(name, Action::Change(change))
    }

    /// Somebody removes it.
    pub fn remove(name: impl Into<String>) -> Self {
        Self::new(name, Action::Remove)
    }

    /// It does not tick until it is resumed.
    pub fn pause(name: impl Into<String>, pause: Pause) -> Self {
        Self::new(name, Action::Pause(pause))
    }

    /// It ticks again from now on.
    pub fn resume(name: impl Into<String>) -> Self {
        Self::new(name, Action::Resume)
    }

    /// Somebody wants a job now.
    pub fn trigger(name: impl Into<String>, by: impl Into<String>) -> Self {
        Self::new(name, Action::Trigger { by: by.into() })
    }

    /// Enqueues what an entry owes that was added at run time.
    pub fn tick(name: impl Into<String>) -> Self {
        Self::new(name, Action::Tick { ours: None })
    }

    /// Enqueues what an entry owes that is declared so, by the time zone rules of this schedule.
    pub fn tick_declared(name: impl Into<String>, entry: &NewEntry) -> Self {
        let ours = (entry.schedule.clone(), entry.definition.digest());
        Self::new(name, Action::Tick { ours: Some(Box::new(ours)) })
    }

    /// The name of the entry.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it enqueues what is owed.
    pub fn is_tick(&self) -> bool {
        matches!(self.action, Action::Tick { .. })
    }

    /// Whether it pauses the entry.
    pub fn is_pause(&self) -> bool {
        matches!(self.action, Action::Pause(_))
    }

    /// Whether it has to know which nodes are members.
    pub fn needs_members(&self) -> bool {
        matches!(self.action, Action::Declare { .. } | Action::Remove)
    }

    /// Whether it makes the entry if there is none.
    pub fn may_begin(&self) -> bool {
        matches!(self.action, Action::Declare { .. } | Action::Put { .. })
    }

    /// What follows from it.
    pub fn apply(&self, stored: Option<StoredEntry>, around: Surroundings<'_>) -> Applied {
        let now = around.now;
        let Some(mut entry) = stored else { return self.begin(now) };
        match &self.action {
            Action::Declare { node, by, new } => declare(entry, *node, by, new, around),
            Action::Put { .. } | Action::Change(_) if entry.origin == Origin::Code => {
                let what =
                    "it is declared in the code of a program: change it there, or remove it once no program has it";
                Applied::unchanged(entry, self.refuse("changed", what))
            }
            Action::Put { by, new } => {
                entry.define(new.definition.clone(), by, now);
                Applied::changed(entry, EntryAnswer::Done).and_news()
            }
            Action::Change(change) => {
                let by = entry.declared_by.clone();
                entry.define(change.of(&entry.definition), &by, now);
                Applied::changed(entry, EntryAnswer::Done).and_news()
            }
            Action::Remove if entry.origin == Origin::Code && entry.has_declarer(around.members) => {
                let what = "a living node has it in its code, and would declare it again: pause it, or remove it there";
                Applied::unchanged(entry, self.refuse("removed", what))
            }
            Action::Remove => Applied { entry: None, is_changed: true, ..Applied::none(EntryAnswer::Done) }.and_news(),
            Action::Pause(pause) => {
                entry.end_pause(now);
                entry.pause = Some(StoredPause::of(pause, now));
                entry.waiting.clear();
                let cancel = if pause.cancels_running { entry.jobs.clone() } else { Vec::new() };
                Applied { cancel, ..Applied::changed(entry, EntryAnswer::Done) }
            }
            Action::Resume => {
                let was_paused = entry.pause.as_ref().is_some_and(|pause| pause.holds(now));
                entry.end_pause(now);
                Applied::changed(entry, EntryAnswer::Resumed(was_paused)).and_news()
            }
            Action::Trigger { by } => entry.trigger(by, around),
            Action::Tick { ours } => entry.tick(ours.as_deref(), around),
        }
    }

    /// What follows where there is no such entry.
    fn begin(&self, now: DateTime<Utc>) -> Applied {
        match &self.action {
            Action::Declare { node, by, new } => {
                let mut entry = StoredEntry::new(Origin::Code, by, new, now);
                entry.declared.extend(node.map(|node| (node.0, entry.definition.digest())));
                Applied::changed(entry, EntryAnswer::Declared { until: now })
            }
            Action::Put { by, new } => {
                Applied::changed(StoredEntry::new(Origin::RunTime, by, new, now), EntryAnswer::Done).and_news()
            }
            _ => Applied::none(EntryAnswer::Missing),
        }
    }

    fn refuse(&self, verb: &str, reason: &str) -> EntryAnswer {
        EntryAnswer::Refused(format!("the schedule entry `{}` cannot be {verb}: {reason}", self.name))
    }
}

fn declare(
    mut entry: StoredEntry,
    node: Option<NodeId>,
    by: &str,
    new: &NewEntry,
    around: Surroundings<'_>,
) -> Applied {
    if entry.origin == Origin::RunTime {
        let answer = "it was added at run time under the same name: remove that one, or give this one another name";
        return Applied::unchanged(entry, EntryAnswer::Refused(answer.to_owned()));
    }
    let (before, digest) = (entry.clone(), new.definition.digest());
    let current = entry.definition.digest();
    let has_declarer = entry.is_declared(around.members);
    entry.declared.retain(|node, _| around.members.contains(&NodeId(*node)));
    entry.declared.extend(node.map(|node| (node.0, digest.clone())));
    let mut is_superseded = false;
    if digest != current {
        // A node of the old program that starts again during a deploy must not bring the old definition back.
        if entry.superseded.contains(&digest) && has_declarer {
            is_superseded = true;
        } else {
            entry.superseded.retain(|known| *known != digest);
            entry.superseded.push(current);
            let old = entry.superseded.len().saturating_sub(REMEMBERED);
            entry.superseded.drain(..old);
            entry.define(new.definition.clone(), by, around.now);
        }
    }
    let answer = match is_superseded {
        true => EntryAnswer::Superseded,
        false => EntryAnswer::Declared { until: entry.since },
    };
    Applied { is_changed: entry != before, ..Applied::changed(entry, answer) }
}

impl StoredEntry {
    fn new(origin: Origin, by: &str, new: &NewEntry, now: DateTime<Utc>) -> Self {
        Self {
            definition: new.definition.clone(),
            origin,
            declared_by: by.to_owned(),
            declared_at: now,
            declared: BTreeMap::new(),
            superseded: Vec::new(),
            since: now,
            local: None,
            pause: None,
            last_tick: None,
            ticks: Vec::new(),
            jobs: Vec::new(),
            waiting: Vec::new(),
        }
    }

    /// From now on it is this.
    fn define(&mut self, definition: Definition, by: &str, now: DateTime<Utc>) {
        if !definition.rule.ticks_as(&self.definition.rule) {
            self.since = definition.takes_over(&self.definition, self.since, now);
            self.local = None;
        }
        self.definition = definition;
        by.clone_into(&mut self.declared_by);
        self.declared_at = now;
    }

    fn has_declarer(&self, members: &BTreeSet<NodeId>) -> bool {
        self.declared.keys().any(|node| members.contains(&NodeId(*node)))
    }

    /// Ends the pause, if there is one: what came while it lasted is not owed.
    pub(super) fn end_pause(&mut self, now: DateTime<Utc>) {
        if let Some(pause) = self.pause.take() {
            let end = pause.until.map_or(now, |until| until.min(now));
            self.since = self.since.max(end);
        }
    }
}
