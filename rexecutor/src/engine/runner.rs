//! An executor whose types are forgotten: its constants, and how its jobs begin.

use std::time::Duration;

use chrono::TimeDelta;
use futures::future::BoxFuture;

use super::{
    outcome::{Kept, catch, fail},
    undecoded,
};
use crate::{
    backoff::{DEFAULT_BACKOFF, Strategy},
    context::JobContext,
    executing::{ExecutionResult, Executor, Retention},
    model::{CircuitBreaker, ClusterLimits, ErrorType, Outcome},
    typed::Job,
};

/// An [`Executor`] whose types are forgotten.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Runner {
    pub(crate) name: &'static str,
    /// Its former names, of which the plan makes runners of their own.
    pub(crate) aliases: &'static [&'static str],
    /// Whether `name` is a former one.
    pub(crate) is_former: bool,
    /// Tells two executors of one name apart.
    pub(crate) type_name: fn() -> &'static str,
    pub(crate) max_attempts: u16,
    pub(crate) max_concurrency: Option<usize>,
    pub(crate) cluster: ClusterLimits,
    pub(crate) circuit_breaker: Option<CircuitBreaker>,
    pub(crate) retention: Retention,
    pub(crate) begin: Begin,
}

impl Runner {
    /// The runner of an executor.
    pub(crate) const fn of<E: Executor>() -> Self {
        Self {
            name: E::NAME,
            aliases: E::ALIASES,
            is_former: false,
            type_name: std::any::type_name::<E>,
            max_attempts: E::MAX_ATTEMPTS,
            max_concurrency: E::MAX_CONCURRENCY,
            cluster: ClusterLimits::NONE
                .with_concurrency(E::CLUSTER_CONCURRENCY)
                .with_rate(E::RATE_LIMIT)
                .with_per_key(E::KEY_CONCURRENCY)
                .with_key_rate(E::KEY_RATE)
                .with_weighs(E::WEIGHS)
                .with_aging(E::AGING)
                .with_ordered(E::ORDERED.is_some())
                .with_shared(E::LIMITS),
            circuit_breaker: E::CIRCUIT_BREAKER,
            retention: E::RETENTION,
            begin: begin::<E>,
        }
    }
}

/// Decodes a job, asks its executor about it, and gives its work; or how the run has ended already.
///
/// This is all of a run that depends on the executor's types: the rest is compiled once, and needs no box of its own.
pub(crate) type Begin = fn(JobContext) -> Result<Begun, Outcome>;

/// A run that is about to do its work.
pub(crate) struct Begun {
    pub(super) executor: &'static str,
    pub(super) work: Work,
    pub(super) timeout: Option<Duration>,
    /// Asked before the job was given away; a failure uses it, so that no second decoding is needed.
    pub(super) backoff: TimeDelta,
    pub(super) kept: Kept,
    /// Whether a quota that it learns of is that of its key.
    pub(super) throttles_key: bool,
}

/// What a run does, and where.
pub(super) enum Work {
    OnTask(BoxFuture<'static, ExecutionResult>),
    OnThread(BoxFuture<'static, ExecutionResult>),
}

fn begin<E: Executor>(context: JobContext) -> Result<Begun, Outcome> {
    let attempt = context.attempt();
    let failed = |error_type, details: &str| fail(error_type, details, DEFAULT_BACKOFF.backoff(attempt));
    let job = match catch(|| Job::<E::Data, E::Metadata>::in_context(context)) {
        Ok(Ok(job)) => job,
        Ok(Err((error, context))) => return Err(undecoded::outcome(&context, &error)),
        Err(panic) => return Err(failed(ErrorType::Panic, &panic)),
    };
    // Without its timeout it might never end.
    let timeout = catch(|| E::timeout(&job)).map_err(|panic| failed(ErrorType::Panic, &panic))?;
    // A delay that may never be needed must not keep it from running.
    let backoff = catch(|| E::backoff(&job)).unwrap_or_else(|panic| {
        tracing::warn!(job.id = %job.id, job.executor = E::NAME, panic, "backoff panicked, the default one is used");
        DEFAULT_BACKOFF.backoff(attempt)
    });
    let work = match E::BLOCKING {
        // Called on the thread: what comes before its future may block, too.
        true => Ok(Work::OnThread(Box::pin(async move { E::execute(job).await }))),
        false => catch(|| Work::OnTask(E::execute(job))),
    };
    let work = work.map_err(|panic| fail(ErrorType::Panic, &panic, backoff))?;
    Ok(Begun {
        executor: E::NAME,
        work,
        timeout,
        backoff,
        kept: (E::RETENTION != Retention::None).then_some(E::MAX_DATA_BYTES),
        throttles_key: E::KEY_RATE.is_some(),
    })
}
