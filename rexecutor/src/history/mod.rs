//! How jobs went: how many runs ended how, how long they ran and had waited, by executor, over the last hours, days or months.
//!
//! Each node counts in memory as its runs end, and adds what it has counted to a small table, in one statement in five seconds at most; a
//! node that ends adds the rest. So it costs no other server, and survives restarts. What is kept of each executor and each
//! [end](RunEnd) is a number and two [histograms](Histogram): by the minute for three hours, by the hour for 15 days, and by the day, in
//! UTC, for 400 days. It prunes itself.
//!
//! What is counted are runs, as their nodes know them: a job that was retried twice has three. What ends without a run is not here: a job
//! that somebody cancels, or whose deadline comes, while it waits, and a run whose node died. If a database's answer is lost in an outage,
//! some runs may be counted twice.
//!
//! # Examples
//!
//! ```rust,standalone_crate
//! use std::time::Duration;
//! use rexecutor::{backend::memory::InMemoryBackend, history::RunEnd, prelude::*};
//!
//! #[job(max_attempts = 1)]
//! async fn deliver(parcel: u32) -> Result<(), String> {
//!     if parcel.is_multiple_of(10) { Err(format!("parcel {parcel} is lost")) } else { Ok(()) }
//! }
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let node = Rexecutor::from_registry().with_backend(InMemoryBackend::new()).start().await?;
//!     for parcel in 1..=100 {
//!         Deliver::enqueue(parcel).await?;
//!     }
//!     node.run_until_idle().await;
//!
//!     let history = rexecutor::history().executors(["deliver"]).last(Duration::from_secs(3600)).await?;
//!     let all = history.total();
//!     println!("{} delivered, {} lost", all.count(RunEnd::Completed), all.failures());
//!     assert!(all.run().p95().expect("there were runs") < Duration::from_secs(60));
//!     for point in history.points() {
//!         let _minute = (point.at(), point.runs(), point.wait().p99());
//!     }
//!     Ok(())
//! }
//! ```
//!
//! ```text
//! 90 delivered, 10 lost
//! ```

mod point;
mod query;
mod timeline;

pub use self::{
    point::Point,
    query::{HistoryQuery, history},
    timeline::Timeline,
};
pub use crate::model::{Histogram, HistoryStep, RunEnd};
