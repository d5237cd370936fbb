//! The trait that every kind of job implements.

use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use serde::{Serialize, de::DeserializeOwned};

use super::{group_key::GroupKey, middleware::Middleware, result::ExecutionResult};
use crate::{
    backoff::{DEFAULT_BACKOFF, Strategy},
    criteria::UniquenessCriteria,
    limits,
    model::{CircuitBreaker, Limit, OnDiscard, Rate},
    typed::Job,
};

/// A kind of job: its name, its types, its settings and its work.
///
/// Implement it with [`async_trait`], or let `#[job]` write the implementation from a function.
///
/// # Examples
///
/// ```
/// use rexecutor::prelude::*;
///
/// struct WelcomeEmail;
///
/// #[async_trait::async_trait]
/// impl Executor for WelcomeEmail {
///     type Data = String;
///     type Metadata = ();
///     const NAME: &'static str = "welcome_email";
///     const MAX_ATTEMPTS: u16 = 3;
///
///     async fn execute(job: Job<Self::Data, Self::Metadata>) -> ExecutionResult {
///         println!("welcome, {}", job.data);
///         ExecutionResult::Done
///     }
/// }
/// ```
///
/// [`async_trait`]: https://docs.rs/async-trait
#[async_trait]
pub trait Executor: Send + Sync + 'static {
    /// What a job of this kind works on. It is stored as JSON, as `serde_json` writes it.
    ///
    /// Numbers of 128 bits and doubles come back as they were given. JSON has no NaN and no infinity, and cannot tell
    /// `Some(None)` from `None`; `serde` decodes no number of 128 bits and no number as a map's key inside of tagged, untagged
    /// and flattened types. Builds with debug assertions, as in tests, refuse such data when they are enqueued.
    type Data: Serialize + DeserializeOwned + Send + 'static;

    /// What else is stored with a job, for people and tools to see.
    type Metadata: Serialize + DeserializeOwned + Send + 'static;

    /// The name under which jobs are stored: 1 to 255 bytes. Changing it orphans the jobs that are stored.
    const NAME: &'static str;

    /// Former names of this kind of job, of 1 to 255 bytes each. The default is none. A node runs what is stored under them as well, and
    /// what manages jobs finds it; new jobs are stored under [`NAME`](Self::NAME).
    ///
    /// A former name stays an executor of its own to everything else: limits, order, pauses and uniqueness hold for each name by
    /// itself, and schedules are those of the new name.
    const ALIASES: &'static [&'static str] = &[];

    /// How many attempts a job has, at least 1. The default is 5.
    const MAX_ATTEMPTS: u16 = 5;

    /// How many jobs of this kind a node runs at once, at least 1. The default is `None`: as many as the node runs at
    /// all.
    ///
    /// With a limit, a job is claimed only when it can start at once, so that one that is more urgent never comes after
    /// it; the price is that very short jobs wait for a claim after each.
    const MAX_CONCURRENCY: Option<usize> = None;

    /// How many jobs of this kind run at once on all nodes together, at least 1. The default is `None`: any number.
    ///
    /// It is exact at any instant, whatever nodes come, freeze or die: what counts is what is stored as executing, so the jobs
    /// of a node that died count until they are rescued. Only jobs that ran before any program declared the limit may be more.
    /// Where the programs of two nodes declare different limits, as during a deploy, the strictest holds, also for nodes that
    /// declare none; what a node declares ends with it.
    ///
    /// Claims of such an executor take turns in the whole cluster, and two more round trips each; nothing of it is claimed
    /// ahead. A job that waits for one on another node to end starts within 0.1 s of that, or within a second where the limit has
    /// been reached for longer.
    const CLUSTER_CONCURRENCY: Option<usize> = None;

    /// How many jobs of this kind with one [key](Self::group_key) run at once on all nodes together, at least 1. The default is
    /// `None`: any number, and jobs start in order, whatever their keys.
    ///
    /// It is as exact as [`CLUSTER_CONCURRENCY`](Self::CLUSTER_CONCURRENCY), and what is said there of several versions of a
    /// program holds here. Keys are served in rotation: however many jobs of one key wait, a job of another key waits for one
    /// job of each key at most. So [`PRIORITY`](Self::PRIORITY) is the order within a key. A key at its limit costs a claim one
    /// look, however many of its jobs wait. Jobs without a key, as those that were enqueued before there was one, share a turn and
    /// have no limit.
    const KEY_CONCURRENCY: Option<usize> = None;

    /// Whether jobs of this kind with one [key](Self::group_key) run one after another, in the order in which they were enqueued,
    /// and what becomes of those behind a job that is discarded. The default is `None`: they run in any order.
    ///
    /// One job of a key runs at a time, on all nodes together: the one with the lowest number of those that are not finished,
    /// whatever its due time and priority. So a job that waits for a retry, for its due time or for its release holds up those
    /// behind it. A job that is rerun, or whose transaction commits late, goes before those with higher numbers that have not
    /// begun; it never runs beside one that has. Keys are served in rotation.
    ///
    /// It is exact, as [`CLUSTER_CONCURRENCY`](Self::CLUSTER_CONCURRENCY) is, and what is said there of several versions of a
    /// program holds here. Jobs that were enqueued before their executor was ordered go first; those of one key still run one
    /// at a time, in any order. Each job must have a key, and [`KEY_CONCURRENCY`](Self::KEY_CONCURRENCY) does not go with this.
    const ORDERED: Option<OnDiscard> = None;

    /// How many jobs of this kind start in how much time on all nodes together. The default is `None`: any number.
    ///
    /// It is a bucket of tokens in the database, by the database's clock: see [`Rate`]. A claimed job has taken its token, also
    /// when it is given back or its node dies. A job that waits for a token starts when there is one; where tokens come fast,
    /// nodes gather half a burst of them, or a second's worth, before they claim again. Where two programs declare different
    /// rates, the slower one and the smaller burst hold. Such claims take turns in the whole cluster, as with
    /// [`CLUSTER_CONCURRENCY`](Self::CLUSTER_CONCURRENCY).
    const RATE_LIMIT: Option<Rate> = None;

    /// How many jobs of this kind with one [key](Self::group_key) start in how much time on all nodes together. The default is
    /// `None`: any number.
    ///
    /// Each key has a bucket of its own, as exact as that of [`RATE_LIMIT`](Self::RATE_LIMIT), which may be given beside it. Keys are
    /// served in rotation, as with [`KEY_CONCURRENCY`](Self::KEY_CONCURRENCY); one whose bucket is empty is stepped over. Each job must
    /// have a key. A job that is [throttled](crate::executor::JobFailure::throttled) holds back the jobs of its key, and no others.
    const KEY_RATE: Option<Rate> = None;

    /// Whether a job costs as many tokens of its rates as [`weight`](Self::weight) says, and not one. The default is `false`.
    ///
    /// It does for all rates that it keeps to: [`RATE_LIMIT`](Self::RATE_LIMIT), [`KEY_RATE`](Self::KEY_RATE) and those of
    /// [`LIMITS`](Self::LIMITS). A job starts when there are enough tokens; until then no other job of its executor, or of its key, goes
    /// before it.
    const WEIGHS: bool = false;

    /// Limits that jobs of this kind share with those of other kinds: see [`Limit`]. The default is none.
    const LIMITS: &'static [&'static Limit] = &[];

    /// How many jobs of this kind may wait, scheduled or for a retry, whenever they are due; at least 1. Where a call would make
    /// them more it is refused with [`EnqueueError::QueueFull`](crate::job::builder::EnqueueError::QueueFull), or waits for room with
    /// [`enqueue_when_possible`](crate::job::builder::JobBuilder::enqueue_when_possible). The default is `None`: any number.
    ///
    /// In memory it is exact. In a database each process takes places in batches, so that an enqueue hardly ever asks for one: a
    /// fiftieth of the limit at a time, but 20 to 1,000 of them, and no more than a quarter. So it may be exceeded by one batch for
    /// each other process that enqueues, and a place that comes free may be seen 0.1 s later. A unique job asks for a place
    /// even if it turns out not to be inserted; the ticks of a schedule, retries and reruns do not.
    const MAX_PENDING: Option<usize> = None;

    /// When jobs of this kind are paused by themselves, on all nodes, because their attempts keep failing: see [`CircuitBreaker`].
    /// The default is `None`: never.
    ///
    /// Failures are counted by the backend, in the step that stores them, for all nodes together; a success costs nothing. While
    /// programs of two versions run, each failure is judged by the program that ran it, and a pause holds for all of them.
    /// [`resume`](crate::ExecutorExt::resume) closes an open breaker by hand.
    const CIRCUIT_BREAKER: Option<CircuitBreaker> = None;

    /// Whether the work blocks its thread, so that it runs on a thread of its own, where tokio's timers and I/O still
    /// work. The default is `false`.
    const BLOCKING: bool = false;

    /// How long after it is stored there is no use in a job any more: it does not start then, is stopped if it runs, and is
    /// discarded; see [`deadline_in`](crate::job::builder::JobBuilder::deadline_in). At most 1,000 years. The default is `None`.
    const DEADLINE: Option<TimeDelta> = None;

    /// Which jobs must not exist beside each other. The default is `None`: any may.
    const UNIQUENESS_CRITERIA: Option<UniquenessCriteria<'static>> = None;

    /// The priority of a job, 0 to [999](limits::MAX_PRIORITY): lower numbers start first. The default is 0.
    const PRIORITY: u16 = 0;

    /// In how much time of waiting, once it is due, a job of this kind rises by one [priority](Self::PRIORITY). The default is `None`: it
    /// does not, and a job that is less urgent waits for as long as more urgent ones come.
    ///
    /// With ten minutes, a job of priority 3 comes before those of priority 2 that became due ten minutes after it. The stored priority
    /// stays as it is. Claims take two round trips more, and turns in the cluster, as with
    /// [`CLUSTER_CONCURRENCY`](Self::CLUSTER_CONCURRENCY). Where nodes declare different times, the shortest holds. Where keys are served in
    /// rotation, priorities do not decide, and this does not go with it.
    const AGING: Option<Duration> = None;

    /// The tags of a job, before those that its builder adds. The default is none.
    const TAGS: &'static [&'static str] = &[];

    /// Whether a job may be run again by hand once it is complete. The default is [`Rerun::Always`].
    const RERUN: Rerun = Rerun::Always;

    /// How long a job is kept once it is complete. The default is [`Retention::Forever`].
    const RETENTION: Retention = Retention::Forever;

    /// The most bytes that the encoded data, and the metadata, may each have. The default is 1 MiB.
    const MAX_DATA_BYTES: usize = limits::MAX_DATA_BYTES;

    /// Does the work.
    ///
    /// A panic is a failed attempt. The future is dropped when the job runs out of time, when it has been cancelled
    /// and does not stop, and when the node's grace for shutting down is over.
    async fn execute(job: Job<Self::Data, Self::Metadata>) -> ExecutionResult;

    /// How long to wait after the attempt `job.attempt` has failed. The default is [`DEFAULT_BACKOFF`].
    ///
    /// It is asked before the attempt. If it panics, the attempt runs all the same, with [`DEFAULT_BACKOFF`].
    fn backoff(job: &Job<Self::Data, Self::Metadata>) -> TimeDelta {
        DEFAULT_BACKOFF.backoff(job.attempt)
    }

    /// How long an attempt may take. The default is `None`: any time. If it panics, the attempt fails and does not run.
    ///
    /// An attempt on a blocking thread cannot be stopped: it keeps its slot until its thread has ended, and is settled
    /// as timed out then.
    fn timeout(_job: &Job<Self::Data, Self::Metadata>) -> Option<Duration> {
        None
    }

    /// The [middleware](crate::middleware) of jobs of this kind: it surrounds each of their runs, on all nodes, and sees each of them before it
    /// is enqueued. The first one is outermost. The default is none, and a run that has none costs nothing more.
    ///
    /// ```
    /// use rexecutor::{middleware::{Middleware, Next, Run}, prelude::*};
    ///
    /// async fn audit(run: Run, next: Next) -> ExecutionResult {
    ///     let (id, executor) = (run.context().job_id(), run.context().executor().to_owned());
    ///     let result = next.run(run).await;
    ///     println!("{executor} {id}: {result:?}");
    ///     result
    /// }
    ///
    /// struct Payout;
    ///
    /// #[async_trait::async_trait]
    /// impl Executor for Payout {
    ///     type Data = u64;
    ///     type Metadata = ();
    ///     const NAME: &'static str = "payout";
    ///
    ///     async fn execute(_job: Job<u64, ()>) -> ExecutionResult {
    ///         ExecutionResult::Done
    ///     }
    ///
    ///     fn middleware() -> &'static [&'static dyn Middleware] {
    ///         &[&audit]
    ///     }
    /// }
    /// ```
    fn middleware() -> &'static [&'static dyn Middleware] {
        &[]
    }

    /// To which key a new job with these data belongs, for [`KEY_CONCURRENCY`](Self::KEY_CONCURRENCY) and
    /// [`ORDERED`](Self::ORDERED). The default is none.
    ///
    /// It is stored with the job. When the data of a stored job change, so does its key, unless the job was enqueued with
    /// [another one](crate::job::builder::JobBuilder::group_key).
    fn group_key(_data: &Self::Data) -> Option<GroupKey> {
        None
    }

    /// How many tokens a new job with these data costs, if [`WEIGHS`](Self::WEIGHS) says that it matters. The default is 1, and 0 counts
    /// as 1.
    ///
    /// It is stored with the job, and again when its data change. A job that costs more than the burst of one of its rates is refused
    /// when it is enqueued. One that is stored already, and costs more than a burst that was set since, costs all of that.
    fn weight(_data: &Self::Data) -> u32 {
        1
    }

    /// Which jobs must not exist beside a new one with these data. The default is [`UNIQUENESS_CRITERIA`].
    ///
    /// [`UNIQUENESS_CRITERIA`]: Executor::UNIQUENESS_CRITERIA
    fn uniqueness(_data: &Self::Data) -> Option<UniquenessCriteria<'static>> {
        Self::UNIQUENESS_CRITERIA
    }
}

/// Whether a job may be run [again by hand](crate::executor::ExecutorExt::rerun_job) once it is complete.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rerun {
    /// It may: whoever asks for it wants its effects a second time.
    #[default]
    Always,
    /// It may not, as a payment. One that failed for good, or was cancelled, may.
    Never,
}

/// How long a job is kept once it is complete.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Retention {
    /// Until a pruner deletes it.
    #[default]
    Forever,
    /// It is deleted in the step that completes it: less to write, and it leaves no trace.
    None,
    /// It is deleted once it has been finished, however it ended, for this long.
    For(TimeDelta),
}
