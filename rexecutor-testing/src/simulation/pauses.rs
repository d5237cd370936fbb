//! What is paused, and by what that is resumed.

use chrono::TimeDelta;
use rand::RngExt;
use rexecutor::{
    Executor,
    backend::{Pause, Scope},
    clock::Clock,
};

use super::{
    Planted,
    jobs::{Aged, Called, Fragile, Keyed, Metered, Narrow, Ordered, Plain, Rated, Scarce, TAGS, Timed},
    world::World,
};

/// Those that are paused now and then, as the whole cluster is.
const EXECUTORS: [&str; 11] = [
    Aged::NAME,
    Called::NAME,
    Fragile::NAME,
    Keyed::NAME,
    Metered::NAME,
    Ordered::NAME,
    Plain::NAME,
    Narrow::NAME,
    Rated::NAME,
    Scarce::NAME,
    Timed::NAME,
];

impl World {
    pub(super) async fn pause(&mut self) {
        let scope = self.any_scope();
        let until = match self.random.random_range(0..2) {
            0 => None,
            _ => Some(self.clock.now() + TimeDelta::seconds(self.random.random_range(1..60))),
        };
        self.record.note(format_args!("pause {scope} until {until:?}"));
        let is_forgotten = match scope {
            Scope::Tag(_) => self.planted == Some(Planted::ForgetsTags),
            Scope::Node(_) => self.planted == Some(Planted::ForgetsNodes),
            _ => false,
        };
        if !is_forgotten {
            let answer = self.control().pause(&scope, Pause::new("the simulator").until(until)).await;
            self.must(answer);
        }
        self.record.known().paused.insert(scope, until);
    }

    pub(super) async fn resume(&mut self) {
        let scope = self.any_scope();
        self.record.note(format_args!("resume {scope}"));
        // Not known to be paused before it is not: a claim between the two gives its jobs already.
        self.audit.resumed(&scope);
        let answer = self.control().resume(&scope).await;
        self.must(answer);
    }

    fn any_scope(&mut self) -> Scope {
        let place = self.random.random_range(0..EXECUTORS.len() + 6);
        let (tag, number) = (self.random.random_range(0..TAGS.len()), self.random.random_range(0..self.nodes.len()));
        match place.checked_sub(EXECUTORS.len()) {
            None => Scope::Executor(EXECUTORS[place].into()),
            // When jobs were due that are set aside is not known here once a clock was set back.
            Some(0..2) if !self.sets_clocks => Scope::Tag(TAGS[tag].to_owned()),
            Some(2..4) => Scope::Node(format!("node {number}")),
            Some(_) => Scope::Cluster,
        }
    }
}
