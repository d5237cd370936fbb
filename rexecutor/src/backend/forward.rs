//! What stands before a backend and hands on all calls: a reference, or an `Arc`.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;

use super::{
    audit::AuditLog,
    capabilities::{Backend, Control, Entries, Survey},
    ends::Ends,
    events::Events,
    flows::Flows,
    history::History,
    observe::Observe,
    reports::Reports,
    roles::{Claim, Enqueue, Inspect, Maintain, Settle},
    settle_in::SettleIn,
    steps::StepLog,
    streams::Streams,
    wakeup::Wakeup,
};
use crate::model::{
    AmendError, BackendError, Claimed, Demand, Enqueued, ExecutorName, Filter, Heartbeat, JobChange, JobId, JobRow,
    Lease, Member, NewJob, Node, NodeId, PruneSpec, Result, ScheduleKey, Settlement, Tick, Ticks,
};

macro_rules! hand_on {
    ($(trait $role:ident {
        $($operation:ident => fn $method:ident($($argument:ident: $type:ty),*) -> $answer:ty;)*
    })*) => {
        $(
            impl<B: $role + ?Sized> $role for Arc<B> {
                $(fn $method<'a>(&'a self, $($argument: $type),*) -> BoxFuture<'a, $answer> {
                    (**self).$method($($argument),*)
                })*
            }

            impl<B: $role + ?Sized> $role for &B {
                $(fn $method<'a>(&'a self, $($argument: $type),*) -> BoxFuture<'a, $answer> {
                    (**self).$method($($argument),*)
                })*
            }
        )*
    };
}

each_role!(hand_on);

impl<B: Backend + ?Sized> Backend for Arc<B> {
    fn name(&self) -> &str {
        (**self).name()
    }

    fn instance(&self) -> usize {
        (**self).instance()
    }

    fn ping(&self, timeout: Duration) -> BoxFuture<'_, Result<()>> {
        (**self).ping(timeout)
    }

    fn node_problem(&self) -> Option<BackendError> {
        (**self).node_problem()
    }

    fn control(&self) -> Option<&dyn Control> {
        (**self).control()
    }

    fn survey(&self) -> Option<&dyn Survey> {
        (**self).survey()
    }

    fn entries(&self) -> Option<&dyn Entries> {
        (**self).entries()
    }

    fn observe(&self) -> Option<&dyn Observe> {
        (**self).observe()
    }

    fn ends(&self) -> Option<&dyn Ends> {
        (**self).ends()
    }

    fn events(&self) -> Option<&dyn Events> {
        (**self).events()
    }

    fn reports(&self) -> Option<&dyn Reports> {
        (**self).reports()
    }

    fn settle_in(&self) -> Option<&dyn SettleIn> {
        (**self).settle_in()
    }

    fn step_log(&self) -> Option<&dyn StepLog> {
        (**self).step_log()
    }

    fn streams(&self) -> Option<&dyn Streams> {
        (**self).streams()
    }

    fn history(&self) -> Option<&dyn History> {
        (**self).history()
    }

    fn flows(&self) -> Option<&dyn Flows> {
        (**self).flows()
    }

    fn audit_log(&self) -> Option<&dyn AuditLog> {
        (**self).audit_log()
    }

    fn is_membership_independent(&self) -> bool {
        (**self).is_membership_independent()
    }
}
