//! How long something is paused, and why.

use chrono::TimeDelta;
use clap::Args;
use rexecutor::backend::Pause;

use crate::{failure::Failure, session::Session, time};

#[derive(Debug, Args)]
pub(crate) struct PauseArgs {
    /// Why, for whoever wonders
    #[arg(long, default_value = "")]
    reason: String,
    /// For how long; without it until somebody resumes
    #[arg(long = "for", value_name = "SPAN", value_parser = time::some_time)]
    span: Option<TimeDelta>,
    /// Cancels what runs, too
    #[arg(long)]
    cancel_running: bool,
}

impl PauseArgs {
    /// The pause, which ends by the database's clock.
    pub(crate) async fn pause(&self, session: &Session) -> Result<Pause, Failure> {
        let clean = |text: &str| text.replace('\0', "\u{fffd}");
        let pause = Pause::new(clean(&self.reason)).by(clean(&session.by));
        let pause = if self.cancel_running { pause.cancel_running() } else { pause };
        match self.span {
            None => Ok(pause),
            Some(span) => {
                let now = session.observe()?.cluster().await?.now;
                Ok(pause.until(now.checked_add_signed(span).unwrap_or(now)))
            }
        }
    }
}
