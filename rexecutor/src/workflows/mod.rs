//! Workflows: jobs that come after each other, and take what those before them gave.
//!
//! A [`Workflow`] is built from tasks, each a job with a name, and enqueued in one transaction. A task says what it comes
//! [after](crate::job::builder::JobBuilder::after), and takes what these gave as an [`Upstream`]; the compiler checks that they fit. What
//! becomes of it where one of these fails or is skipped is its own choice. Whatever processes die, each task runs once those before it have
//! ended, and is released once.
//!
//! # Examples
//!
//! ```rust,standalone_crate
//! use rexecutor::{backend::memory::InMemoryBackend, prelude::*, workflows::Workflow};
//!
//! #[job]
//! async fn charge(cents: u32) -> Result<String, String> {
//!     Ok(format!("receipt over {cents} cents"))
//! }
//!
//! #[job]
//! async fn pack(item: String) -> Result<u32, String> {
//!     Ok(1_000 + item.len() as u32)
//! }
//!
//! #[job]
//! async fn ship(address: String, Upstream((receipt, parcel)): Upstream<(String, u32)>) {
//!     println!("parcel {parcel} goes to {address}, with a {receipt}");
//! }
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let node = Rexecutor::from_registry().with_backend(InMemoryBackend::new()).start().await?;
//!
//!     let mut order = Workflow::new("order 7");
//!     let charge = order.task("charge", Charge::builder().with_data(1_999));
//!     let pack = order.task("pack", Pack::builder().with_data("a hat".to_owned()));
//!     order.task("ship", Ship::builder().with_data("Rome".to_owned()).after((&charge, &pack)));
//!     let order = order.enqueue().await?;
//!     node.run_until_idle().await;
//!     print!("{}", order.graph().await?.to_text());
//!     Ok(())
//! }
//! ```
//!
//! ```text
//! parcel 1005 goes to Rome, with a receipt over 1999 cents
//! order 7
//!   ✓ charge
//!   ✓ pack
//!   ✓ ship  after charge, pack
//! ```

mod error;
mod extract;
mod graph;
mod handle;
mod into_task;
mod predecessors;
mod status;
mod svg;
mod tasks;
mod text;
mod types;
mod wait;
mod workflow;

pub use self::{
    error::WorkflowError,
    graph::{Graph, TaskState},
    handle::WorkflowHandle,
    into_task::{After, AfterTasks, IntoTask},
    predecessors::{Predecessor, Predecessors, TaskRef},
    status::{WorkflowEnd, WorkflowStatus},
    tasks::{Included, Tasks},
    wait::WorkflowWait,
    workflow::Workflow,
};
pub use crate::{
    backend::flows::{FlowError, FlowKind, FlowRef, GraphError, TaskRow},
    executing::{Accepts, ComesFirst, HasUpstream, NoUpstream, Upstream},
    model::{FlowCounts, FlowId, RunWhen, TaskResult},
};
