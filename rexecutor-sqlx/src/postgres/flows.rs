//! Flows.
//!
//! # Invariant
//!
//! - Whoever decides about a flow, or adds jobs to it, locks its row in a statement of its own before: one that had waited for the lock
//!   itself would count the jobs with the snapshot from before.

use std::{collections::BTreeSet, sync::Arc};

use futures::future::BoxFuture;
use rexecutor::{
    backend::{
        Enqueued, Marks, NewJob, Result, Scope,
        flows::{Created, FlowError, FlowState, Flows, StoredFlow, members_of},
        lifecycle,
    },
    job::{ExecutorName, FlowId, JobId, JobStatus},
};
use sqlx::{PgConnection, Row};

use super::{
    backend::{Database, PgBackend},
    enqueue::executors,
    flow_rows::FlowRow,
    session::Progress,
};

/// How many flows are decided about in one transaction, and how many jobs are cancelled in one.
const BATCH: i64 = 500;

const WHAT: &str = "could not change a batch";

/// What became of jobs that were added, and whom that wakes.
pub(super) type Inserted = (Vec<Enqueued>, BTreeSet<ExecutorName>);

impl Flows for PgBackend {
    fn create(&self, flow: StoredFlow, jobs: Vec<NewJob>) -> BoxFuture<'_, Result<Created>> {
        Box::pin(async move {
            self.take_places(&jobs).await?;
            let progress = Progress::default();
            let work = async {
                let _turn = self.0.may_wait_for_keys(&jobs).await?;
                let mut transaction = self.0.begin().await?;
                let id = self.0.insert_flow(&mut transaction, &flow).await?;
                let inserted = self.0.insert_members(&mut transaction, id, jobs, &progress).await?;
                transaction.commit().await?;
                Ok((id, inserted))
            };
            let (id, (answers, woken)) = self.0.limited_by(&progress, "could not store a batch", work).await?;
            self.0.wake_and_tell(woken).await;
            Ok(Created::new(id, answers))
        })
    }

    fn add(&self, flow: FlowId, jobs: Vec<NewJob>) -> BoxFuture<'_, Result<Vec<Enqueued>, FlowError>> {
        Box::pin(async move {
            self.take_places(&jobs).await?;
            let progress = Progress::default();
            let work = async {
                let _turn = self.0.may_wait_for_keys(&jobs).await?;
                let mut transaction = self.0.begin().await?;
                if let Err(refusal) = self.0.lock_open(&mut transaction, flow).await? {
                    transaction.rollback().await?;
                    return Ok(Err(refusal));
                }
                let inserted = self.0.insert_members(&mut transaction, flow, jobs, &progress).await?;
                transaction.commit().await?;
                Ok(Ok(inserted))
            };
            let (answers, woken) = self.0.limited_by(&progress, "could not add jobs to a batch", work).await??;
            self.0.wake_and_tell(woken).await;
            Ok(answers)
        })
    }

    fn find(&self, flow: FlowId) -> BoxFuture<'_, Result<Option<FlowState>>> {
        let work = async move {
            let mut transaction = self.0.begin().await?;
            let found = self.0.find_flow(&mut transaction, flow).await?;
            transaction.commit().await?;
            Ok(found)
        };
        Box::pin(self.0.limited("could not read a batch", work))
    }

    fn cancel_flow(&self, flow: FlowId, reason: String) -> BoxFuture<'_, Result<usize, FlowError>> {
        Box::pin(async move {
            let change = |stored: &mut StoredFlow| stored.cancel(flow, reason.clone());
            self.0.limited(WHAT, self.0.change(flow, change)).await??;
            let mut total = 0;
            // Jobs may move from one status to the next while others are cancelled.
            loop {
                let before = total;
                for status in JobStatus::ALL.iter().copied().filter(|status| !status.is_finished()) {
                    total += self.cancel_members(flow, status, &reason).await?;
                }
                if total == before {
                    break;
                }
            }
            self.0.advance_if_any([flow].into()).await;
            Ok(total)
        })
    }

    fn reopen(&self, flow: FlowId) -> BoxFuture<'_, Result<bool, FlowError>> {
        Box::pin(async move {
            let had_ended = self.0.limited(WHAT, self.0.change(flow, |stored| Ok(stored.reopen()))).await??;
            self.0.advance_if_any([flow].into()).await;
            Ok(had_ended)
        })
    }

    fn members(
        &self,
        flow: FlowId,
        status: JobStatus,
        after: Option<JobId>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<(JobId, ExecutorName)>>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let work = async move {
            let mut session = self.0.session().await?;
            let members = self.0.list_members(&mut session, flow, status, after, limit).await?;
            session.end().await?;
            Ok(members)
        };
        Box::pin(self.0.limited("could not read the jobs of a batch", work))
    }

    fn sweep_flows(&self) -> BoxFuture<'_, Result<usize>> {
        const WHAT: &str = "could not look for batches that have finished";
        let forget = async {
            let mut session = self.0.session().await?;
            self.0.query(&self.0.queries.forget_bare_flows).bind(self.0.now()).execute(&mut *session).await?;
            session.end().await
        };
        let page = async |last: i64| {
            let mut session = self.0.session().await?;
            let sweep = self.0.query(&self.0.queries.sweep_flows).bind(BATCH).bind(last);
            let rows = sweep.fetch_all(&mut *session).await?;
            session.end().await?;
            let flows = rows.iter().map(|row| row.try_get("id").map(FlowId)).collect::<sqlx::Result<Vec<_>>>()?;
            Ok((flows.clone(), self.0.advance(flows).await?))
        };
        Box::pin(async move {
            self.0.limited(WHAT, forget).await?;
            // All of them: those that are looked at again and again, whatever their jobs do, keep no other from being found.
            let (mut last, mut count) = (i64::MIN, 0);
            loop {
                let (flows, woken) = self.0.limited(WHAT, page(last)).await?;
                self.0.wake(woken);
                count += flows.len();
                match flows.last() {
                    Some(flow) if i64::try_from(flows.len()).is_ok_and(|length| length == BATCH) => last = flow.0,
                    _ => return Ok(count),
                }
            }
        })
    }
}

impl PgBackend {
    /// Cancels the jobs of a flow that have this status; returns how many.
    async fn cancel_members(&self, flow: FlowId, status: JobStatus, reason: &str) -> Result<usize> {
        let (mut total, mut last) = (0, None);
        loop {
            let work = async {
                let mut transaction = self.0.begin().await?;
                let page = self.0.list_members(&mut transaction, flow, status, last, BATCH).await?;
                let ids = page.iter().map(|(id, _)| id.as_i64()).collect();
                let locked = self.0.lock_states(&mut transaction, ids).await?;
                let (mut jobs, now) = (locked.jobs, locked.now);
                jobs.retain_mut(|job| {
                    let is_new = !job.marks.contains(Marks::STOPPING);
                    is_new && now.is_some_and(|now| lifecycle::cancel(job, reason.to_owned(), now).is_ok())
                });
                let ended = self.0.store_states(&mut transaction, &jobs).await?;
                transaction.commit().await?;
                Ok((page, jobs, ended))
            };
            let (page, jobs, ended) = self.0.limited(WHAT, work).await?;
            self.0.tell_ends(&ended);
            for job in &jobs {
                self.0.listeners.each(|wakeup| wakeup.cancel(job.id));
                let _ = self.0.tell(BTreeSet::new(), Some(job.id), &[]);
            }
            // Those behind them in a line may start.
            self.0.wake(jobs.iter().filter(|job| job.extras.order.is_some()).map(|job| job.executor.clone()).collect());
            total += jobs.len();
            last = page.last().map(|(id, _)| *id);
            if i64::try_from(page.len()).is_ok_and(|length| length < BATCH) {
                return Ok(total);
            }
        }
    }
}

impl Database {
    /// Inserts jobs of a flow that is locked, or new.
    pub(super) async fn insert_members(
        &self,
        connection: &mut PgConnection,
        flow: FlowId,
        jobs: Vec<NewJob>,
        progress: &Progress,
    ) -> sqlx::Result<Inserted> {
        let mut woken = executors(&jobs);
        let answers = self.insert(connection, members_of(flow, jobs), progress).await?;
        if answers.iter().all(|answer| answer.is_duplicate()) {
            woken.extend(self.advance_locked(connection, vec![flow]).await?);
        }
        Ok((answers, woken))
    }

    /// Locks a flow that takes jobs.
    pub(super) async fn lock_open(
        &self,
        connection: &mut PgConnection,
        flow: FlowId,
    ) -> sqlx::Result<Result<(), FlowError>> {
        let (locked, _) = self.lock_flows(connection, vec![flow]).await?;
        Ok(locked.first().ok_or(FlowError::NotFound(flow)).and_then(|locked| locked.state.flow.check_open(flow)))
    }

    /// Decides about these flows, if there is anything to decide. What fails is found by a sweep: the ends of the jobs are stored.
    pub(super) async fn advance_if_any(self: &Arc<Self>, flows: BTreeSet<FlowId>) {
        if flows.is_empty() {
            return;
        }
        let work = async {
            let ids: Vec<i64> = flows.iter().map(|flow| flow.0).collect();
            let mut session = self.session().await?;
            let rows = self.query(&self.queries.find_ended_flows).bind(ids).fetch_all(&mut *session).await?;
            session.end().await?;
            let flows = rows.iter().map(|row| row.try_get("id").map(FlowId)).collect::<sqlx::Result<Vec<_>>>()?;
            self.advance(flows).await
        };
        match self.limited(WHAT, work).await {
            Ok(woken) => self.wake(woken),
            Err(error) => tracing::debug!(
                error = &error as &dyn std::error::Error,
                "whether batches have finished is decided by a later look"
            ),
        }
    }

    /// Decides about flows in a transaction of its own; gives whom that wakes.
    async fn advance(&self, flows: Vec<FlowId>) -> sqlx::Result<BTreeSet<ExecutorName>> {
        if flows.is_empty() {
            return Ok(BTreeSet::new());
        }
        let mut transaction = self.begin().await?;
        let woken = self.advance_locked(&mut transaction, flows).await?;
        transaction.commit().await?;
        Ok(woken)
    }

    async fn advance_locked(
        &self,
        connection: &mut PgConnection,
        flows: Vec<FlowId>,
    ) -> sqlx::Result<BTreeSet<ExecutorName>> {
        let (mut locked, now) = self.lock_flows(connection, flows).await?;
        locked.retain(|locked| locked.state.flow.finished_at().is_none());
        self.count(connection, &mut locked).await?;
        let (mut jobs, mut woken) = (Vec::new(), BTreeSet::new());
        for FlowRow { mut state, gone } in locked {
            let Some(now) = now else { continue };
            let before = state.flow.clone();
            jobs.extend(state.advance(now));
            if state.flow != before {
                let is_bare = i64::try_from(state.counts.total()).is_ok_and(|total| total == gone);
                self.store_flow(connection, state.id, &state.flow, is_bare).await?;
            }
            woken.extend(state.flow.finished_at().map(|_| Scope::FLOWS_NAME));
        }
        self.insert_rows(connection, &jobs, &Progress::default()).await?;
        woken.extend(executors(&jobs));
        Ok(woken)
    }

    async fn change<T>(
        &self,
        flow: FlowId,
        change: impl FnOnce(&mut StoredFlow) -> Result<T, FlowError>,
    ) -> sqlx::Result<Result<T, FlowError>> {
        let mut transaction = self.begin().await?;
        let (locked, _) = self.lock_flows(&mut transaction, vec![flow]).await?;
        let Some(FlowRow { mut state, .. }) = locked.into_iter().next() else {
            transaction.rollback().await?;
            return Ok(Err(FlowError::NotFound(flow)));
        };
        let answer = change(&mut state.flow);
        match answer.is_ok() {
            true => {
                self.store_flow(&mut transaction, flow, &state.flow, false).await?;
                transaction.commit().await?;
            }
            false => transaction.rollback().await?,
        }
        Ok(answer)
    }
}
