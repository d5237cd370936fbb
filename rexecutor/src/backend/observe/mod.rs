//! What a dashboard shows: pages of jobs, how many there are, and how the cluster stands.
//!
//! Every answer has a bound that does not grow with the table of jobs. Where an answer would need more, it says so: a count is
//! [capped](Count), and a page may [end early](JobsPage::is_partial), with the place where the search continues.

mod circumstances;
mod cluster;
mod counts;
mod explain;
mod page;
mod reason;
mod sentence;
mod words;

use futures::future::BoxFuture;

use super::capabilities::Backend;
use crate::model::{BackendError, ExecutorName, Result};

pub use self::{
    circumstances::Circumstances,
    cluster::{Cluster, KeyStanding, Queue, SeenNode, Standing, Stored},
    counts::{Count, Counts},
    explain::explain,
    page::{JobOrder, JobsPage, JobsRequest, Position, UnknownPosition},
    reason::{Explanation, Reason},
};

/// Reads what a dashboard shows.
///
/// # Contract
///
/// - `page` gives jobs that match as [`Filter::matches`](crate::backend::Filter::matches) says, in the order of the request, none
///   of them before or at its position. Pages that are read one after the other from [`JobsPage::next`] have every job that
///   matches and does not change meanwhile, once each. A row that cannot be read is left out, and logged.
/// - A page looks at a bounded number of rows. If it ends for that reason, it is partial and says where to continue.
/// - [`JobOrder::Due`] has jobs that wait only, and [`JobOrder::Finished`] only those that are finished.
/// - `counts` looks at `cap` rows of each status at most, and at `cap` of each executor that has waiting jobs. A number is exact
///   unless it says that there may be more.
/// - `cluster` has every member with its runs, and every executor that a member runs, that has jobs which wait or run, or about
///   which anything is stored.
/// - Nothing is changed, and no snapshot outlives a call.
pub trait Observe: Send + Sync {
    /// A page of jobs.
    fn page<'a>(&'a self, request: &'a JobsRequest) -> BoxFuture<'a, Result<JobsPage>>;

    /// How many jobs there are, by executor and status.
    fn counts(&self, cap: usize) -> BoxFuture<'_, Result<Counts>>;

    /// Nodes and executors as they stand.
    fn cluster(&self) -> BoxFuture<'_, Result<Cluster>>;

    /// How the jobs of this executor and this [key](crate::backend::Extra::group_key) stand.
    fn key<'a>(&'a self, executor: &'a ExecutorName, key: &'a str) -> BoxFuture<'a, Result<KeyStanding>>;
}

/// The capability to read what a dashboard shows, of a backend that has it.
///
/// # Errors
///
/// Names the backend and the capability, if it lacks it.
pub fn observe<B: Backend + ?Sized>(backend: &B) -> Result<&dyn Observe> {
    backend
        .observe()
        .ok_or_else(|| BackendError::unsupported(backend.name(), "reading for a dashboard (`Backend::observe`)"))
}
