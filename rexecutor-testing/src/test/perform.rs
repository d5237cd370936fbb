//! Running one job that is stored nowhere.

use std::{future::IntoFuture, marker::PhantomData, panic::Location, sync::Arc};

use futures::future::BoxFuture;
use rexecutor::{
    Executor, ExecutorExt,
    backend::{JobRow, StepKind, StepRow, memory::InMemoryBackend},
    batches::BatchSummary,
    clock::SystemClock,
    job::{ErrorType, builder::EnqueueError},
    middleware::Middleware,
    registry::StateMap,
    testing::job_runner::JobRunner,
};
use serde::Serialize;

use super::{
    Test,
    given_steps::{GivenSteps, given},
    performed::Performed,
};

/// Runs one job as a node would, and stores nothing: its data are encoded and decoded, what it takes is extracted, its
/// timeout holds, and its [middleware](rexecutor::middleware) surrounds it. Await it for how the run ended.
///
/// In a test of [`#[rexecutor_testing::test]`](macro@crate::test) the job has the test's clock, backend and states;
/// elsewhere the system's clock and an empty backend in memory.
///
/// A job that sleeps on its clock does not keep the test waiting: the test's clock moves to the next deadline as soon as
/// everything waits for it. Where this is not awaited by the test itself but spawned, the test moves the clock.
///
/// A job that panics fails the test with its own message; see [`catching_panics`](Perform::catching_panics).
///
/// ```
/// use rexecutor::prelude::*;
/// use rexecutor_testing::perform;
///
/// #[job(max_attempts = 3)]
/// async fn greet(name: String, context: JobContext) -> Result<(), String> {
///     if name.is_empty() { Err(format!("nobody, at attempt {}", context.attempt())) } else { Ok(()) }
/// }
///
/// #[rexecutor_testing::test]
/// async fn nobody_is_not_greeted() {
///     assert!(perform::<Greet>("Bob".to_owned()).await.is_complete());
///
///     let failed = perform::<Greet>(String::new()).attempt(2).await;
///     assert_eq!(failed.error().unwrap().details, "nobody, at attempt 2");
///     assert!(failed.retry_delay().is_some());
/// }
/// # nobody_is_not_greeted();
/// ```
#[track_caller]
pub fn perform<E: Executor>(data: E::Data) -> Perform<E> {
    Perform {
        data,
        metadata: None,
        change: Vec::new(),
        state: None,
        middleware: Vec::new(),
        catches: false,
        steps: Vec::new(),
        upstream: None,
        place: Location::caller(),
        executor: PhantomData,
    }
}

type Change = Box<dyn FnOnce(&mut JobRow) + Send>;

/// A run of one job that is about to begin; see [`perform`].
#[must_use = "nothing runs until it is awaited"]
pub struct Perform<E: Executor> {
    data: E::Data,
    metadata: Option<E::Metadata>,
    change: Vec<Change>,
    state: Option<StateMap>,
    middleware: Vec<Arc<dyn Middleware>>,
    catches: bool,
    steps: Vec<StepRow>,
    upstream: Option<String>,
    place: &'static Location<'static>,
    executor: PhantomData<E>,
}

impl<E: Executor> Perform<E> {
    fn changing(mut self, change: impl FnOnce(&mut JobRow) + Send + 'static) -> Self {
        self.change.push(Box::new(change));
        self
    }

    /// With these metadata.
    pub fn with_metadata(self, metadata: E::Metadata) -> Self {
        Self { metadata: Some(metadata), ..self }
    }

    /// As this attempt, counted from 1, which is the default.
    pub fn attempt(self, attempt: u16) -> Self {
        self.changing(move |row| row.attempt = attempt)
    }

    /// With these tags.
    pub fn with_tags<T: Into<String>>(self, tags: impl IntoIterator<Item = T>) -> Self {
        let tags: Vec<String> = tags.into_iter().map(Into::into).collect();
        self.changing(move |row| row.tags = tags)
    }

    /// Gives this run a value that it takes as `State<T>`, beside those of the test.
    pub fn with_state<T: Clone + Send + Sync + 'static>(mut self, state: T) -> Self {
        let given = || Test::find().map(|test| test.state().clone()).unwrap_or_default();
        self.state.get_or_insert_with(given).insert(state);
        self
    }

    /// Surrounds this run with `middleware`, as that of a node does: inside of [that of the test](Test::with_middleware), and outside of what
    /// the job names itself.
    pub fn with_middleware(mut self, middleware: impl Middleware) -> Self {
        self.middleware.push(Arc::new(middleware));
        self
    }

    /// Gives a step this result, so that its work does not run. A step without one does its work; one that sleeps is over at once.
    ///
    /// # Panics
    ///
    /// When the result does not encode as JSON.
    #[track_caller]
    pub fn with_step<T: Serialize + ?Sized>(mut self, name: &str, result: &T) -> Self {
        self.steps.push(given(StepKind::Run, name, result));
        self
    }

    /// Sends the job a signal before it begins. One that waits for a signal that was not sent [ends there](Performed::is_suspended).
    ///
    /// # Panics
    ///
    /// When the value does not encode as JSON.
    #[track_caller]
    pub fn with_signal<T: Serialize + ?Sized>(mut self, name: &str, value: &T) -> Self {
        self.steps.push(given(StepKind::Wait, name, value));
        self
    }

    /// As a task of a workflow, after tasks that gave this: what the job takes as [`Upstream`](rexecutor::workflows::Upstream).
    ///
    /// ```
    /// use rexecutor::prelude::*;
    /// use rexecutor_testing::perform;
    ///
    /// #[job]
    /// async fn add_up(Upstream(counts): Upstream<Vec<u32>>) -> Result<u32, String> {
    ///     Ok(counts.iter().sum())
    /// }
    ///
    /// #[rexecutor_testing::test]
    /// async fn counts_are_added_up() {
    ///     let performed = perform::<AddUp>(()).with_upstream(&[1, 2, 3]).await;
    ///     assert_eq!(performed.output(), Some(6));
    /// }
    /// # counts_are_added_up();
    /// ```
    ///
    /// # Panics
    ///
    /// When it does not encode as JSON.
    #[track_caller]
    pub fn with_upstream<T: Serialize + ?Sized>(self, outputs: &T) -> Self {
        match serde_json::to_string(outputs) {
            Ok(json) => Self { upstream: Some(json), ..self },
            Err(error) => panic!("what the tasks before it gave does not encode as JSON: {error}"),
        }
    }

    /// As a callback of a batch that has come to this.
    ///
    /// ```
    /// use rexecutor::{batches::{BatchEvent, BatchSummary, FlowCounts}, prelude::*};
    /// use rexecutor_testing::perform;
    ///
    /// #[job]
    /// async fn report(_to: String, batch: BatchSummary) -> Result<String, String> {
    ///     Ok(format!("{} of {}", batch.counts.complete, batch.counts.total()))
    /// }
    ///
    /// #[rexecutor_testing::test]
    /// async fn a_report_counts() {
    ///     let counts = FlowCounts::default().with(JobStatus::Complete, 9).with(JobStatus::Discarded, 1);
    ///     let summary = BatchSummary::new("album", BatchEvent::Finished, counts);
    ///     let performed = perform::<Report>("ada".to_owned()).with_batch(summary).await;
    ///     assert_eq!(performed.output(), Some("9 of 10".to_owned()));
    /// }
    /// # a_report_counts();
    /// ```
    #[track_caller]
    pub fn with_batch(self, summary: BatchSummary) -> Self {
        let summary = serde_json::to_string(&summary).ok();
        self.changing(move |row| row.extras.set(|extra| &mut extra.summary, summary))
    }

    /// Takes a panic for what it is to a node: a failed attempt.
    pub fn catching_panics(self) -> Self {
        Self { catches: true, ..self }
    }

    async fn run(self) -> Performed
    where
        E::Data: Serialize,
    {
        let Self { data, metadata, change, state, middleware, catches, steps, upstream, place, executor: _ } = self;
        let test = Test::find();
        let state = state.or_else(|| test.as_ref().map(|test| test.state().clone())).unwrap_or_default();
        let runner = match &test {
            Some(test) => JobRunner::of(test.backend().clone(), Arc::new(test.clock().clone()), state),
            None => JobRunner::of(Arc::new(InMemoryBackend::new()), Arc::new(SystemClock), state),
        };
        let around = test.iter().flat_map(Test::middleware).chain(middleware);
        let runner = runner.with_middleware(around);
        let runner = runner.with_step_log(Arc::new(GivenSteps::new(steps))).with_upstream(upstream);
        let builder = E::builder().with_data(data);
        let builder = match metadata {
            Some(metadata) => builder.with_metadata(metadata),
            None => builder,
        };
        let job = match builder.encode() {
            Ok(job) => job,
            Err(error) => refuse(place, E::NAME, &error),
        };
        let mut row = runner.row(job);
        change.into_iter().for_each(|change| change(&mut row));
        let run = (row.id.as_i64(), row.lease.0);
        let performing = runner.perform::<E>(row);
        let (outcome, progress, chunks) = match &test {
            Some(test) => test.clock().moving(run, performing).await,
            None => performing.await,
        };
        let performed = Performed { outcome, progress, chunks };
        match performed.error() {
            Some(error) if error.error_type == ErrorType::Panic && !catches => {
                panic!("the job `{}`, performed at {place}, panicked: {}", E::NAME, error.details)
            }
            _ => performed,
        }
    }
}

fn refuse(place: &Location<'_>, name: &str, error: &EnqueueError) -> ! {
    panic!("the job `{name}`, performed at {place}, could not have been enqueued: {error}")
}

impl<E: Executor> IntoFuture for Perform<E> {
    type Output = Performed;
    type IntoFuture = BoxFuture<'static, Performed>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl<E: Executor> std::fmt::Debug for Perform<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Perform").field("executor", &E::NAME).finish_non_exhaustive()
    }
}
