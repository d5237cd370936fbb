//! Spans: what traces are made of.
//!
//! # Invariants
//!
//! - A span that nobody sees is neither entered nor recorded: the future goes on as it is.
//! - Each span is a local of the future that it surrounds, so it ends when that does, or is dropped.

use tracing::{Instrument, Span, field};

use crate::model::{Enqueued, ExecutorName, JobRow};

/// A job, or several in one call, is being enqueued.
pub const ENQUEUE: &str = "job.enqueue";

/// A job runs.
pub const RUN: &str = "job.run";

/// A node asks for jobs.
pub const CLAIM: &str = "node.claim";

/// A node stores how runs ended.
pub const SETTLE: &str = "node.settle";

/// A node tells that it lives.
pub const HEARTBEAT: &str = "node.heartbeat";

/// Every span there is.
pub const SPANS: &[&str] = &[ENQUEUE, RUN, CLAIM, SETTLE, HEARTBEAT];

/// The value of `messaging.system`.
const SYSTEM: &str = "rexecutor";

/// That of an enqueue. The executor is empty where a call has jobs of several.
pub(crate) fn enqueue(executor: &str, jobs: usize) -> Span {
    tracing::info_span!(
        ENQUEUE,
        otel.kind = "producer",
        messaging.system = SYSTEM,
        messaging.operation.name = "enqueue",
        messaging.operation.r#type = "send",
        messaging.destination.name = executor,
        messaging.batch.message_count = jobs,
        job.id = field::Empty,
        job.executor = executor,
    )
}

/// Records the number of the only job of an enqueue.
pub(crate) fn enqueued(span: &Span, answers: &[Enqueued]) {
    if let ([answer], false) = (answers, span.is_disabled()) {
        span.record("job.id", answer.id().as_i64());
    }
}

/// That of a run. It has no parent: a node serves many callers.
pub(crate) fn run(row: &JobRow) -> Span {
    tracing::info_span!(
        parent: None,
        RUN,
        otel.kind = "consumer",
        messaging.system = SYSTEM,
        messaging.operation.name = "run",
        messaging.operation.r#type = "process",
        messaging.destination.name = row.executor.as_str(),
        messaging.message.id = row.id.as_i64(),
        job.id = row.id.as_i64(),
        job.executor = row.executor.as_str(),
        job.attempt = row.attempt,
        job.outcome = field::Empty,
    )
}

pub(crate) fn claim(executors: usize) -> Span {
    tracing::debug_span!(
        parent: None,
        CLAIM,
        otel.kind = "consumer",
        messaging.system = SYSTEM,
        messaging.operation.name = "claim",
        messaging.operation.r#type = "receive",
        node.executors = executors,
        messaging.batch.message_count = field::Empty,
    )
}

pub(crate) fn settle(jobs: usize) -> Span {
    tracing::debug_span!(
        parent: None,
        SETTLE,
        otel.kind = "client",
        messaging.system = SYSTEM,
        messaging.operation.name = "settle",
        messaging.operation.r#type = "settle",
        messaging.batch.message_count = jobs,
    )
}

pub(crate) fn heartbeat(node: i64) -> Span {
    tracing::debug_span!(parent: None, HEARTBEAT, otel.kind = "client", node.id = node)
}

/// Does `future` in a span, if anybody sees it. To enter and leave one that nobody sees costs as much as a small job.
pub(crate) async fn within<F: Future>(span: Span, future: F) -> F::Output {
    match span.is_disabled() {
        true => future.await,
        false => future.instrument(span).await,
    }
}
