//! SIGINT and SIGTERM, heard by a thread of their own.
//!
//! Once a program has asked for a signal, the operating system no longer ends it at one. So somebody must, whatever the
//! program does: this thread lives as long as the process, also when `main` has returned and its runtime waits for a thread
//! that a job blocks.
//!
//! The operating system ignores these signals for process 1 of a container until they are asked for. There they are, before
//! the first wait.
//!
//! # Invariants
//!
//! - Nothing is installed in a process that has not asked for it, but in process 1, which would be deaf otherwise.
//! - Whoever listens finds every signal since the handlers were installed.

mod process_one;
#[cfg(unix)]
#[path = "unix.rs"]
mod system;
#[cfg(not(unix))]
#[path = "other.rs"]
mod system;

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};

use tokio::sync::watch;

pub(crate) use self::process_one::stand;
pub use self::process_one::while_waiting;

/// The signal after which nothing is waited for any more.
const LAST: usize = 3;

/// What was heard so far.
#[derive(Debug, Clone, Copy, Default)]
struct Heard {
    times: usize,
    /// With which code a process ends because of the last one.
    exit_code: i32,
}

/// How many listen for what to do. Nobody: whoever did has done all that there was to do.
static LISTENING: AtomicUsize = AtomicUsize::new(0);

/// Whether anybody has listened yet.
static HAS_LISTENED: AtomicBool = AtomicBool::new(false);

/// Somebody who listens. From then on a third signal ends the process, whatever it does, and so does a second one that
/// nobody listens for.
#[derive(Debug)]
pub(crate) struct Signals(watch::Receiver<Heard>);

impl Signals {
    /// Installs the handlers, unless they are.
    pub(crate) fn listen() -> Self {
        LISTENING.fetch_add(1, Ordering::AcqRel);
        HAS_LISTENED.store(true, Ordering::Release);
        Self(install().clone())
    }

    /// Waits until the process has had so many signals.
    pub(crate) async fn heard(&mut self, times: usize) {
        if self.0.wait_for(|heard| heard.times >= times).await.is_err() {
            // There is no thread that could hear one.
            std::future::pending::<()>().await;
        }
    }

    /// Ends the process because of the last signal.
    pub(crate) fn exit(&self) -> ! {
        std::process::exit(self.0.borrow().exit_code)
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        LISTENING.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Installs the handlers, unless they are: they stand when this returns.
fn install() -> &'static watch::Receiver<Heard> {
    static HEARD: OnceLock<watch::Receiver<Heard>> = OnceLock::new();
    HEARD.get_or_init(|| {
        let (sender, receiver) = watch::channel(Heard::default());
        let (ready, is_ready) = mpsc::channel();
        let thread = thread::Builder::new().name("rexecutor-signals".to_owned());
        let hearing = thread.spawn(move || hear(&sender, &ready));
        // An error has been sent, or the thread is none: either way there is nothing to wait for.
        let installed = hearing.and_then(|_| is_ready.recv().unwrap_or_else(|error| Err(std::io::Error::other(error))));
        if let Err(error) = installed {
            tracing::error!(error = &error as &dyn std::error::Error, "no handlers for signals could be installed");
        }
        receiver
    })
}

fn hear(heard: &watch::Sender<Heard>, ready: &mpsc::Sender<std::io::Result<()>>) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_io().build() {
        Ok(runtime) => runtime,
        Err(error) => return drop(ready.send(Err(error))),
    };
    runtime.block_on(async {
        let mut signals = match system::Handlers::install() {
            Ok(signals) => signals,
            Err(error) => return drop(ready.send(Err(error))),
        };
        // Who waits for this cannot be gone.
        let _ = ready.send(Ok(()));
        loop {
            let signal = signals.next().await;
            heard.send_modify(|heard| *heard = Heard { times: heard.times + 1, exit_code: 128 + signal });
            let now = *heard.borrow();
            if process_one::is_waiting() || is_last(now.times) {
                std::process::exit(now.exit_code);
            }
        }
    });
}

fn is_last(times: usize) -> bool {
    let is_left_alone = LISTENING.load(Ordering::Acquire) == 0;
    HAS_LISTENED.load(Ordering::Acquire) && (times >= LAST || (times > 1 && is_left_alone))
}
