//! Hearing, through the backend, of what other processes do.

use std::{panic::AssertUnwindSafe, pin::pin, sync::Arc};

use futures::{FutureExt, future::BoxFuture};

use super::outage::Outage;
use crate::{
    backend::Wakeup,
    model::{BackendError, Result},
};

/// Watches again and again, after a pause if that failed or panicked, for as long as the future is polled.
///
/// A watch that works does not end, so it [says](Wakeup::watching) that it works: a failure after that is the first of
/// another outage, and its pause is a short one.
pub(super) async fn watch<'a>(
    wakeup: Arc<Wakeup>,
    mut outage: Outage,
    mut begin: impl FnMut(Arc<Wakeup>) -> BoxFuture<'a, Result<()>>,
) {
    loop {
        let watching = async {
            let watching = begin(wakeup.clone());
            // What came before the watch was set up was not heard.
            wakeup.wake_all();
            watching.await
        };
        let mut watching = pin!(AssertUnwindSafe(watching).catch_unwind());
        let ended = loop {
            tokio::select! {
                biased;
                () = wakeup.watched() => outage.is_over(),
                ended = &mut watching => break ended,
            }
        };
        match ended {
            Ok(Ok(())) => outage.is_over(),
            Ok(Err(error)) => outage.failed(&error).await,
            Err(_) => outage.failed(&BackendError::message("watch panicked")).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{Mutex, PoisonError},
        time::Duration,
    };

    use chrono::{DateTime, Utc};

    use super::*;
    use crate::clock::Clock;

    /// Notes how long it is slept, and does not.
    #[derive(Debug, Default)]
    struct Notes(Mutex<Vec<Duration>>);

    impl Clock for Notes {
        fn now(&self) -> DateTime<Utc> {
            DateTime::UNIX_EPOCH
        }

        fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(duration);
            Box::pin(std::future::ready(()))
        }
    }

    /// Eight listeners that were lost made every later pause the longest.
    #[tokio::test]
    async fn case_38_a_watch_that_has_worked_is_begun_again_after_the_shortest_pause() {
        let clock = Arc::new(Notes::default());
        let mut count = 0;
        let watching = watch(Arc::default(), Outage::new(clock.clone(), "watch", Some(1)), |wakeup| {
            count += 1;
            let number = count;
            Box::pin(async move {
                if number > 8 && number < 12 {
                    wakeup.watching();
                    tokio::task::yield_now().await;
                }
                if number == 12 { std::future::pending().await } else { Err(BackendError::message("lost")) }
            })
        });
        let mut watching = pin!(watching);
        while clock.0.lock().unwrap().len() < 11 {
            assert!((&mut watching).now_or_never().is_none());
            tokio::task::yield_now().await;
        }
        let pauses = clock.0.lock().unwrap().clone();
        let is_short = |pause: &Duration| *pause <= Duration::from_millis(100);
        assert!(pauses[7] > Duration::from_secs(5) && pauses[8..].iter().all(is_short), "{pauses:?}");
    }
}
