//! The engine of a node: claims due jobs, runs them, and settles how they ended.
//!
//! ```text
//!         wakeups (the wakeup, the timer of the next due job)
//!                      │
//!    free slots ──► claim (one batch for all executors) ──► run (a task each, or a blocking thread)
//!                      ▲                                       │ outcome
//!                      └─────────── slots come free ◄──────────┴──► settlement queue (batched, retried)
//!    beside it: membership (heartbeat, rescue) · watch · ticker and entries (schedules) · pruning · survey (jobs that nobody runs)
//! ```
//!
//! The [`dispatcher`] is the heart; it runs as one task and owns its state. The others talk to it through channels. The
//! [`membership`] has a thread of its own where the clock is the real one, so that no job can keep the node from being heard.

mod about;
mod deadlines;
mod dispatcher;
mod emitting;
mod entries;
mod event;
mod failure_detector;
mod flows;
mod handle;
mod heartbeat_thread;
mod history;
mod membership;
mod options;
mod orphans;
mod outage;
mod outcome;
mod plain;
mod prefetch;
mod prune;
mod queue;
mod queues;
mod report;
mod reporting;
mod run;
mod runner;
mod settlement_queue;
mod supervise;
mod survey;
mod ticker;
mod undecoded;
mod watch;

pub use self::event::{JobEvent, JobEventKind};
pub(crate) use self::{
    handle::Engine,
    options::Options,
    runner::Runner,
    ticker::{Action, Timetable, every_minute},
};
#[cfg(feature = "__testing")]
pub(crate) use self::{run::attempt, ticker::tick_alone};
