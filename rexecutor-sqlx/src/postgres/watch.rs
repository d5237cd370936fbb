//! Hearing what other processes do.

use std::{sync::Arc, time::Duration};

use rexecutor::{
    backend::{BackendError, Result, Wakeup},
    clock::{Clock, SystemClock},
};

use super::{
    backend::Database,
    listener::{Ended, Limits, Listener, STEADY},
    own_thread::on_own_thread,
};

/// The log tells once in so long of connections that are lost again and again.
const QUIET: Duration = Duration::from_secs(600);

impl Database {
    pub(super) async fn watch(&self, wakeup: Arc<Wakeup>) -> Result<()> {
        match self.options.listens() {
            true => self.listen(&wakeup).await,
            false => self.poll(&wakeup).await,
        }
    }

    async fn poll(&self, wakeup: &Wakeup) -> Result<()> {
        let clock: Arc<dyn Clock> = self.options.clock.clone().unwrap_or_else(|| Arc::new(SystemClock));
        loop {
            clock.sleep(self.options.poll_interval).await;
            wakeup.wake_all();
        }
    }

    /// Listens, again at once when a connection is lost that has worked; ends with an error when none can be made, or none
    /// lasts.
    async fn listen(&self, wakeup: &Arc<Wakeup>) -> Result<()> {
        let mut losses = Losses::default();
        loop {
            let listener = Listener {
                server: self.pool.connect_options().as_ref().clone(),
                channel: self.queries.channel.clone(),
                keep_listening: self.queries.keep_listening.clone(),
                notify_nodes: self.queries.notify_nodes.clone(),
                limits: Limits::new(self.options.timeout, self.options.connect_timeout),
                notices: self.notices.clone(),
                wakeup: wakeup.clone(),
                lost: losses.tell_next(SystemClock.elapsed()),
            };
            let ended = on_own_thread("rexecutor-listen", || listener.run()).await;
            let Ended { lasted, error } =
                ended.map_err(|error| BackendError::transient("could not hear notifications", error))?;
            if lasted.is_none_or(|lasted| lasted < STEADY) {
                return Err(error);
            }
            losses.last = Some(error);
        }
    }
}

/// Connections that were lost.
#[derive(Default)]
struct Losses {
    last: Option<BackendError>,
    /// In the time that nobody can set.
    told_at: Option<Duration>,
}

impl Losses {
    /// How the last one was lost, unless the log was told of another not long ago.
    fn tell_next(&mut self, now: Duration) -> Option<BackendError> {
        let error = self.last.take()?;
        if self.told_at.is_some_and(|told_at| now.saturating_sub(told_at) < QUIET) {
            tracing::debug!(error = &error as &dyn std::error::Error, "the connection that hears of new jobs was lost");
            return None;
        }
        self.told_at = Some(now);
        Some(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_38_a_connection_that_is_lost_again_and_again_is_told_of_once_in_a_while() {
        let mut losses = Losses::default();
        let mut told_after = |seconds: u64| {
            losses.last = Some(BackendError::message("lost"));
            losses.tell_next(Duration::from_secs(seconds)).is_some()
        };
        let told: Vec<bool> = [0, 2, 599, 600, 602].into_iter().map(&mut told_after).collect();
        assert_eq!(told, [true, false, false, true, false]);
        assert!(Losses::default().tell_next(Duration::ZERO).is_none());
    }
}
