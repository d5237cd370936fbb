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
    executing::{ExecutionResult, Executor, OwnMiddleware, Retention},
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
/// This is all of a run that depends on the executor's types: the rest is compiled once, and needs no box of its own. It is told whether the
/// node has middleware.
pub(crate) type Begin = fn(JobContext, bool) -> Result<Begun, Outcome>;

/// A run that is about to do its work.
pub(crate) struct Begun {
    pub(super) executor: &'static str,
    pub(super) work: Work,
    /// What is around it beside the middleware of the node.
    pub(super) middleware: OwnMiddleware,
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

impl Work {
    /// The same with something around it.
    pub(super) fn map(
        self,
        around: impl FnOnce(BoxFuture<'static, ExecutionResult>) -> BoxFuture<'static, ExecutionResult>,
    ) -> Self {
        match self {
            Self::OnTask(work) => Self::OnTask(around(work)),
            Self::OnThread(work) => Self::OnThread(around(work)),
        }
    }
}

fn begin<E: Executor>(context: JobContext, is_in_middleware: bool) -> Result<Begun, Outcome> {
    let (attempt, middleware) = (context.attempt(), E::middleware());
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
        // Called within it: middleware comes before all that the job does.
        false if is_in_middleware || !middleware.is_empty() => {
            Ok(Work::OnTask(Box::pin(async move { E::execute(job).await })))
        }
        false => catch(|| Work::OnTask(E::execute(job))),
    };
    let work = work.map_err(|panic| fail(ErrorType::Panic, &panic, backoff))?;
    Ok(Begun {
        executor: E::NAME,
        work,
        middleware,
        timeout,
        backoff,
        kept: (E::RETENTION != Retention::None).then_some(E::MAX_DATA_BYTES),
        throttles_key: E::KEY_RATE.is_some(),
    })
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, pin::Pin};

    use chrono::DateTime;

    use super::*;
    use crate::model::{JobId, JobRow, NewJob};

    thread_local! {
        /// Where the future of the last call stands.
        static MADE: Cell<Option<*const ()>> = const { Cell::new(None) };
    }

    struct Plain;

    impl Executor for Plain {
        type Data = ();
        type Metadata = ();
        const NAME: &'static str = "plain";

        fn execute<'a>(_: Job<(), ()>) -> Pin<Box<dyn Future<Output = ExecutionResult> + Send + 'a>>
        where
            Self: 'a,
        {
            // A future without fields has no place of its own.
            let done = [1_u64];
            let future = Box::pin(async move { if done == [1] { ExecutionResult::Done } else { unreachable!() } });
            MADE.set(Some((&raw const *future).cast()));
            future
        }
    }

    fn place(is_in_middleware: bool) -> *const () {
        let row = JobRow::new(JobId::from(1), NewJob::new("plain", "null"), DateTime::UNIX_EPOCH);
        let Ok(Begun { work: Work::OnTask(work), .. }) = begin::<Plain>(JobContext::detached(row), is_in_middleware)
        else {
            panic!("it begins")
        };
        (&raw const *work).cast()
    }

    #[test]
    fn without_middleware_the_work_is_the_jobs_own_future_and_within_it_the_job_is_not_called_yet() {
        assert_eq!(Some(place(false)), MADE.take());
        place(true);
        assert_eq!(MADE.take(), None);
    }
}
