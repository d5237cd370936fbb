//! The plain data that jobs, backends and the engine speak of. It depends on nothing else of this crate but its limits.
//!
//! What a row may become is said by [`lifecycle`](crate::backend::lifecycle); who stores it, by the roles of
//! [`backend`](crate::backend).
//!
//! Every struct here that crosses a backend's boundary is `#[non_exhaustive]` and has a constructor, so that a new field
//! breaks no backend.

mod audit;
mod change;
mod chunk;
mod circuit_breaker;
mod claim;
mod cluster_limits;
mod error;
mod event;
mod extras;
mod failure;
mod filter;
mod filter_tree;
mod flow;
mod handle;
mod headers;
mod histogram;
mod history;
mod id;
mod limit_change;
mod marks;
mod new_job;
mod node;
mod order;
mod pause;
mod progress;
mod prune;
mod rate;
mod row;
mod schedule;
mod settlement;
mod shared_limit;
mod status;
mod task;
mod time;
mod unique;
mod unique_enqueued;
mod unserved;

pub(crate) use self::{audit::name as audited_name, time::after};
pub use self::{
    audit::{AuditEntry, AuditObject, AuditRecord},
    change::{JobChange, KeyChange},
    chunk::{Chunk, NewChunk, Offset, ParseOffsetError},
    circuit_breaker::CircuitBreaker,
    claim::{Claimed, Demand, Held},
    cluster_limits::ClusterLimits,
    error::{AmendError, BackendError, Result},
    event::{EventKind, EventRow, Happened},
    extras::{Extra, Extras},
    failure::{ErrorType, Failure, JobError},
    filter::Filter,
    filter_tree::FilterError,
    flow::{BatchEvent, BatchSummary, FlowCounts, Threshold},
    handle::JobHandle,
    headers::Headers,
    histogram::Histogram,
    history::{HistoryStep, Record, Recorded, RunEnd, Tally},
    id::{ExecutorName, FlowId, JobId, Lease, NodeId},
    limit_change::{ChangedLimits, LimitChange},
    marks::Marks,
    new_job::{Deadline, Due, Enqueued, NewJob},
    node::{AboutNode, Heartbeat, Member, Node},
    order::OnDiscard,
    pause::{Pause, Paused, Scope},
    progress::{LogLine, Progress, Report},
    prune::{PruneRule, PruneScope, PruneSpec},
    rate::Rate,
    row::JobRow,
    schedule::{ScheduleKey, Tick, Ticks},
    settlement::{Outcome, Settlement},
    shared_limit::Limit,
    status::{JobStatus, Statuses, UnknownStatus},
    task::{RunWhen, Task, TaskResult, TaskTally},
    time::{ago, in_micros},
    unique::{Debounce, Fields, Replace, Resolution, Unique, UniqueKey},
    unique_enqueued::UniqueEnqueued,
    unserved::Unserved,
};
