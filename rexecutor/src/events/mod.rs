//! Events: a stream of what happens to jobs, in whatever process.
//!
//! For dashboards, for web pages that show what goes on, and for programs that do something when jobs of others end. An error reporter is
//! better served by [`on_event`](crate::node::NodeBuilder::on_event), which is told of each run of its own node, at once.
//!
//! # What is promised
//!
//! | | |
//! | --- | --- |
//! | a change that begins once [`listen`](Events::listen) has returned | is in the stream, once, when it is committed |
//! | what was before | is not: read it with [`jobs`](crate::jobs), after `listen` has returned |
//! | the events of a job | come in the order in which they happened |
//! | those of different jobs | come in no order that is promised |
//! | a stream that is polled too seldom | loses the oldest events and says [how many](Event::Lagged) |
//! | a listener that the database does not hear for 10 seconds | loses what happens then, and says [so](Event::Lagged) |
//! | a node that dies | loses no event: they are committed with what they tell of |
//! | while nobody listens | nothing is written, and no call takes a statement or a round trip more |
//!
//! # Examples
//!
//! ```rust,standalone_crate
//! use rexecutor::{
//!     backend::memory::InMemoryBackend,
//!     events::{Event, EventKind},
//!     prelude::*,
//! };
//!
//! #[job]
//! async fn greet(_name: String) {}
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let node = Rexecutor::from_registry().with_backend(InMemoryBackend::new()).start().await?;
//!
//!     let mut events = rexecutor::events().executors(["greet"]).listen().await?;
//!     Greet::enqueue("Ada".to_owned()).await?;
//!     while let Some(event) = events.next().await {
//!         let Event::Job(job) = event? else { continue };
//!         println!("{} {}: {}", job.executor, job.job, job.change.kind());
//!         if job.change.kind() == EventKind::Completed {
//!             break;
//!         }
//!     }
//!
//!     node.graceful_shutdown().await;
//!     Ok(())
//! }
//! ```
//!
//! ```text
//! greet 1: enqueued
//! greet 1: started
//! greet 1: completed
//! ```

mod error;
mod event;
mod hub;
mod sink;
mod stream;

pub use self::{
    error::EventsError,
    event::{Change, Event, JobChanged},
    stream::{EventStream, Events, events, events_on_backend},
};
pub use crate::model::EventKind;
