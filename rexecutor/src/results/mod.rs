//! What became of jobs: their outputs, waiting for their ends, and looking at a job of any executor.
//!
//! What a `#[job]` returns in `Ok` is stored with the job. [`OutputExt`] reads it and waits for it, with its type; [`jobs`] gives it
//! as JSON, for a web page that asks again and again.
//!
//! # Examples
//!
//! ```rust,standalone_crate
//! use rexecutor::{backend::memory::InMemoryBackend, prelude::*};
//!
//! #[job]
//! async fn count_words(text: String) -> Result<usize, String> {
//!     Ok(text.split_whitespace().count())
//! }
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let node = Rexecutor::from_registry().with_backend(InMemoryBackend::new()).start().await?;
//!
//!     let job = CountWords::enqueue("to be or not to be".to_owned()).await?;
//!     match job.wait().await? {
//!         Outcome::Complete(words) => println!("{words} words"),
//!         other => println!("no words: {other:?}"),
//!     }
//!     // The same in one call, for an output or an error:
//!     let words = CountWords::run("or not".to_owned()).await?.into_output()?;
//!     println!("{words} words");
//!
//!     node.graceful_shutdown().await;
//!     Ok(())
//! }
//! ```
//!
//! ```text
//! 6 words
//! 2 words
//! ```

mod any_job;
mod end;
mod error;
mod ext;
mod handle;
mod hub;
mod outcome;
mod progress;
mod stream;
mod wait;

pub use crate::{
    context::EmitError,
    model::{Chunk, LogLine, Offset, ParseOffsetError, Progress},
};

pub(crate) use self::hub::FlowNews;
pub use self::{
    any_job::{AnyJob, Jobs, jobs, jobs_on_backend},
    error::OutputError,
    ext::OutputExt,
    outcome::{NoOutput, Outcome},
    progress::{Follow, ProgressExt},
    stream::{Chunks, ChunksExt},
    wait::Wait,
};
