//! Knowing when all tasks of a runtime wait.
//!
//! A runtime that this module builds says so when its thread is about to park: then no task can run, and the clock may
//! move. On any other runtime one can only let the others run many times, and hope.

use std::{
    cell::{Cell, RefCell},
    future::poll_fn,
    task::{Poll, Waker},
};

use tokio::runtime::{Builder, Runtime};

thread_local! {
    /// Whether the runtime of this thread says when it parks.
    static SAYS_SO: Cell<bool> = const { Cell::new(false) };
    static PARKED: Cell<u64> = const { Cell::new(0) };
    static WAITING: RefCell<Vec<Waker>> = const { RefCell::new(Vec::new()) };
}

/// How often the tasks of another runtime are let run: enough for a chain of wakeups through every loop of several nodes.
const TURNS: usize = 200;

/// A current-thread runtime that says when all its tasks wait.
pub(crate) fn runtime() -> std::io::Result<Runtime> {
    let parked = || {
        PARKED.set(PARKED.get().wrapping_add(1));
        WAITING.take().into_iter().for_each(Waker::wake);
    };
    Builder::new_current_thread().enable_all().on_thread_park(parked).build()
}

/// Marks this thread as one whose runtime is of [`runtime`], while `work` goes on.
pub(crate) fn with_hook<T>(work: impl FnOnce() -> T) -> T {
    let was = SAYS_SO.replace(true);
    let value = work();
    SAYS_SO.set(was);
    value
}

/// Lets every task run until they all wait.
pub(crate) async fn wait() {
    if !SAYS_SO.get() {
        for _ in 0..TURNS {
            tokio::task::yield_now().await;
        }
        return;
    }
    let before = PARKED.get();
    poll_fn(|context| {
        if PARKED.get() != before {
            return Poll::Ready(());
        }
        WAITING.with_borrow_mut(|waiting| waiting.push(context.waker().clone()));
        Poll::Pending
    })
    .await;
}
