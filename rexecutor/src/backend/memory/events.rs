//! What happens to jobs, kept for whoever listens.

use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;

use super::{backend::InMemoryBackend, roles::ready};
use crate::{
    backend::{
        events::{EventPage, EventReader, Events, Interest, is_wanted},
        wakeup::Listeners,
    },
    model::{EventKind, EventRow, Happened, JobRow, Pause, Result, Scope},
};

/// How many events are kept for listeners that do not read.
const MOST: usize = 50_000;

/// What has happened that somebody has not read yet.
#[derive(Debug, Default)]
pub(super) struct EventLog {
    events: VecDeque<EventRow>,
    /// The number of the first of these.
    first: u64,
    readers: BTreeMap<u64, Reading>,
    last_reader: u64,
    /// Who is woken by an event.
    pub(super) wakeups: Listeners,
}

/// One who listens.
#[derive(Debug)]
struct Reading {
    interest: Interest,
    /// The number of the next event to be read.
    next: u64,
}

impl Reading {
    fn wants(&self, event: &EventRow) -> bool {
        is_wanted(event, &self.interest)
    }
}

impl EventLog {
    /// Tells what the last transition of a row was, if it is told of, and forgets it.
    pub(super) fn tell_change(&mut self, row: &mut JobRow, at: DateTime<Utc>) {
        if let Some(kind) = std::mem::replace(&mut row.happened, Happened::NOTHING).kind() {
            self.tell(|| EventRow::of(row, kind, at));
        }
    }

    pub(super) fn tell_pause(&mut self, at: DateTime<Utc>, scope: &Scope, pause: Option<&Pause>) {
        self.tell(|| EventRow::of_pause(at, scope, pause));
    }

    /// Nothing is made where nobody listens.
    pub(super) fn tell(&mut self, event: impl FnOnce() -> EventRow) {
        if self.readers.is_empty() {
            return;
        }
        let event = event();
        if self.readers.values().any(|reader| reader.wants(&event)) {
            self.events.push_back(event);
            if self.events.len() > MOST {
                self.events.pop_front();
                self.first += 1;
            }
            self.wakeups.each(|wakeup| wakeup.happened());
        }
    }

    fn next(&self) -> u64 {
        self.first + self.events.len() as u64
    }

    fn listen(&mut self, interest: Interest) -> u64 {
        self.last_reader += 1;
        let next = self.next();
        self.readers.insert(self.last_reader, Reading { interest, next });
        self.last_reader
    }

    fn read(&mut self, id: u64, limit: usize) -> EventPage {
        let end = self.next();
        let Some(reader) = self.readers.get_mut(&id) else { return EventPage::default() };
        let has_lost = reader.next < self.first;
        let begin = reader.next.max(self.first);
        reader.next = end.min(begin.saturating_add(limit as u64));
        let place = |number: u64| usize::try_from(number - self.first).unwrap_or(usize::MAX);
        let read = self.events.range(place(begin)..place(reader.next));
        let events = read.filter(|event| reader.wants(event)).cloned().collect();
        let has_more = reader.next < end;
        self.trim();
        EventPage { has_lost, ..EventPage::of(events, has_more) }
    }

    fn end(&mut self, id: u64) {
        self.readers.remove(&id);
        self.trim();
    }

    /// Forgets what all have read.
    fn trim(&mut self) {
        let first = self.readers.values().map(|reader| reader.next).min().unwrap_or_else(|| self.next());
        let read = first.saturating_sub(self.first);
        self.events.drain(..usize::try_from(read).unwrap_or(usize::MAX).min(self.events.len()));
        self.first += read;
    }
}

impl Events for InMemoryBackend {
    fn listen(&self, interest: Interest) -> BoxFuture<'_, Result<Box<dyn EventReader + '_>>> {
        let id = self.store().0.log.listen(interest);
        ready(Ok(Box::new(MemoryReader { backend: self, id })))
    }
}

struct MemoryReader<'b> {
    backend: &'b InMemoryBackend,
    id: u64,
}

impl EventReader for MemoryReader<'_> {
    fn attend(&mut self, interest: Interest) -> BoxFuture<'_, Result<()>> {
        if let Some(reader) = self.backend.store().0.log.readers.get_mut(&self.id) {
            reader.interest = interest;
        }
        ready(Ok(()))
    }

    fn read(&mut self, limit: usize) -> BoxFuture<'_, Result<EventPage>> {
        ready(Ok(self.backend.store().0.log.read(self.id, limit)))
    }

    fn end(&mut self) -> BoxFuture<'_, Result<()>> {
        self.backend.store().0.log.end(self.id);
        ready(Ok(()))
    }
}

impl Drop for MemoryReader<'_> {
    fn drop(&mut self) {
        self.backend.store().0.log.end(self.id);
    }
}

/// What a run says of itself, as JSON.
pub(super) fn progress(row: &JobRow, said: &str, at: DateTime<Utc>) -> EventRow {
    let mut event = EventRow::of(row, EventKind::Progress, at);
    event.detail = Some(said.to_owned());
    event
}
