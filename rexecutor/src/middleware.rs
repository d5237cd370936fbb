//! Code around the runs of jobs, and before they are enqueued: for audits, tenants, limits of your own, tracing and error reporters.
//!
//! | what | where it is given | what it sees and can change |
//! | --- | --- | --- |
//! | [`Middleware`] of a node | [`with_middleware`](crate::node::NodeBuilder::with_middleware) | each run of the node: reads it, gives it [extensions](Extension), and decides its result |
//! | [`Middleware`] of a kind of job | `#[job(middleware = audit)]` or [`Executor::middleware`](crate::Executor::middleware) | the same of its jobs on all nodes; with [`on_enqueue`](Middleware::on_enqueue) also what is enqueued |
//! | a hook | [`on_enqueue`] | each job that the program builds: adds tags and headers, sets the priority, or refuses it |
//! | a listener | [`on_event`](crate::node::NodeBuilder::on_event) | how each run of the node began and ended; it changes nothing |
//!
//! Middleware of the node is outside of that of the job, and what was given first is outside of what was given later.
//!
//! # Examples
//!
//! ```standalone_crate
//! use rexecutor::{backend::memory::InMemoryBackend, middleware::{Extension, Next, Run}, prelude::*};
//!
//! #[derive(Clone)]
//! struct Tenant(String);
//!
//! /// Gives each job its tenant.
//! async fn tenant(mut run: Run, next: Next) -> ExecutionResult {
//!     match run.context().headers().get("tenant").map(str::to_owned) {
//!         Some(name) => run.add_extension(Tenant(name)),
//!         None => return ExecutionResult::Cancel { reason: Box::new("the job has no tenant") },
//!     }
//!     let executor = run.context().executor().to_owned();
//!     let result = next.run(run).await;
//!     println!("{executor}: {result:?}");
//!     result
//! }
//!
//! #[job]
//! async fn invoice(number: u32, Extension(tenant): Extension<Tenant>) {
//!     println!("invoice {number} of {}", tenant.0);
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let node = Rexecutor::from_registry().with_backend(InMemoryBackend::new()).with_middleware(tenant).start().await?;
//! Invoice::builder().with_data(7).with_header("tenant", "acme").enqueue().await?;
//! node.run_until_idle().await;
//! # Ok(())
//! # }
//! ```
//!
//! ```text
//! invoice 7 of acme
//! invoice: Done
//! ```

pub use crate::{
    builder::{EnqueueHook, on_enqueue},
    executing::{EnqueueRequest, Middleware, Next, Run},
    registry::Extension,
};
