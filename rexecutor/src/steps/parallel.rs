//! Steps beside each other.

use std::{
    future::poll_fn,
    pin::pin,
    sync::{Mutex, PoisonError},
    task::Poll,
};

use futures::future::{join, join_all, join3, join4, join5};

use super::error::StepError;
use crate::context::RunSteps;

/// The error of the step that failed first.
#[derive(Debug, Default)]
#[doc(hidden)]
pub struct First(Mutex<Option<StepError>>);

impl First {
    /// Waits for a step; one that fails leaves its error, and does not end.
    async fn success<T>(&self, step: impl Future<Output = Result<T, StepError>>) -> T {
        match step.await {
            Ok(value) => value,
            Err(error) => {
                self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                std::future::pending().await
            }
        }
    }

    fn take(&self) -> Option<StepError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Runs steps until all have succeeded, or one has failed and none works any more.
pub(super) async fn run<P: Parallel>(run: &RunSteps, steps: P) -> Result<P::Output, StepError> {
    let first = First::default();
    let mut all = pin!(steps.all(&first));
    poll_fn(|task| match all.as_mut().poll(task) {
        Poll::Ready(values) => Poll::Ready(Ok(values)),
        Poll::Pending if run.is_idle() => first.take().map_or(Poll::Pending, |error| Poll::Ready(Err(error))),
        Poll::Pending => Poll::Pending,
    })
    .await
}

/// Steps that [`Steps::parallel`](super::Steps::parallel) runs beside each other: a tuple of two to five, a `Vec` or an array.
pub trait Parallel: Send {
    /// What they give.
    type Output: Send;

    /// Runs them all to their success. Not public API.
    #[doc(hidden)]
    fn all(self, first: &First) -> impl Future<Output = Self::Output> + Send;
}

impl<T: Send, F: Future<Output = Result<T, StepError>> + Send> Parallel for Vec<F> {
    type Output = Vec<T>;

    async fn all(self, first: &First) -> Vec<T> {
        join_all(self.into_iter().map(|step| first.success(step))).await
    }
}

impl<T: Send, F: Future<Output = Result<T, StepError>> + Send, const N: usize> Parallel for [F; N] {
    type Output = Vec<T>;

    async fn all(self, first: &First) -> Vec<T> {
        join_all(self.into_iter().map(|step| first.success(step))).await
    }
}

macro_rules! tuples {
    ($($join:ident: $($step:ident $value:ident),*;)*) => {
        $(impl<$($value: Send, $step: Future<Output = Result<$value, StepError>> + Send),*> Parallel for ($($step,)*) {
            type Output = ($($value,)*);

            #[allow(non_snake_case, reason = "a step is called as its type is")]
            async fn all(self, first: &First) -> Self::Output {
                let ($($step,)*) = self;
                $join($(first.success($step)),*).await
            }
        })*
    };
}

tuples! {
    join: F1 T1, F2 T2;
    join3: F1 T1, F2 T2, F3 T3;
    join4: F1 T1, F2 T2, F3 T3, F4 T4;
    join5: F1 T1, F2 T2, F3 T3, F4 T4, F5 T5;
}
