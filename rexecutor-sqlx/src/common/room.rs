//! The places in queues that this process has taken and not used yet.
//!
//! How many jobs wait is counted only where the places that the last count has left are used up: a row of each executor says how
//! many those are, and processes take them in batches. So an enqueue hardly ever asks the database, and the limit is exceeded by
//! no more than what other processes have in hand.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};
use rexecutor::{
    backend::{NewJob, Places, Result, places},
    job::ExecutorName,
};

/// How soon a full queue is counted again.
const RECENT: TimeDelta = TimeDelta::milliseconds(100);

/// For how long a count is believed. Jobs also come back to a queue without a place, as by a retry.
const OLD: TimeDelta = TimeDelta::seconds(10);

/// A database that is asked.
pub(crate) trait Reserve: Sync {
    /// The present, by the clock of the process.
    fn now(&self) -> DateTime<Utc>;

    /// Takes a batch of places, and gives how many there were: none, or as many as the call lacks at least.
    fn reserve(&self, batch: Batch) -> impl Future<Output = Result<usize>> + Send;
}

/// What this process has in hand.
#[derive(Debug, Default)]
pub(crate) struct Room {
    taken: Mutex<HashMap<ExecutorName, Taken>>,
    /// Held by who asks the database: the others find what it got.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Taken {
    left: usize,
    /// Of which limit.
    max_pending: usize,
    /// When there was no room, and for how many jobs.
    refused: Option<(DateTime<Utc>, usize)>,
}

/// What is known without asking.
enum Look {
    Answer(bool),
    Ask(Batch),
}

impl Room {
    /// Takes the places that these jobs want.
    pub(crate) async fn take(&self, jobs: &[NewJob], database: &impl Reserve) -> Result<()> {
        let wanted = places(jobs);
        wanted.iter().try_for_each(Places::check)?;
        for (nth, one) in wanted.iter().enumerate() {
            let error = match self.take_one(one, database).await {
                Ok(true) => continue,
                Ok(false) => one.refused(),
                Err(error) => error,
            };
            wanted[..nth].iter().for_each(|earlier| self.give_back(earlier));
            return Err(error);
        }
        Ok(())
    }

    async fn take_one(&self, wanted: &Places, database: &impl Reserve) -> Result<bool> {
        let look = || self.with(wanted, |taken| taken.look(wanted, database.now()));
        if let Look::Answer(answer) = look() {
            return Ok(answer);
        }
        let _turn = self.asking.lock().await;
        // Whoever asked before may have got enough for all.
        let batch = match look() {
            Look::Answer(answer) => return Ok(answer),
            Look::Ask(batch) => batch,
        };
        let got = database.reserve(batch).await?;
        Ok(self.with(wanted, |taken| {
            taken.left += got;
            let is_taken = taken.take(wanted.count);
            taken.refused = Some((database.now(), wanted.count)).filter(|_| !is_taken);
            is_taken
        }))
    }

    fn give_back(&self, wanted: &Places) {
        self.with(wanted, |taken| taken.left += wanted.count);
    }

    fn with<T>(&self, wanted: &Places, change: impl FnOnce(&mut Taken) -> T) -> T {
        let mut all = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = all.entry(wanted.executor.clone()).or_default();
        if taken.max_pending != wanted.max_pending {
            *taken = Taken { max_pending: wanted.max_pending, ..Taken::default() };
        }
        change(taken)
    }
}

impl Taken {
    fn take(&mut self, count: usize) -> bool {
        let left = self.left.checked_sub(count);
        self.left = left.unwrap_or(self.left);
        left.is_some()
    }

    fn look(&mut self, wanted: &Places, now: DateTime<Utc>) -> Look {
        if self.take(wanted.count) {
            return Look::Answer(true);
        }
        let had_no_room = |(at, count): (DateTime<Utc>, usize)| wanted.count >= count && is_within(now - at, RECENT);
        match self.refused.is_some_and(had_no_room) {
            true => Look::Answer(false),
            false => Look::Ask(Batch::of(wanted, self.left)),
        }
    }
}

fn is_within(age: TimeDelta, limit: TimeDelta) -> bool {
    age >= TimeDelta::zero() && age < limit
}

/// What the database is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Batch {
    pub(crate) executor: ExecutorName,
    pub(crate) max_pending: i64,
    /// How many places, if there are as many.
    pub(crate) most: i64,
    /// How many of them are of any use.
    pub(crate) least: i64,
}

impl Batch {
    fn of(wanted: &Places, left: usize) -> Self {
        let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        Self {
            executor: wanted.executor.clone(),
            max_pending: number(wanted.max_pending),
            most: number(wanted.batch()),
            least: number(wanted.count - left.min(wanted.count)),
        }
    }

    /// … of which none is kept in hand.
    pub(crate) fn exact(wanted: &Places) -> Self {
        let batch = Self::of(wanted, 0);
        Self { most: batch.least, ..batch }
    }

    /// Whether the jobs are to be counted, by what the last count has left.
    pub(crate) fn needs_count(&self, last: &Last) -> bool {
        let is_old = !last.age.is_some_and(|age| is_within(age, OLD));
        let is_recent = last.age.is_some_and(|age| is_within(age, RECENT));
        last.max_pending != self.max_pending || is_old || (last.room < self.least && !is_recent)
    }

    /// How many places are granted of so many.
    pub(crate) fn granted(&self, room: i64) -> i64 {
        if room < self.least { 0 } else { room.min(self.most) }
    }
}

/// What is stored of the last count.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Last {
    /// How many places it has left, less those that were taken since.
    pub(crate) room: i64,
    pub(crate) max_pending: i64,
    /// How long it was ago; `None`: never.
    pub(crate) age: Option<TimeDelta>,
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const BATCH: fn(i64, i64) -> Batch =
        |most, least| Batch { executor: ExecutorName::from("mail"), max_pending: 100, most, least };

    #[test]
    fn a_queue_is_counted_where_the_last_count_says_too_little() {
        let last = |room, millis: i64| Last { room, max_pending: 100, age: Some(TimeDelta::milliseconds(millis)) };
        let batch = BATCH(20, 1);
        assert!(batch.needs_count(&Last { age: None, ..last(50, 0) }));
        assert!(batch.needs_count(&Last { max_pending: 99, ..last(50, 0) }));
        assert!([last(50, 10_000), last(0, 100), last(50, -1), last(0, -1)].iter().all(|last| batch.needs_count(last)));
        assert!([last(50, 9_999), last(1, 5_000), last(0, 99)].iter().all(|last| !batch.needs_count(last)));
        assert_eq!([0, 1, 19, 50].map(|room| batch.granted(room)), [0, 1, 19, 20]);
        assert_eq!(BATCH(20, 5).granted(4), 0);
    }

    /// A queue with so much room.
    #[derive(Default)]
    struct Queue {
        room: AtomicUsize,
        asked: AtomicUsize,
        millis: AtomicUsize,
    }

    impl Queue {
        fn asked(&self) -> usize {
            self.asked.load(Ordering::Relaxed)
        }
    }

    impl Reserve for Queue {
        fn now(&self) -> DateTime<Utc> {
            let millis = i64::try_from(self.millis.load(Ordering::Relaxed)).unwrap();
            DateTime::UNIX_EPOCH + TimeDelta::milliseconds(millis)
        }

        async fn reserve(&self, batch: Batch) -> Result<usize> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            let room = i64::try_from(self.room.load(Ordering::Relaxed)).unwrap();
            let granted = usize::try_from(batch.granted(room)).unwrap();
            self.room.fetch_sub(granted, Ordering::Relaxed);
            Ok(granted)
        }
    }

    #[tokio::test]
    async fn the_database_is_asked_once_a_batch_and_not_while_the_queue_is_full() {
        let (room, queue) = (Room::default(), Queue { room: AtomicUsize::new(30), ..Queue::default() });
        let take = async |count| {
            let jobs = vec![NewJob::new("mail", "1").with_max_pending(1_000); count];
            room.take(&jobs, &queue).await
        };
        for _ in 0..30 {
            take(1).await.unwrap();
        }
        assert_eq!(queue.asked(), 2);
        for _ in 0..30 {
            assert!(take(1).await.unwrap_err().queue_full().is_some());
        }
        assert_eq!(queue.asked(), 3);
        queue.room.store(5, Ordering::Relaxed);
        assert!(take(1).await.is_err(), "it was full a moment ago");
        queue.millis.store(100, Ordering::Relaxed);
        assert!(take(6).await.is_err());
        take(5).await.unwrap();
        assert!(!take(1_001).await.unwrap_err().is_transient());
    }
}
