//! Which jobs the threads of the runtime are polling just now, so that one that blocks its thread can be named while it does.
//!
//! Every poll of a job passes here, so it must cost next to nothing: no clock is read. Whoever looks now and then sees by a
//! poll's number whether it is still the same one.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::model::JobId;

/// A job, in few words.
pub(crate) type Named = (JobId, &'static str);

/// The threads that poll the jobs of one node.
#[derive(Debug, Default)]
pub(crate) struct Workers(Mutex<Vec<Weak<Worker>>>);

/// What one thread polls.
#[derive(Debug, Default)]
struct Worker {
    /// How many polls have begun.
    begun: AtomicU64,
    /// Which of them is under way; 0: none.
    current: AtomicU64,
    job: Mutex<Option<Named>>,
}

thread_local! {
    /// This thread, as the nodes know it that have a job polled here: one, as a rule.
    static HERE: RefCell<Vec<(Weak<Workers>, Arc<Worker>)>> = const { RefCell::new(Vec::new()) };
}

impl Workers {
    /// Polls a job.
    pub(crate) fn poll<T>(self: &Arc<Self>, job: Named, poll: impl FnOnce() -> T) -> T {
        let worker = self.here();
        let number = worker.begun.load(Ordering::Relaxed) + 1;
        worker.begun.store(number, Ordering::Relaxed);
        let before = lock(&worker.job).replace(job);
        let outer = worker.current.swap(number, Ordering::Relaxed);
        let _end = End { worker: &worker, outer, before };
        poll()
    }

    fn here(self: &Arc<Self>) -> Arc<Worker> {
        HERE.with_borrow_mut(|known| {
            let is_this = |workers: &Weak<Self>| std::ptr::eq(workers.as_ptr(), Arc::as_ptr(self));
            if let Some((_, worker)) = known.iter().find(|(workers, _)| is_this(workers)) {
                return worker.clone();
            }
            let worker = Arc::<Worker>::default();
            known.retain(|(workers, _)| workers.strong_count() > 0);
            known.push((Arc::downgrade(self), worker.clone()));
            let mut workers = lock(&self.0);
            workers.retain(|worker| worker.strong_count() > 0);
            workers.push(Arc::downgrade(&worker));
            worker
        })
    }
}

/// A poll that is under way: it may end with a panic.
struct End<'w> {
    worker: &'w Worker,
    /// The poll within which this one came, if any.
    outer: u64,
    before: Option<Named>,
}

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.worker.current.store(self.outer, Ordering::Relaxed);
        if self.outer != 0 {
            *lock(&self.worker.job) = self.before;
        }
    }
}

/// Looks at the workers of a node, at even intervals.
#[derive(Debug)]
pub(crate) struct Watch {
    workers: Arc<Workers>,
    /// For how many looks each worker, by its address, has been in the same poll.
    seen: BTreeMap<usize, (u64, u32)>,
}

impl Watch {
    pub(crate) fn new(workers: Arc<Workers>) -> Self {
        Self { workers, seen: BTreeMap::new() }
    }

    /// The jobs that have been in one poll for `looks` intervals, each once.
    pub(crate) fn look(&mut self, looks: u32) -> Vec<Named> {
        let mut blocking = Vec::new();
        let mut before = std::mem::take(&mut self.seen);
        for worker in lock(&self.workers.0).iter().filter_map(Weak::upgrade) {
            let current = worker.current.load(Ordering::Relaxed);
            if current == 0 {
                continue;
            }
            let address = Arc::as_ptr(&worker).addr();
            let same = before.remove(&address).filter(|(poll, _)| *poll == current);
            let times = same.map_or(0, |(_, times)| times.saturating_add(1));
            let job = *lock(&worker.job);
            if times == looks && worker.current.load(Ordering::Relaxed) == current {
                blocking.extend(job);
            }
            self.seen.insert(address, (current, times));
        }
        blocking
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    fn job(id: i64) -> Named {
        (JobId::from(id), "computes")
    }

    #[test]
    fn case_11_a_poll_that_lasts_is_named_once_and_the_next_one_again() {
        let workers = Arc::<Workers>::default();
        let mut watch = Watch::new(workers.clone());
        for id in [1, 2] {
            workers.poll(job(id), || {
                let looks: Vec<_> = (0..5).map(|_| watch.look(2)).collect();
                assert_eq!(looks, [vec![], vec![], vec![job(id)], vec![], vec![]]);
            });
        }
        assert_eq!(watch.look(0), []);
    }

    #[test]
    fn many_short_polls_are_not_one_long_one() {
        let workers = Arc::<Workers>::default();
        let mut watch = Watch::new(workers.clone());
        for id in 0..9 {
            assert_eq!(workers.poll(job(id), || watch.look(1)), []);
        }
    }

    #[test]
    fn a_poll_inside_a_poll_and_one_that_panics_leave_the_outer_one() {
        let workers = Arc::<Workers>::default();
        let mut watch = Watch::new(workers.clone());
        workers.poll(job(1), || {
            watch.look(1);
            let inner = || workers.poll(job(2), || panic!("on purpose"));
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(inner)).unwrap_err();
            assert_eq!(watch.look(1), [job(1)]);
        });
    }

    #[test]
    fn another_threads_poll_is_seen_and_a_thread_that_has_ended_is_forgotten() {
        let workers = Arc::<Workers>::default();
        let mut watch = Watch::new(workers.clone());
        let (begun, begins) = mpsc::channel();
        let (end, ended) = mpsc::channel::<()>();
        let there = workers.clone();
        let thread = std::thread::spawn(move || {
            there.poll(job(3), || {
                begun.send(()).unwrap();
                ended.recv().unwrap();
            });
        });
        begins.recv().unwrap();
        assert_eq!([watch.look(1), watch.look(1)], [vec![], vec![job(3)]]);
        end.send(()).unwrap();
        thread.join().unwrap();
        workers.poll(job(4), || ());
        assert_eq!(lock(&workers.0).len(), 1);
    }
}
