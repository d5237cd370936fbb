//! Giving due jobs to nodes.
//!
//! Executors about which nothing is stored are claimed from with a statement alone, or two. The others go through
//! [admission](super::admit) first, in a transaction of their own: the plain ones must not wait for that.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use futures::future::BoxFuture;
use rexecutor::{
    backend::{Claim, Claimed, Demand, JobRow, Result, Wakeup},
    clock::{Clock, SystemClock},
    job::NodeId,
};

use super::{
    backend::{Database, PgBackend},
    claim_cursors::{self, Cursor, Scan},
    large::has_met_one,
    scan::{By, Found},
    session::{Session, apart},
};

impl Claim for PgBackend {
    fn claim<'a>(&'a self, node: NodeId, demands: Arc<[Demand]>) -> BoxFuture<'a, Result<Claimed>> {
        let backend = self.clone();
        let claim = async move {
            let claimed = backend.0.limited(CLAIM, backend.0.claim(node, &demands)).await?;
            if !claimed.jobs.is_empty() {
                backend.0.tell_events();
            }
            Ok(claimed)
        };
        Box::pin(apart(CLAIM, claim))
    }

    fn watch<'a>(&'a self, wakeup: Arc<Wakeup>) -> BoxFuture<'a, Result<()>> {
        self.0.listeners.add(&wakeup);
        Box::pin(self.0.watch(wakeup))
    }
}

const CLAIM: &str = "could not claim jobs";

impl Database {
    async fn claim(&self, node: NodeId, demands: &[Demand]) -> sqlx::Result<Claimed> {
        self.declare(node, demands).await?;
        let mut claimed = self.try_to_claim(node, demands).await?;
        if claimed.is_outdated && claimed.jobs.is_empty() {
            self.read_controls(node).await?;
            claimed = self.try_to_claim(node, demands).await?;
        }
        if claimed.is_outdated {
            // Somebody has changed the controls again: the node comes back at once.
            claimed.next_due_in = Some(Duration::ZERO);
        }
        let mut answer = Claimed::nothing(claimed.is_member || !claimed.jobs.is_empty());
        (answer.jobs, answer.next_due_in, answer.held) = (claimed.jobs, claimed.next_due_in, claimed.held);
        Ok(answer)
    }

    async fn try_to_claim(&self, node: NodeId, demands: &[Demand]) -> sqlx::Result<Found> {
        let Some((plain, controlled)) = self.controls.split(node, demands) else {
            return self.claim_plain(node, demands).await;
        };
        let mut found = Found::default();
        if !plain.is_empty() {
            found = self.claim_plain(node, &plain).await?;
            if !found.is_member || found.is_outdated {
                return Ok(found);
            }
        }
        match self.claim_admitted(node, &controlled).await {
            Ok(more) => found.add(more),
            // What was claimed before is claimed. The node asks again at once, and gets the error then.
            Err(_) if !found.jobs.is_empty() => found.next_due_in = Some(Duration::ZERO),
            Err(error) => return Err(error),
        }
        sort(&mut found.jobs, demands);
        Ok(found)
    }

    async fn claim_plain(&self, node: NodeId, demands: &[Demand]) -> sqlx::Result<Found> {
        let mut session = self.claiming_session().await?;
        if !self.large.are_of(demands) {
            match self.claim_by_number(&mut session, node, demands).await {
                // Nothing of it is kept. On the same connection: on another one its rows might still be locked.
                Err(error) if has_met_one(&error) => session = self.again(session).await?,
                Err(error) => return Err(error),
                Ok((found, is_whole)) => {
                    if is_whole {
                        self.tell_started(&mut session, &found.jobs).await?;
                        session.end().await?;
                    }
                    return Ok(found);
                }
            }
        }
        let mut found = self.scan(&mut session, node, demands, By::Bytes).await?;
        self.quarantine(&mut session, found.take_unreadable()).await?;
        self.tell_started(&mut session, &found.jobs).await?;
        session.end().await?;
        sort(&mut found.jobs, demands);
        self.remember(demands, demands, &[], None);
        Ok(found)
    }

    /// Claims until no more were asked for; also gives whether every statement has succeeded.
    async fn claim_by_number(
        &self,
        session: &mut Session,
        node: NodeId,
        demands: &[Demand],
    ) -> sqlx::Result<(Found, bool)> {
        let now = SystemClock.elapsed();
        let (mut from_cursors, mut first) = (Vec::new(), Vec::new());
        for demand in demands.iter().filter(|demand| demand.limit > 0) {
            match self.cursors.of(&demand.executor, now) {
                Some(cursor) => from_cursors.push((demand.clone(), cursor)),
                None => first.push(demand.clone()),
            }
        }
        let mut found = Found::default();
        if !from_cursors.is_empty() {
            found = self.claim_from_cursors(session, node, &from_cursors).await?;
            // Rows may have come in behind the place from which this looked.
            first.extend(unfilled(from_cursors, &found.jobs));
        }
        let (mut start, mut is_broken) = (None, false);
        // Also when nothing was asked for, to learn whether the node is a member.
        if !first.is_empty() || found.jobs.is_empty() {
            let began = SystemClock.elapsed();
            match self.scan(session, node, &first, By::Number).await {
                Ok(more) => {
                    start = Some(Scan { at: began, took: SystemClock.elapsed().saturating_sub(began) });
                    found.add(more);
                }
                // What a statement alone has claimed is claimed. The node asks again at once, and gets the error then.
                Err(_) if matches!(session, Session::Alone(..)) && !found.jobs.is_empty() => {
                    (found.next_due_in, is_broken) = (Some(Duration::ZERO), true);
                }
                Err(error) => return Err(error),
            }
        }
        if !is_broken {
            self.quarantine(session, found.take_unreadable()).await?;
        }
        sort(&mut found.jobs, demands);
        self.remember(demands, &first, &found.jobs, start);
        Ok((found, !is_broken))
    }

    /// Records how far each executor's queue was claimed; `first` are those that were claimed from their start.
    fn remember(&self, demands: &[Demand], first: &[Demand], jobs: &[JobRow], start: Option<Scan>) {
        let first: HashSet<&str> = first.iter().map(|demand| demand.executor.as_str()).collect();
        let queues = jobs.chunk_by(|one, next| one.executor == next.executor);
        let queues: HashMap<&str, &[JobRow]> = queues.map(|queue| (queue[0].executor.as_str(), queue)).collect();
        for demand in demands {
            let executor = demand.executor.as_str();
            let queue = queues.get(executor).copied().unwrap_or_default();
            let is_long = queue.len() >= demand.limit.max(claim_cursors::shortest(jobs.len()));
            let last = queue.last().filter(|_| is_long).map(Cursor::of);
            self.cursors.reached(&demand.executor, last, start.filter(|_| first.contains(executor)));
        }
    }
}

/// What is left of the demands.
fn unfilled(asked: Vec<(Demand, Cursor)>, jobs: &[JobRow]) -> impl Iterator<Item = Demand> {
    let mut claimed: HashMap<&str, Vec<&JobRow>> = HashMap::new();
    jobs.iter().for_each(|job| claimed.entry(job.executor.as_str()).or_default().push(job));
    asked.into_iter().filter_map(move |(demand, _)| match claimed.get(demand.executor.as_str()) {
        Some(jobs) => demand.after(jobs.iter().copied()),
        None => Some(demand),
    })
}

/// `RETURNING` keeps no order: by executor as they were asked, and then as they start.
pub(super) fn sort(jobs: &mut [JobRow], demands: &[Demand]) {
    let places: HashMap<&str, usize> =
        demands.iter().enumerate().map(|(place, demand)| (demand.executor.as_str(), place)).collect();
    let place = |job: &JobRow| (places.get(job.executor.as_str()).copied(), job.priority, job.scheduled_at);
    jobs.sort_by_key(|job| (place(job), job.id.as_i64()));
}
