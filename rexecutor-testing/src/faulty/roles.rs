//! The roles of a faulty backend.
//!
//! A backend may do its work before it returns the future, so each call is inside one of its own.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use rexecutor::{
    backend::{
        AmendError, AuditLog, Backend, BackendError, Claim, Claimed, Control, Demand, Ends, Enqueue, Enqueued, Entries,
        Events, Filter, Flows, Heartbeat, History, Inspect, JobChange, JobRow, Maintain, Member, NewJob, Node, Observe,
        Reports, Result, ScheduleKey, Settle, SettleIn, Settlement, StepLog, Streams, Survey, Tick, Ticks, Wakeup,
    },
    each_role,
    job::{ExecutorName, JobId, Lease, NodeId},
    pruner::PruneSpec,
};

use super::{
    fault::Effect,
    faulty::{Faulty, error},
    operation::Operation,
};

macro_rules! faulty {
    ($(trait $role:ident {
        $($operation:ident => fn $method:ident($($argument:ident: $type:ty),*) -> $answer:ty;)*
    })*) => {
        $(impl<B: Backend> $role for Faulty<B> {
            $(faulty_method! { $method: $operation($($argument: $type),*) -> $answer })*
        })*
    };
}

/// A method. All are alike but those of which a fault may do a part, and that which is set up by the call itself.
macro_rules! faulty_method {
    (claim: $($rest:tt)*) => {
        fn claim<'a>(&'a self, node: NodeId, demands: Arc<[Demand]>) -> BoxFuture<'a, Result<Claimed>> {
            Box::pin(async move {
                let effect = self.meet(Operation::Claim);
                let demands = match effect {
                    Some(Effect::Cut(most)) => cut(&demands, most),
                    _ => demands,
                };
                let claim = async { self.inner().claim(node, demands).await };
                let claimed = self.suffer(Operation::Claim, effect, claim).await?;
                self.runs(|runs| runs.began(&claimed.jobs));
                Ok(claimed)
            })
        }
    };
    (settle: $($rest:tt)*) => {
        fn settle<'a>(&'a self, settlements: Arc<[Settlement]>) -> BoxFuture<'a, Result<Vec<(JobId, Lease)>>> {
            Box::pin(async move {
                // Whether or not it can be stored.
                self.runs(|runs| runs.ended(&settlements));
                let effect = self.meet(Operation::Settle);
                let first = match effect {
                    Some(Effect::Cut(length)) => settlements.get(..length).filter(|_| length < settlements.len()),
                    _ => None,
                };
                if let Some(first) = first {
                    self.inner().settle(first.into()).await?;
                    return Err(error(Operation::Settle, true));
                }
                let settle = async move { self.inner().settle(settlements).await };
                self.suffer(Operation::Settle, effect, settle).await
            })
        }
    };
    (watch: $($rest:tt)*) => {
        fn watch<'a>(&'a self, wakeup: Arc<Wakeup>) -> BoxFuture<'a, Result<()>> {
            let watching = self.inner().watch(wakeup);
            Box::pin(self.call(Operation::Watch, watching))
        }
    };
    ($method:ident: $operation:ident($($argument:ident: $type:ty),*) -> $answer:ty) => {
        fn $method<'a>(&'a self, $($argument: $type),*) -> BoxFuture<'a, $answer> {
            Box::pin(self.call(Operation::$operation, async move { self.inner().$method($($argument),*).await }))
        }
    };
}

each_role!(faulty);

/// No fault hits what a backend can do beside its roles, except that a ping counts as a query and meets the faults of one, and
/// that schedule entries meet those of schedules and ticks.
impl<B: Backend> Backend for Faulty<B> {
    fn name(&self) -> &str {
        self.inner().name()
    }

    fn instance(&self) -> usize {
        self.inner().instance()
    }

    fn node_problem(&self) -> Option<BackendError> {
        self.inner().node_problem()
    }

    fn control(&self) -> Option<&dyn Control> {
        self.inner().control()
    }

    fn survey(&self) -> Option<&dyn Survey> {
        self.inner().survey()
    }

    fn entries(&self) -> Option<&dyn Entries> {
        self.inner().entries().map(|_| self as &dyn Entries)
    }

    fn step_log(&self) -> Option<&dyn StepLog> {
        self.inner().step_log().map(|_| self as &dyn StepLog)
    }

    fn history(&self) -> Option<&dyn History> {
        self.inner().history()
    }

    fn audit_log(&self) -> Option<&dyn AuditLog> {
        self.inner().audit_log()
    }

    fn flows(&self) -> Option<&dyn Flows> {
        self.inner().flows().map(|_| self as &dyn Flows)
    }

    fn observe(&self) -> Option<&dyn Observe> {
        self.inner().observe()
    }

    fn ends(&self) -> Option<&dyn Ends> {
        self.inner().ends()
    }

    fn events(&self) -> Option<&dyn Events> {
        self.inner().events().map(|_| self as &dyn Events)
    }

    fn reports(&self) -> Option<&dyn Reports> {
        self.inner().reports()
    }

    fn streams(&self) -> Option<&dyn Streams> {
        self.inner().streams().map(|_| self as &dyn Streams)
    }

    fn settle_in(&self) -> Option<&dyn SettleIn> {
        self.inner().settle_in()
    }

    fn is_membership_independent(&self) -> bool {
        self.inner().is_membership_independent()
    }
}

/// At most so many jobs of each executor.
fn cut(demands: &[Demand], most: usize) -> Arc<[Demand]> {
    let demands = demands.iter().map(|demand| demand.clone().at_most(most));
    demands.filter(|demand| demand.limit > 0).collect()
}
