//! Flows.
//!
//! # Invariant
//!
//! - Whoever decides about a flow, or adds jobs to it, locks its row in a statement of its own before: one that had waited for the lock
//!   itself would count the jobs with the snapshot from before.

use std::sync::Arc;

use futures::future::BoxFuture;
use rexecutor::{
    backend::{
        Enqueued, NewJob, Result,
        flows::{
            Created, FlowEnds, FlowError, FlowState, Flows, FlowsPage, FlowsRequest, GraphError, Placed, StoredFlow,
            TaskRow, UpstreamTask, names_of, place, taken_names,
        },
        lifecycle,
    },
    job::{ExecutorName, FlowId, JobId, JobStatus},
};
use sqlx::{PgConnection, Row, postgres::PgRow};

use super::{
    backend::{Database, PgBackend},
    flow_rows::FlowRow,
    session::Progress,
    tasks::Told,
};
use crate::common::is_skipped;

/// How many flows are decided about in one transaction, and how many jobs are cancelled in one.
pub(super) const BATCH: i64 = 500;

pub(super) const WHAT: &str = "could not change a batch";

const READ_TASKS: &str = "could not read the tasks of a workflow";

/// What became of jobs that were added, and what comes of that.
pub(super) type Inserted = Result<(Vec<Enqueued>, Told), GraphError>;

impl Flows for PgBackend {
    fn create(&self, flow: StoredFlow, jobs: Vec<NewJob>) -> BoxFuture<'_, Result<Created, FlowError>> {
        Box::pin(async move {
            self.take_places(&jobs).await?;
            let progress = Progress::default();
            let work = async {
                let _turn = self.0.may_wait_for_keys(&jobs).await?;
                let mut transaction = self.0.begin().await?;
                let id = self.0.insert_flow(&mut transaction, &flow).await?;
                let inserted = self.0.insert_members(&mut transaction, id, None, jobs, &progress).await?;
                match inserted {
                    Ok(_) => transaction.commit().await?,
                    Err(_) => transaction.rollback().await?,
                }
                Ok((id, inserted))
            };
            let (id, inserted) = self.0.limited_by(&progress, "could not store a batch", work).await?;
            let (answers, told) = inserted?;
            self.0.wake_for(told).await;
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
                let stored = match self.0.lock_open(&mut transaction, flow).await? {
                    Ok(stored) => stored,
                    Err(refusal) => {
                        transaction.rollback().await?;
                        return Ok(Err(refusal));
                    }
                };
                let inserted = self.0.insert_members(&mut transaction, flow, Some(stored), jobs, &progress).await?;
                match inserted {
                    Ok(_) => transaction.commit().await?,
                    Err(_) => transaction.rollback().await?,
                }
                Ok(inserted.map_err(FlowError::from))
            };
            let (answers, told) = self.0.limited_by(&progress, "could not add jobs to a batch", work).await??;
            let rest = told.rest.iter().map(|job| (flow, JobId::from(*job))).collect();
            self.0.wake_for(told).await;
            self.0.advance_if_any(FlowEnds { flows: [flow].into(), tasks: rest }).await;
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

    fn list_flows<'a>(&'a self, request: &'a FlowsRequest) -> BoxFuture<'a, Result<FlowsPage>> {
        Box::pin(self.0.limited("could not list batches", self.0.list_flows(request)))
    }

    fn cancel_flow(&self, flow: FlowId, reason: String) -> BoxFuture<'_, Result<usize, FlowError>> {
        Box::pin(async move {
            let change = |stored: &mut StoredFlow| stored.cancel(flow, reason.clone());
            self.0.limited(WHAT, self.0.change(flow, change)).await??;
            let total = self.0.cancel_members(flow, &reason).await?;
            self.0.advance_if_any(flow.into()).await;
            Ok(total)
        })
    }

    fn reopen(&self, flow: FlowId) -> BoxFuture<'_, Result<bool, FlowError>> {
        Box::pin(async move {
            let had_ended = self.0.limited(WHAT, self.0.change(flow, |stored| Ok(stored.reopen()))).await??;
            self.0.advance_if_any(flow.into()).await;
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

    fn upstream(&self, task: JobId) -> BoxFuture<'_, Result<Vec<UpstreamTask>>> {
        Box::pin(self.0.limited(READ_TASKS, self.0.list_upstream(task)))
    }

    fn tasks(&self, flow: FlowId, after: Option<JobId>, limit: usize) -> BoxFuture<'_, Result<Vec<TaskRow>>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let work = async move {
            let mut session = self.0.session().await?;
            let tasks = self.0.list_tasks(&mut session, flow, after, limit).await?;
            session.end().await?;
            Ok(tasks)
        };
        Box::pin(self.0.limited(READ_TASKS, work))
    }

    fn find_task(&self, flow: FlowId, name: String) -> BoxFuture<'_, Result<Option<UpstreamTask>>> {
        Box::pin(async move { self.0.limited(READ_TASKS, self.0.find_task(flow, &name)).await })
    }

    fn skip_task(&self, flow: FlowId, task: String, reason: String) -> BoxFuture<'_, Result<(), FlowError>> {
        Box::pin(async move {
            let skipped = self.0.limited(WHAT, self.0.skip_task(flow, task, reason)).await??;
            self.0.tell_ends(&skipped.1);
            self.0.advance_if_any(FlowEnds { flows: [flow].into(), tasks: [(flow, skipped.0)].into() }).await;
            Ok(())
        })
    }

    fn retry_tasks(&self, flow: FlowId) -> BoxFuture<'_, Result<usize, FlowError>> {
        Box::pin(async move {
            let (count, woken, ends) = self.0.limited(WHAT, self.0.retry_tasks(flow)).await??;
            self.0.wake_and_tell(woken).await;
            self.0.advance_if_any(ends).await;
            Ok(count)
        })
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
            let watched = |row: &PgRow| Ok((FlowId(row.try_get("id")?), row.try_get::<i32, _>("watches")?));
            rows.iter().map(watched).collect::<sqlx::Result<Vec<_>>>()
        };
        Box::pin(async move {
            self.0.limited(WHAT, forget).await?;
            // All of them: those that are looked at again and again, whatever their jobs do, keep no other from being found.
            let (mut last, mut count) = (i64::MIN, 0);
            loop {
                let watched = self.0.limited(WHAT, page(last)).await?;
                self.0.finish_flows(&watched).await?;
                let flows: Vec<FlowId> = watched.iter().map(|(flow, _)| *flow).collect();
                self.0.wake(self.0.limited(WHAT, self.0.advance(flows)).await?);
                count += watched.len();
                match watched.last() {
                    Some((flow, _)) if i64::try_from(watched.len()).is_ok_and(|length| length == BATCH) => {
                        last = flow.0
                    }
                    _ => return Ok(count),
                }
            }
        })
    }
}

impl Database {
    /// Inserts jobs of a flow that is locked, or new.
    pub(super) async fn insert_members(
        &self,
        connection: &mut PgConnection,
        flow: FlowId,
        stored: Option<StoredFlow>,
        jobs: Vec<NewJob>,
        progress: &Progress,
    ) -> sqlx::Result<Inserted> {
        // A flow that is new has no tasks yet.
        let known = match stored {
            Some(_) => self.known_tasks(connection, flow, names_of(&jobs)).await?,
            None => Vec::new(),
        };
        let taken = self.taken_tasks(connection, flow, taken_names(&jobs, &known)).await?;
        let Placed { jobs, tasks, existing, .. } = match place(flow, jobs, &known, &taken) {
            Ok(placed) => placed,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let due = jobs.iter().filter(|job| !job.blocked);
        let mut told = Told { woken: due.map(|job| job.executor.clone()).collect(), ..Told::default() };
        let answers = self.insert(connection, jobs, progress).await?;
        if !tasks.is_empty() {
            if let Some(mut stored) = stored.filter(|stored| !stored.has_tasks()) {
                stored.add_tasks();
                self.store_flow(connection, flow, &stored, false).await?;
            }
            let ids: Vec<JobId> = answers.iter().map(|answer| answer.id()).collect();
            let Told { woken, ended, rest, .. } = self.insert_tasks(connection, flow, &tasks, &ids).await?;
            told.woken.extend(woken);
            (told.ended, told.rest) = (ended, rest);
        }
        if answers.iter().all(|answer| answer.is_duplicate()) {
            told.woken.extend(self.advance_locked(connection, vec![flow]).await?);
        }
        Ok(Ok((Placed::answers(&existing, answers), told)))
    }

    /// Wakes whom it wakes, once it is committed.
    async fn wake_for(self: &Arc<Self>, told: Told) {
        self.wake_and_tell(told.woken).await;
        self.tell_ends(&told.ended);
    }

    /// Locks a flow that takes jobs.
    pub(super) async fn lock_open(
        &self,
        connection: &mut PgConnection,
        flow: FlowId,
    ) -> sqlx::Result<Result<StoredFlow, FlowError>> {
        self.lock_if(connection, flow, StoredFlow::check_open).await
    }

    async fn lock_if(
        &self,
        connection: &mut PgConnection,
        flow: FlowId,
        check: fn(&StoredFlow, FlowId) -> Result<(), FlowError>,
    ) -> sqlx::Result<Result<StoredFlow, FlowError>> {
        let (locked, _) = self.lock_flows(connection, vec![flow]).await?;
        let found = locked.into_iter().next().ok_or(FlowError::NotFound(flow.into()));
        Ok(found.and_then(|locked| check(&locked.state.flow, flow).map(|()| locked.state.flow)))
    }

    /// Skips a task that has not begun; gives its job, and whom to tell that it has ended.
    async fn skip_task(
        &self,
        flow: FlowId,
        name: String,
        reason: String,
    ) -> sqlx::Result<Result<(JobId, Vec<JobId>), FlowError>> {
        let mut transaction = self.begin().await?;
        let refusal = match self.lock_if(&mut transaction, flow, StoredFlow::check_running).await? {
            Err(refusal) => refusal,
            Ok(_) => {
                let known = self.known_tasks(&mut transaction, flow, vec![name.clone()]).await?;
                match known.first() {
                    None => FlowError::NoTask(flow, name),
                    Some(task) => {
                        let locked = self.lock_states(&mut transaction, vec![task.job.as_i64()]).await?;
                        let (mut jobs, now) = (locked.jobs, locked.now);
                        if jobs.iter().any(is_skipped) {
                            transaction.rollback().await?;
                            return Ok(Ok((task.job, Vec::new())));
                        }
                        jobs.retain_mut(|job| now.is_some_and(|now| lifecycle::skip(job, reason.clone(), now).is_ok()));
                        if !jobs.is_empty() {
                            let ended = self.store_states(&mut transaction, &jobs).await?;
                            transaction.commit().await?;
                            return Ok(Ok((task.job, ended)));
                        }
                        FlowError::Begun(flow, name)
                    }
                }
            }
        };
        transaction.rollback().await?;
        Ok(Err(refusal))
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
            return Ok(Err(FlowError::NotFound(flow.into())));
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
