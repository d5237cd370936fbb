//! A node's process and its network: it freezes, dies, is cut off, and has a clock that is wrong.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::BoxFuture;
use rexecutor::clock::Clock;
use tokio::sync::Notify;

use super::audit::Audit;
use crate::{Fault, Faulty, Operation, TestClock};

/// How a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    Running,
    /// It does nothing for a while, and does not know.
    Frozen,
    /// It does nothing any more.
    Dead,
}

/// The clock of one process.
#[derive(Clone)]
pub(super) struct NodeClock {
    clock: TestClock,
    skew: TimeDelta,
    life: Arc<Gate>,
}

/// Lets through while the process runs. Not `tokio::sync::watch`, which wakes in an order that is random.
struct Gate {
    life: Mutex<Life>,
    changed: Notify,
}

impl Gate {
    fn life(&self) -> Life {
        *self.life.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, life: Life) {
        let mut now = self.life.lock().unwrap_or_else(PoisonError::into_inner);
        if *now != Life::Dead {
            *now = life;
            self.changed.notify_waiters();
        }
    }

    async fn pass(&self) {
        loop {
            let changed = self.changed.notified();
            if self.life() == Life::Running {
                return;
            }
            changed.await;
        }
    }
}

impl Clock for NodeClock {
    fn now(&self) -> DateTime<Utc> {
        self.clock.now() + self.skew
    }

    fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let (sleep, life) = (self.clock.sleep(duration), self.life.clone());
        Box::pin(async move {
            sleep.await;
            life.pass().await;
        })
    }
}

impl fmt::Debug for NodeClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("NodeClock").field(&self.now()).finish()
    }
}

/// What every call takes.
const LATENCY: Duration = Duration::from_millis(2);

/// All but `Watch`, which lasts for ever.
const CALLS: [Operation; 14] = [
    Operation::Enqueue,
    Operation::Schedules,
    Operation::Tick,
    Operation::Claim,
    Operation::Settle,
    Operation::Join,
    Operation::Heartbeat,
    Operation::Leave,
    Operation::Rescue,
    Operation::Prune,
    Operation::Query,
    Operation::Cancel,
    Operation::Rerun,
    Operation::Update,
];

/// A process, from outside.
pub(super) struct Process {
    pub(super) clock: NodeClock,
    pub(super) backend: Arc<Faulty<Arc<Audit>>>,
}

impl Process {
    pub(super) fn new(audit: Arc<Audit>, clock: TestClock, skew: TimeDelta) -> Self {
        let life = Arc::new(Gate { life: Mutex::new(Life::Running), changed: Notify::new() });
        let clock = NodeClock { clock, skew, life };
        let process = Self { backend: Arc::new(Faulty::new(audit).with_clock(clock.clone())), clock };
        process.heal();
        process
    }

    pub(super) fn is_dead(&self) -> bool {
        self.clock.life.life() == Life::Dead
    }

    pub(super) fn live(&self, life: Life) {
        self.clock.life.set(life);
    }

    /// Every call fails from now on.
    pub(super) fn cut_off(&self) {
        self.backend.heal();
        self.backend.inject(Fault::error().on(CALLS));
    }

    /// Some calls fail, some lose their answers, some batches are cut.
    pub(super) fn disturb(&self, seed: u64) {
        self.backend.heal();
        self.backend.inject(Fault::error().on(CALLS).with_probability(0.1, seed));
        self.backend.inject(Fault::lost_answer().on(CALLS).with_probability(0.2, seed + 1));
        self.backend.inject(Fault::cut(1).with_probability(0.2, seed + 2));
        self.backend.inject(Fault::late_answer(Duration::from_secs(5)).on(CALLS).with_probability(0.1, seed + 3));
        self.backend.inject(Fault::delay(LATENCY).on(CALLS));
    }

    /// Calls work, and take their time, which they do not while the process is frozen.
    pub(super) fn heal(&self) {
        self.backend.heal();
        self.backend.inject(Fault::delay(LATENCY).on(CALLS));
    }
}
