//! The backend, and what is done to its calls.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use rexecutor::{
    backend::{BackendError, Result},
    clock::{Clock, SystemClock},
};

use super::{
    fault::{Effect, Fault},
    operation::Operation,
};
use crate::{TestClock, runs::Runs};

/// Any backend, whose calls fail, are late, or lose their answers as they are told to.
///
/// ```
/// use rexecutor::{Rexecutor, backend::memory::InMemoryBackend, prelude::*};
/// use rexecutor_testing::{Fault, Faulty, Operation, TestClock};
///
/// # struct Greet;
/// # #[async_trait::async_trait]
/// # impl Executor for Greet {
/// #     type Data = String; type Metadata = (); const NAME: &'static str = "greet";
/// #     async fn execute(_: Job<String, ()>) -> ExecutionResult { ExecutionResult::Done }
/// # }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let clock = TestClock::new();
/// let memory = InMemoryBackend::new().with_clock(clock.clone());
/// let backend = std::sync::Arc::new(Faulty::new(memory).with_clock(clock.clone()));
/// backend.inject(Fault::error().on([Operation::Settle]).times(2));
///
/// let node = Rexecutor::builder().with_backend(backend.clone()).with_clock(clock.clone());
/// let node = node.with_executor::<Greet>().start().await?;
/// let _ = Greet::builder().with_data("Bob".to_owned()).enqueue_to_backend(&backend).await?;
/// clock.advance(TimeDelta::seconds(10)).await;
///
/// // The outcome was stored all the same.
/// assert_eq!(backend.calls(Operation::Settle), 3);
/// rexecutor::assert_enqueued!(1 job, to: backend, for_executor: Greet, with_status: JobStatus::Complete);
/// node.graceful_shutdown().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Faulty<B> {
    backend: B,
    clock: Arc<dyn Clock>,
    /// What stands still while the backend works.
    stopping: Option<TestClock>,
    faults: Mutex<Vec<Fault>>,
    /// Of each operation.
    calls: [AtomicUsize; Operation::COUNT],
}

impl<B> Faulty<B> {
    /// A backend that does not fail yet.
    pub fn new(backend: B) -> Self {
        Self {
            backend,
            clock: Arc::new(SystemClock),
            stopping: None,
            faults: Mutex::default(),
            calls: Default::default(),
        }
    }

    /// Delays go by this clock. The default is the real one.
    #[must_use]
    pub fn with_clock(self, clock: impl Clock) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Delays go by this clock, which stands still while the backend works.
    pub(crate) fn stopping(self, clock: TestClock) -> Self {
        Self { clock: Arc::new(clock.clone()), stopping: Some(clock), ..self }
    }

    /// The backend itself, which does not fail.
    pub fn inner(&self) -> &B {
        &self.backend
    }

    /// From now on this happens, beside what was injected before. Of two that meet one call the earlier one happens.
    pub fn inject(&self, fault: Fault) {
        lock(&self.faults).push(fault);
    }

    /// From now on nothing happens any more, except to calls that are under way.
    pub fn heal(&self) {
        lock(&self.faults).clear();
    }

    /// How often this was called, whether or not it failed.
    pub fn calls(&self, operation: Operation) -> usize {
        self.count(operation).load(Ordering::Relaxed)
    }

    fn count(&self, operation: Operation) -> &AtomicUsize {
        &self.calls[operation as usize]
    }

    /// Tells the clock that stands still of the jobs that run.
    pub(super) fn runs(&self, tell: impl FnOnce(&mut Runs)) {
        if let Some(clock) = &self.stopping {
            clock.runs(tell);
        }
    }

    /// Counts a call; what is to happen to it.
    pub(super) fn meet(&self, operation: Operation) -> Option<Effect> {
        self.count(operation).fetch_add(1, Ordering::Relaxed);
        lock(&self.faults).iter_mut().find_map(|fault| fault.meets(operation))
    }

    /// Makes a call, and lets happen to it what is to.
    pub(super) async fn call<T, E: From<BackendError>>(
        &self,
        operation: Operation,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let effect = self.meet(operation);
        self.suffer(operation, effect, call).await
    }

    pub(super) async fn suffer<T, E: From<BackendError>>(
        &self,
        operation: Operation,
        effect: Option<Effect>,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let call = async {
            // Whoever watches waits for ever.
            let _under_way = self.stopping.as_ref().filter(|_| operation != Operation::Watch).map(TestClock::call);
            call.await
        };
        match effect {
            None | Some(Effect::Cut(_)) => call.await,
            Some(Effect::Error { transient }) => Err(error(operation, transient).into()),
            Some(Effect::LostAnswer) => {
                call.await?;
                Err(error(operation, true).into())
            }
            Some(Effect::Delay(by)) => {
                self.clock.sleep(by).await;
                call.await
            }
            Some(Effect::LateAnswer(by)) => {
                let answer = call.await;
                self.clock.sleep(by).await;
                answer
            }
        }
    }
}

pub(super) fn error(operation: Operation, transient: bool) -> BackendError {
    let message = format!("injected: {operation:?} fails");
    match transient {
        true => BackendError::transient(message, "the connection was cut"),
        false => BackendError::message(message),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
