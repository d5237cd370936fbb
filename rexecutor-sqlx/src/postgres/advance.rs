//! Going on with flows whose jobs have ended: telling tasks, and deciding whether all is over.

use std::{collections::BTreeSet, sync::Arc};

use rexecutor::{
    backend::{
        Marks, Result, Scope,
        flows::{FlowEnds, StoredFlow},
        lifecycle,
    },
    job::{ExecutorName, FlowId, JobStatus},
};
use sqlx::{PgConnection, Row};

use super::{
    backend::Database,
    enqueue::executors,
    flow_rows::FlowRow,
    flows::{BATCH, WHAT},
    session::Progress,
    tasks::Told,
};

impl Database {
    /// Cancels the jobs of a flow that have not ended; returns how many.
    pub(super) async fn cancel_members(self: &Arc<Self>, flow: FlowId, reason: &str) -> Result<usize> {
        let mut total = 0;
        // Jobs may move from one status to the next while others are cancelled.
        loop {
            let before = total;
            for status in JobStatus::ALL.iter().copied().filter(|status| !status.is_finished()) {
                total += self.cancel_members_in(flow, status, reason).await?;
            }
            if total == before {
                return Ok(total);
            }
        }
    }

    async fn cancel_members_in(self: &Arc<Self>, flow: FlowId, status: JobStatus, reason: &str) -> Result<usize> {
        let (mut total, mut last) = (0, None);
        loop {
            let work = async {
                let mut transaction = self.begin().await?;
                let page = self.list_members(&mut transaction, flow, status, last, BATCH).await?;
                let ids = page.iter().map(|(id, _)| id.as_i64()).collect();
                let locked = self.lock_states(&mut transaction, ids).await?;
                let (mut jobs, now) = (locked.jobs, locked.now);
                jobs.retain_mut(|job| {
                    let is_new = !job.marks.contains(Marks::STOPPING);
                    is_new && now.is_some_and(|now| lifecycle::cancel(job, reason.to_owned(), now).is_ok())
                });
                let ended = self.store_states(&mut transaction, &jobs).await?;
                transaction.commit().await?;
                Ok((page, jobs, ended))
            };
            let (page, jobs, ended) = self.limited(WHAT, work).await?;
            self.tell_ends(&ended);
            for job in &jobs {
                self.listeners.each(|wakeup| wakeup.cancel(job.id));
                let _ = self.tell(BTreeSet::new(), Some(job.id), &[]);
            }
            // Those behind them in a line may start.
            self.wake(jobs.iter().filter(|job| job.extras.order.is_some()).map(|job| job.executor.clone()).collect());
            total += jobs.len();
            last = page.last().map(|(id, _)| *id);
            if i64::try_from(page.len()).is_ok_and(|length| length < BATCH) {
                return Ok(total);
            }
        }
    }
}

impl Database {
    /// Decides about these flows, if there is anything to decide. What fails is found by a sweep: the ends of the jobs are stored.
    pub(super) async fn advance_if_any(self: &Arc<Self>, ends: FlowEnds) {
        if ends.is_empty() {
            return;
        }
        if let Err(error) = self.advance_ends(ends).await {
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "whether batches and workflows go on or have finished is decided by a later look"
            );
        }
    }

    async fn advance_ends(self: &Arc<Self>, ends: FlowEnds) -> Result<()> {
        let FlowEnds { flows, tasks } = ends;
        let jobs = tasks.iter().map(|(_, job)| job.as_i64()).collect();
        let of_tasks: BTreeSet<FlowId> = tasks.iter().map(|(flow, _)| *flow).collect();
        self.tell_all_tasks(of_tasks.into_iter().collect(), jobs).await?;
        let work = async {
            let ids: Vec<i64> = flows.iter().map(|flow| flow.0).collect();
            let mut session = self.session().await?;
            let rows = self.query(&self.queries.find_ended_flows).bind(ids).fetch_all(&mut *session).await?;
            session.end().await?;
            let flows = rows.iter().map(|row| row.try_get("id").map(FlowId)).collect::<sqlx::Result<Vec<_>>>()?;
            self.advance(flows).await
        };
        self.wake(self.limited(WHAT, work).await?);
        Ok(())
    }

    /// Tells that these jobs of these flows have ended, if they are tasks, and whatever ends by that.
    async fn tell_all_tasks(self: &Arc<Self>, flows: Vec<FlowId>, mut jobs: Vec<i64>) -> Result<()> {
        while !jobs.is_empty() {
            let Told { woken, ended, failed, rest } = self.limited(WHAT, self.tell_tasks(flows.clone(), jobs)).await?;
            self.wake(woken);
            self.tell_ends(&ended);
            for (flow, reason) in failed {
                self.cancel_members(flow, &reason).await?;
            }
            jobs = rest;
        }
        Ok(())
    }

    /// Tells and cancels what a process that died has left.
    pub(super) async fn finish_flows(self: &Arc<Self>, watched: &[(FlowId, i32)]) -> Result<()> {
        let those = |mark| {
            let those = watched.iter().filter(move |(_, watches)| watches & mark != 0);
            those.map(|(flow, _)| *flow).collect::<Vec<_>>()
        };
        let with_tasks = those(StoredFlow::WATCHES_TASKS);
        while !with_tasks.is_empty() {
            let jobs = self.limited(WHAT, self.untold_tasks(&with_tasks)).await?;
            if jobs.is_empty() {
                break;
            }
            self.tell_all_tasks(with_tasks.clone(), jobs).await?;
        }
        for flow in those(StoredFlow::WATCHES_CANCEL) {
            let work = async {
                let mut session = self.session().await?;
                let found = self.find_flow(&mut session, flow).await?;
                session.end().await?;
                Ok(found)
            };
            let found = self.limited(WHAT, work).await?;
            if let Some(reason) = found.as_ref().and_then(|state| state.flow.cancelled()) {
                self.cancel_members(flow, reason).await?;
            }
        }
        Ok(())
    }

    /// Decides about flows in a transaction of its own; gives whom that wakes.
    pub(super) async fn advance(&self, flows: Vec<FlowId>) -> sqlx::Result<BTreeSet<ExecutorName>> {
        if flows.is_empty() {
            return Ok(BTreeSet::new());
        }
        let mut transaction = self.begin().await?;
        let woken = self.advance_locked(&mut transaction, flows).await?;
        transaction.commit().await?;
        Ok(woken)
    }

    pub(super) async fn advance_locked(
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
                let has_ended = state.flow.finished_at().is_some() && state.flow.has_tasks();
                let gone = if has_ended { gone + self.delete_fleeting(connection, state.id).await? } else { gone };
                let is_bare = i64::try_from(state.counts.total()).is_ok_and(|total| total == gone);
                self.store_flow(connection, state.id, &state.flow, is_bare).await?;
            }
            woken.extend(state.flow.finished_at().map(|_| Scope::FLOWS_NAME));
        }
        self.insert_rows(connection, &jobs, &Progress::default()).await?;
        woken.extend(executors(&jobs));
        Ok(woken)
    }
}
