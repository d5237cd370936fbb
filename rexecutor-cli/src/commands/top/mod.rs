//! A live view in the terminal. It changes nothing.

mod columns;
mod draw;
mod keys;
mod seen;
mod state;

use std::{future::pending, io::IsTerminal, pin::Pin, time::Duration};

use chrono::TimeDelta;
use clap::Args;
use ratatui::DefaultTerminal;
use rexecutor::clock::{Clock, SystemClock};
use rexecutor_web::views;

use self::{
    seen::Seen,
    state::{State, Wish},
};
use crate::{failure::Failure, session::Session, stopping::stopped, time};

/// Shows what goes on, live: executors, jobs and nodes; `?` tells the keys
#[derive(Debug, Args)]
pub(crate) struct Top {
    /// How long it waits before it looks again
    #[arg(long, default_value = "2s", value_name = "SPAN", value_parser = every)]
    every: TimeDelta,
    /// Only these jobs at first, as on the dashboard: executor:mail tag:vip …
    #[arg(value_name = "SEARCH")]
    search: Vec<String>,
}

fn every(text: &str) -> Result<TimeDelta, String> {
    match time::span(text)? {
        span if span >= TimeDelta::milliseconds(100) && span <= TimeDelta::hours(1) => Ok(span),
        _ => Err("100ms to 1h".to_owned()),
    }
}

/// The terminal while we draw on all of it; as it was, once this is dropped.
struct Screen(DefaultTerminal);

impl Screen {
    fn open() -> Result<Self, Failure> {
        ratatui::try_init().map(Self).map_err(Failure::io)
    }

    fn draw(&mut self, state: &mut State) -> Result<(), Failure> {
        self.0.draw(|frame| draw::draw(frame, state)).map(drop).map_err(Failure::io)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        ratatui::restore();
    }
}

pub(crate) async fn run(session: &Session, top: &Top) -> Result<(), Failure> {
    if session.output.json || !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() {
        return Err(Failure::usage("`top` draws on a terminal; a program asks `rexecutor --json stats`"));
    }
    let search = super::jobs::search(&top.search);
    // Told before the screen is taken.
    drop(views::filter(&search, SystemClock.now())?);
    let state = State::new(session.guard.target.shown(), search);
    let every = top.every.to_std().unwrap_or(Duration::from_secs(2));
    let mut screen = Screen::open()?;
    watch(session, every, state, &mut screen).await
}

/// What is waited for beside keys: an answer of the database, or (`None`) the time to ask it again.
type Doing<'a> = Pin<Box<dyn Future<Output = Option<Result<Seen, Failure>>> + Send + 'a>>;

/// Draws, and waits for the next thing that changes the picture.
async fn watch(session: &Session, every: Duration, mut state: State, screen: &mut Screen) -> Result<(), Failure> {
    let read = |state: &State| -> Doing<'_> {
        let request = state.request.clone();
        Box::pin(async move { Some(seen::read(session, request).await) })
    };
    let mut events = keys::events();
    let mut stop = std::pin::pin!(stopped());
    let mut doing = read(&state);
    loop {
        screen.draw(&mut state)?;
        tokio::select! {
            event = events.recv() => match event.map(|event| state.on(&event)) {
                None | Some(Wish::End) => return Ok(()),
                // What is being read is no longer what is wanted.
                Some(Wish::Read) => doing = read(&state),
                Some(Wish::Hold) => doing = Box::pin(pending()),
                Some(Wish::Draw) => {}
            },
            done = &mut doing => doing = match done {
                Some(seen) => {
                    // Passwords are nobody's business on a screen that others may see.
                    state.take(seen.map_err(|failure| failure.without(&session.guard.target.secrets())));
                    Box::pin(async move {
                        SystemClock.sleep(every).await;
                        None
                    })
                }
                None if state.is_held => Box::pin(pending()),
                None => read(&state),
            },
            () = &mut stop => return Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_looks_neither_all_the_time_nor_never() {
        assert_eq!(every("100ms"), Ok(TimeDelta::milliseconds(100)));
        for wrong in ["99ms", "0s", "2h", "x"] {
            assert!(every(wrong).is_err(), "{wrong}");
        }
    }
}
