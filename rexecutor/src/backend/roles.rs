//! The roles of a backend, each of its methods written down once.
//!
//! `roles!` makes the traits, and the macro [`each_role!`](crate::each_role), which hands the list of all roles and methods
//! to another macro: so whatever stands before a backend (an `Arc`, a fault, an audit) forwards a new method without being
//! touched.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;

use super::wakeup::Wakeup;
use crate::model::{
    AmendError, Claimed, Demand, Enqueued, ExecutorName, Filter, Heartbeat, JobChange, JobId, JobRow, Lease, Member,
    NewJob, Node, NodeId, PruneSpec, Result, ScheduleKey, Settlement, Tick, Ticks,
};

/// `Name => fn name(arguments) -> Answer;` is the method
/// `fn name<'a>(&'a self, arguments) -> BoxFuture<'a, Answer>`, and `Name` is what it is called in lists of operations.
macro_rules! roles {
    ($(
        $(#[$role_doc:meta])*
        pub trait $role:ident {
            $(
                $(#[$doc:meta])*
                $operation:ident => fn $method:ident($($argument:ident: $type:ty),* $(,)?) -> $answer:ty;
            )*
        }
    )*) => {
        $(
            $(#[$role_doc])*
            pub trait $role: Send + Sync {
                $(
                    $(#[$doc])*
                    fn $method<'a>(&'a self, $($argument: $type),*) -> BoxFuture<'a, $answer>;
                )*
            }
        )*

        /// Calls a macro with every role that a backend must have, and its methods. Not public API.
        #[doc(hidden)]
        #[macro_export]
        macro_rules! each_role {
            ($callback:ident) => {
                $callback! {
                    $(trait $role {
                        $($operation => fn $method($($argument: $type),*) -> $answer;)*
                    })*
                }
            };
        }
    };
}

roles! {
    /// Takes in new jobs.
    ///
    /// # Contract
    ///
    /// - A call is all or nothing; once it has returned, its jobs outlive any crash that the storage itself outlives.
    /// - Answers are in the order of the jobs, and numbers rise in that order.
    /// - Of any number of concurrent calls with one unique key, one inserts. A later job of the same call sees the earlier.
    /// - A job that is to be [blocked](crate::backend::NewJob::blocked) is stored so.
    /// - Every wakeup fires for the executors of what became due, after it can be claimed.
    pub trait Enqueue {
        /// Stores jobs.
        Enqueue => fn enqueue(jobs: Vec<NewJob>) -> Result<Vec<Enqueued>>;

        /// The last tick of each schedule, in the order given, and the backend's present.
        ///
        /// A schedule that is not known becomes known, with the present as its last tick: it owes nothing from before.
        Schedules => fn schedules(schedules: &'a [ScheduleKey]) -> Result<Ticks>;

        /// Enqueues a schedule's jobs and moves its last tick to this one, in one step, unless it is there or later already, by
        /// its instant or by its local time where both have one.
        ///
        /// Returns whether it was this call that did so. However many nodes call it, each tick is enqueued once.
        Tick => fn tick(schedule: &'a ScheduleKey, tick: Tick, jobs: Vec<NewJob>) -> Result<bool>;

        /// Takes a schedule's last tick back to `to`, if it is exactly `from`: a clock that was wrong has put it ahead. Its local
        /// time is forgotten.
        ///
        /// Returns whether it was this call that did so. However many nodes call it, one does.
        Rewind => fn rewind(schedule: &'a ScheduleKey, from: DateTime<Utc>, to: DateTime<Utc>) -> Result<bool>;
    }

    /// Gives due jobs to nodes.
    ///
    /// # Contract
    ///
    /// - Two concurrent calls never return the same job, in one process or in many.
    /// - Only jobs of the executors in `demands` are touched, at most as many of each as it asks for, and none of an
    ///   executor that is [paused](super::Control), alone or with the whole cluster.
    /// - Of an executor for which any member [declares a limit](super::ClusterLimits), no more are executing on all nodes
    ///   together than the strictest of them allows, at any instant after that claim, but for those that ran before. Members
    ///   that declare none are held to it, too; what a node declares ends with its membership. Executors of which due jobs are
    ///   kept back so are [named](super::Claimed::held).
    /// - The same holds for the jobs of each [key](super::Extra::group_key) of an executor for which a limit per key is declared.
    ///   Its keys are served in [rotation](super::rotation): no key is served a second time while another one that has due jobs
    ///   and room waits.
    /// - The same holds for the jobs together of executors of which any member says that they [share](super::Limit) a limit.
    /// - Of an executor that any member declares to be [ordered](super::ClusterLimits::ordered), only the lowest number of each key's
    ///   jobs that [stand in line](super::JobRow::stands_in_line) is claimed, and not while another job of its key is executing.
    /// - Of an executor whose [circuit breaker](super::breaker) is open none is claimed before its pause is over; then one, on all
    ///   nodes together, until that has ended.
    /// - A job is claimed only while those before it, of its executor and this claim, have less than
    ///   [`max_bytes`](super::Demand::max_bytes). A backend need not count jobs of up to 64 KiB each.
    /// - An executor's jobs come by priority, then due time, then number, or those of each key where keys are served in
    ///   rotation; the answer is in that order too.
    /// - Each claimed job is executing, its attempt and its lease one higher, and belongs to `node`.
    /// - A node that is not a member, or is no longer one, is given none: `member` is false.
    /// - A row that cannot be read as a job is not returned, and does not keep the others from being claimed.
    pub trait Claim {
        /// Claims due jobs for `node`.
        Claim => fn claim(node: NodeId, demands: Arc<[Demand]>) -> Result<Claimed>;

        /// Fires `wakeup` whenever there is something new, from the moment this method returns.
        ///
        /// The future watches for what other processes do, and [says](Wakeup::watching) so once it is sure that it does. It ends
        /// only with an error, after which it is called again.
        Watch => fn watch(wakeup: Arc<Wakeup>) -> Result<()>;
    }

    /// Takes in how runs ended.
    ///
    /// # Contract
    ///
    /// - A settlement whose job is not executing under its lease changes nothing and is returned as refused.
    /// - All the others are stored when the call returns without an error; after an error, calling again is safe.
    /// - A job that was asked to cancel becomes cancelled, whatever its outcome.
    /// - What a settlement [says](super::breaker) to a circuit breaker is taken in with it. Once one has opened, no claim that begins
    ///   gives a job of its executor.
    pub trait Settle {
        /// Stores how runs ended; returns the refused ones.
        Settle => fn settle(settlements: Arc<[Settlement]>) -> Result<Vec<(JobId, Lease)>>;
    }

    /// Keeps the cluster's books.
    ///
    /// # Contract
    ///
    /// - A node is a member from `join` until `leave`, or until somebody calls `rescue` with it among the dead. A backend
    ///   judges nobody by itself: no clock says who is alive.
    /// - `heartbeat` lists every run that is stored as the node's, in the order of the jobs' numbers: a node that does not
    ///   know one of them never heard of it, and gives it back. It lists all other members, too, as they were last heard.
    /// - A `heartbeat` that finds the clock more than [`SET_BACK`](crate::backend::lifecycle::SET_BACK) behind that of the node's last one
    ///   does what [`set_back`](crate::backend::lifecycle::set_back) says to every job, and wakes all whose jobs it changes.
    /// - `rescue` ends the membership of those of the `dead` that have not been heard since. Then it ends the runs of nodes
    ///   that are no members, and of no others: each becomes a failed attempt with
    ///   [`ErrorType::NodeLost`](crate::job::ErrorType::NodeLost), due again at once, or discarded if it was the last, or
    ///   cancelled if that was asked. A call ends some hundreds of them at least, if there are as many; it returns 0 once
    ///   there are none left.
    /// - `rescue` also discards the jobs that are blocked or wait and whose deadline has come, with
    ///   [`ErrorType::DeadlinePassed`](crate::job::ErrorType::DeadlinePassed); they do not count in its
    ///   answer. Runs that it ends are among them.
    /// - `prune` deletes finished jobs that match, oldest first, at most `limit` of them. A rule or a scope that the backend
    ///   does not know is refused.
    pub trait Maintain {
        /// Makes a node a member, under a number that was never used before.
        Join => fn join(node: &'a Node) -> Result<NodeId>;

        /// Says that a node is alive, which is counted, and asks what it should know.
        Heartbeat => fn heartbeat(node: NodeId) -> Result<Heartbeat>;

        /// Ends a node's membership.
        Leave => fn leave(node: NodeId) -> Result<()>;

        /// Takes back jobs of these dead nodes, and of those that are no members any more, returns how many there were, and
        /// discards those whose deadline has come.
        Rescue => fn rescue(dead: &'a [Member]) -> Result<usize>;

        /// Deletes finished jobs; returns how many.
        Prune => fn prune(spec: &'a PruneSpec, limit: usize) -> Result<usize>;
    }

    /// Looks at stored jobs and changes them by hand.
    ///
    /// # Contract
    ///
    /// - `query` answers as [`Filter::matches`] would for each job that can be read, in the order of their numbers. A row
    ///   that cannot be read is left out, and logged. A filter that [`Filter::check`] refuses is a permanent error.
    /// - The others do what the function of [`lifecycle`](crate::backend::lifecycle) of the same name says, or refuse as it
    ///   does, and never touch another executor's job.
    /// - `rerun` and `update` refuse, and change nothing, where another job stands in the way of
    ///   [`beside_rerun`](crate::backend::lifecycle::beside_rerun) or
    ///   [`beside_update`](crate::backend::lifecycle::beside_update), under any concurrency.
    pub trait Inspect {
        /// The jobs that match, at most `limit` of them.
        Query => fn query(filter: &'a Filter, limit: usize) -> Result<Vec<JobRow>>;

        /// Cancels a job that waits; asks one that is executing to stop, on whichever node it runs.
        Cancel => fn cancel(executor: &'a ExecutorName, job: JobId, reason: String) -> Result<(), AmendError>;

        /// Makes a job due now, with all its attempts.
        Rerun => fn rerun(executor: &'a ExecutorName, job: JobId) -> Result<(), AmendError>;

        /// … unless it is complete, which is decided in the step that changes it.
        RerunUnlessComplete => fn rerun_unless_complete(executor: &'a ExecutorName, job: JobId) -> Result<(), AmendError>;

        /// Lets a blocked job be claimed, as soon as it is due.
        Release => fn release(executor: &'a ExecutorName, job: JobId) -> Result<(), AmendError>;

        /// Deletes a finished job, with its steps; jobs behind one that halted its line may start.
        Delete => fn delete(executor: &'a ExecutorName, job: JobId) -> Result<(), AmendError>;

        /// Replaces what [`JobChange`] names.
        Update => fn update(executor: &'a ExecutorName, job: JobId, change: JobChange) -> Result<(), AmendError>;
    }
}
