#![doc = include_str!("../docs/steps.md")]

mod begun;
mod delay;
mod error;
mod executor;
mod parallel;
#[cfg(feature = "signal-tokens")]
mod token;

use futures::future::BoxFuture;
use serde::{Serialize, de::DeserializeOwned};

#[cfg(feature = "signal-tokens")]
pub use self::token::{SignalTokens, TokenError};
pub use self::{
    delay::IntoDelay,
    error::StepError,
    executor::{RecordedStep, StepsExt},
    parallel::Parallel,
};
pub use crate::backend::Signalled;
use crate::{
    backend::{StepAction, StepChange, StepKind},
    context::{JobContext, Working},
    validate,
};

/// The durable steps of a running job: what is done once, and not again when the job is retried or rescued.
///
/// A function with `#[job]` takes it as a parameter after its data. An [`Executor`](crate::executor::Executor) written by hand makes it
/// with [`of`](Self::of). It is cheap to clone, and all of a run share the same steps. See the [module](crate::steps) for what is
/// promised.
#[derive(Clone, Debug)]
pub struct Steps {
    context: JobContext,
}

/// How a wait for a signal ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Waited<T> {
    /// The signal came, with this value.
    Signal(T),
    /// The time limit passed before.
    TimedOut,
}

impl<T> Waited<T> {
    /// The signal's value, if it came.
    pub fn signal(self) -> Option<T> {
        match self {
            Self::Signal(value) => Some(value),
            Self::TimedOut => None,
        }
    }
}

impl Steps {
    /// The steps of the job that runs in this context.
    pub fn of(context: &JobContext) -> Self {
        Self { context: context.clone() }
    }

    /// Runs `work` once, and gives its result; a later attempt of the job is given the same result without running it.
    ///
    /// The result is recorded as JSON, under the run's lease, as soon as `work` has ended. If the process dies in between, `work` runs
    /// again: its effect happens at least once, its result is recorded once. Where that matters, give the service that you call an
    /// idempotency key such as the job's number and the step's name. An error is not recorded: it fails the attempt, if the job returns
    /// it, and the next attempt runs `work` again.
    ///
    /// The name has 1 to 255 bytes and is unique among the job's `run` steps. The result may have 1 MiB as JSON. While the database
    /// cannot be reached, the step waits to record its result, until the job is told to stop.
    ///
    /// # Errors
    ///
    /// [`StepError::Failed`] with the error that `work` gave. The others say that the step cannot be recorded, or is not the one that an
    /// earlier attempt came to at this point.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops `work`. What that has done is not recorded.
    ///
    /// # Examples
    ///
    /// ```
    /// use rexecutor::prelude::*;
    ///
    /// #[job]
    /// async fn order(cents: u32, steps: Steps) -> Result<(), StepError> {
    ///     let receipt: String = steps.run("charge", || charge(cents)).await?;
    ///     steps.run("send_receipt", || send(receipt)).await
    /// }
    /// # async fn charge(_: u32) -> Result<String, std::io::Error> { Ok("r1".to_owned()) }
    /// # async fn send(_: String) -> Result<(), std::io::Error> { Ok(()) }
    /// ```
    pub fn run<T, E, F, W>(
        &self,
        name: &str,
        work: F,
    ) -> impl Future<Output = Result<T, StepError>> + Send + use<T, E, F, W>
    where
        T: Serialize + DeserializeOwned + Send,
        E: Into<Box<dyn std::error::Error + Send + Sync>> + Send,
        F: FnOnce() -> W + Send,
        W: Future<Output = Result<T, E>> + Send,
    {
        let begun = self.begin(StepKind::Run, name);
        async move {
            let begun = begun?;
            let working = begun.working();
            if let Some(row) = begun.recorded().await? {
                return begun.decode(row);
            }
            let value = match work().await {
                Ok(value) => value,
                Err(error) => return Err(StepError::failed(begun.name, error.into())),
            };
            let output = serde_json::to_string(&value).map_err(|error| begun.encode_error(error))?;
            validate::step_output(&output)?;
            let row = begun.change(StepAction::Record(output)).await?;
            drop(working);
            // What a later attempt gets, this one gets, too.
            begun.decode(row)
        }
    }

    /// Sleeps, without holding a slot: the run ends here, and a new one comes to this point when the time is over.
    ///
    /// The time counts from when the job first comes to this step, by the backend's clock. `"3d"`, [`TimeDelta`](crate::TimeDelta) and
    /// [`std::time::Duration`] say for how long, from nothing to 1,000 years. Meanwhile the job is scheduled; attempts that end so do
    /// not count. A rerun of the job by hand does not cut it short.
    ///
    /// # Errors
    ///
    /// When the length cannot be read, and as [`run`](Self::run).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future does not stop the time.
    pub fn sleep(&self, name: &str, length: impl IntoDelay) -> BoxFuture<'static, Result<(), StepError>> {
        let (begun, length) = (self.begin(StepKind::Sleep, name), length.into_delay());
        Box::pin(async move {
            let begun = begun?;
            let length = length.map_err(|problem| StepError::Delay { step: begun.name.clone(), problem })?;
            validate::step_delay(length)?;
            begun.over(StepAction::Sleep(length), false).await.map(drop)
        })
    }

    /// Waits for a [signal](StepsExt::signal) of this name, without holding a slot, for so long at most.
    ///
    /// The signal may have come before. The time limit counts from when the job first comes to this step, as in
    /// [`sleep`](Self::sleep). A signal that comes at the limit or later is too late. Meanwhile the job is scheduled for the time limit;
    /// attempts that end so do not count.
    ///
    /// # Errors
    ///
    /// When the value does not decode as `T`, and as [`sleep`](Self::sleep).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future does not stop the time, and loses no signal.
    ///
    /// # Examples
    ///
    /// ```
    /// use rexecutor::{prelude::*, steps::Waited};
    ///
    /// #[job]
    /// async fn publish(article: u64, steps: Steps) -> Result<(), StepError> {
    ///     match steps.wait_for::<bool>("approval", "7d").await? {
    ///         Waited::Signal(true) => println!("article {article} goes out"),
    ///         Waited::Signal(false) => println!("article {article} was turned down"),
    ///         Waited::TimedOut => println!("nobody has read article {article}"),
    ///     }
    ///     Ok(())
    /// }
    /// ```
    pub fn wait_for<T: DeserializeOwned + Send + 'static>(
        &self,
        name: &str,
        limit: impl IntoDelay,
    ) -> BoxFuture<'static, Result<Waited<T>, StepError>> {
        let (begun, limit) = (self.begin(StepKind::Wait, name), limit.into_delay());
        Box::pin(async move {
            let begun = begun?;
            let limit = limit.map_err(|problem| StepError::Delay { step: begun.name.clone(), problem })?;
            validate::step_delay(limit)?;
            let row = begun.over(StepAction::Wait(Some(limit)), true).await?;
            match row.output {
                Some(_) => begun.decode(row).map(Waited::Signal),
                None => Ok(Waited::TimedOut),
            }
        })
    }

    /// Waits for a [signal](StepsExt::signal) of this name, without holding a slot, however long it takes. Meanwhile the job is blocked.
    ///
    /// # Errors
    ///
    /// When the value does not decode as `T`, and as [`run`](Self::run).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no signal.
    pub fn wait<T: DeserializeOwned + Send + 'static>(&self, name: &str) -> BoxFuture<'static, Result<T, StepError>> {
        let begun = self.begin(StepKind::Wait, name);
        Box::pin(async move {
            let begun = begun?;
            let row = begun.over(StepAction::Wait(None), true).await?;
            begun.decode(row)
        })
    }

    /// Runs steps beside each other, and gives the results of all: a tuple of two to five steps, a `Vec` or an array.
    ///
    /// A step that fails does not have the others dropped: those that work end first, so that their results are recorded. Steps that sleep
    /// or wait then are left, and the next attempt comes to them again.
    ///
    /// # Errors
    ///
    /// The error of the step that failed first.
    ///
    /// # Examples
    ///
    /// ```
    /// use rexecutor::prelude::*;
    ///
    /// #[job]
    /// async fn pack(items: Vec<String>, steps: Steps) -> Result<(), StepError> {
    ///     let weigh = |item: String| {
    ///         let name = format!("weigh {item}");
    ///         steps.run(&name, move || async move { Ok::<_, std::io::Error>(item.len()) })
    ///     };
    ///     let weights = steps.parallel(items.into_iter().map(weigh).collect::<Vec<_>>()).await?;
    ///     println!("{} grams", weights.iter().sum::<usize>());
    ///     Ok(())
    /// }
    /// ```
    pub async fn parallel<P: Parallel>(&self, steps: P) -> Result<P::Output, StepError> {
        parallel::run(self.context.run_steps(), steps).await
    }

    /// Which version of its code the job goes by, from 1: `newest`, if it has not come past this point before; else the version that it
    /// went by then.
    ///
    /// It is for a change of the steps of a job, some of which have begun: old jobs go on with the old steps, and new ones with the new.
    /// A job that has recorded a step behind this point, from before there was this call, goes by version 1. The version is recorded.
    ///
    /// # Errors
    ///
    /// [`StepError::Version`], if the job goes by a version that is newer than `newest`, as after a deploy was taken back; and as
    /// [`run`](Self::run).
    ///
    /// # Examples
    ///
    /// ```
    /// use rexecutor::prelude::*;
    ///
    /// #[job]
    /// async fn order(_item: String, steps: Steps) -> Result<(), StepError> {
    ///     if steps.version("weigh before shipping", 2).await? >= 2 {
    ///         steps.run("weigh", || async { Ok::<_, std::io::Error>(12) }).await?;
    ///     }
    ///     steps.run("ship", || async { Ok::<_, std::io::Error>(()) }).await
    /// }
    /// ```
    pub async fn version(&self, name: &str, newest: u32) -> Result<u32, StepError> {
        validate::step_name(name)?;
        let place = self.context.run_steps().next_place();
        let recorded = self.recorded().await?;
        let known = recorded.iter().find(|row| row.kind == StepKind::Version && row.name == name).cloned();
        let row = match known {
            Some(row) => row,
            None if recorded.iter().any(|row| row.place.is_some_and(|other| other >= place)) => return Ok(1),
            None => {
                let _working = Working::of(self.context.clone());
                self.change(StepChange::new(name, None, StepAction::Version(newest))).await?
            }
        };
        match row.output.as_deref().and_then(|version| version.parse().ok()) {
            Some(version) if version <= newest => Ok(version),
            recorded => {
                let recorded = recorded.unwrap_or_default();
                Err(StepError::Version { step: name.to_owned(), recorded, newest })
            }
        }
    }
}
