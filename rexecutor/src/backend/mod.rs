//! What stores jobs, and what it must promise.
//!
//! A backend is five roles, each a small trait: [`Enqueue`], [`Claim`], [`Settle`], [`Maintain`] and [`Inspect`], and
//! [`Backend`], which says what it can do beside them. Every sentence under `# Contract` is held by a case of the conformance
//! suite in `rexecutor-testing`.
//!
//! The engine asks in batches and a backend answers in batches; [`lifecycle`] says, in one pure function a transition, what
//! each may do to a row, and [`admission`] what of a node's demands the cluster allows.

// First, because the others call the macro that it makes.
#[macro_use]
mod roles;

pub mod admission;
mod audit;
pub mod breaker;
mod bucket;
mod capabilities;
mod ends;
mod events;
pub mod flows;
mod forward;
mod history;
pub mod lifecycle;
#[cfg(feature = "memory")]
pub mod memory;
pub mod observe;
mod places;
mod reports;
pub mod rotation;
mod settle_in;
pub mod sharing;
mod steps;
mod streams;
mod transaction;
mod wakeup;

pub use self::{
    audit::{AuditLog, AuditPage, AuditRequest, audit_log},
    bucket::Bucket,
    capabilities::{Backend, Control, DueEntries, Entries, Survey, control, entries},
    ends::{Ends, ends},
    events::{EventPage, EventReader, Events, Interest, events, is_wanted},
    flows::{Flows, flows},
    history::{History, history},
    observe::Observe,
    places::{Places, places},
    reports::{Reports, reports},
    roles::{Claim, Enqueue, Inspect, Maintain, Settle},
    settle_in::{SettleIn, settle_in},
    steps::{Signalled, StepAction, StepChange, StepKind, StepLog, StepRow, step_log},
    streams::{Streams, streams},
    transaction::EnqueueIn,
    wakeup::{Listeners, WakeReasons, Wakeup},
};
pub use crate::json::Json;
pub use crate::model::{
    AboutNode, AmendError, AuditEntry, AuditObject, AuditRecord, BackendError, ChangedLimits, Chunk, CircuitBreaker,
    Claimed, ClusterLimits, Deadline, Demand, Due, Enqueued, EventKind, EventRow, Extra, Extras, Failure, Filter,
    FilterError, Happened, Headers, Heartbeat, Held, Histogram, HistoryStep, JobChange, JobRow, KeyChange, Limit,
    LimitChange, Marks, Member, NewChunk, NewJob, Node, Offset, OnDiscard, Outcome, Pause, Paused, Rate, Record,
    Recorded, Report, Result, RunEnd, ScheduleKey, Scope, Settlement, Tally, Task, Tick, Ticks, Unique, UniqueEnqueued,
    Unserved, ago, in_micros,
};
