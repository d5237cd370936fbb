//! Flows. Whatever ends jobs of a flow decides about it in the same transaction: there is no other that writes at the same time.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::BoxFuture;
use rexecutor::{
    TimeDelta,
    backend::{
        Enqueued, JobRow, Marks, NewJob, Result, Scope,
        flows::{
            Created, FlowEnds, FlowError, FlowState, Flows, FlowsPage, FlowsRequest, GraphError, Placed, StoredFlow,
            TaskRow, UpstreamTask, names_of, place, taken_names,
        },
        lifecycle,
    },
    job::{ExecutorName, FlowId, JobId, JobStatus},
};
use sqlx::SqliteConnection;

use super::{
    backend::SqliteBackend,
    core::{Commit, Core},
    flow_list,
    flow_rows::{find, find_row, members, put},
    queries,
    row::micros,
    script::json,
    store, task_rows, tasks,
    work::Work,
    write,
};

/// How many flows one look decides about, and how many jobs are cancelled in one transaction.
const BATCH: i64 = 500;

/// How long a flow is kept that has no jobs any more.
const BARE: TimeDelta = TimeDelta::days(7);

impl Flows for SqliteBackend {
    fn create(&self, flow: StoredFlow, jobs: Vec<NewJob>) -> BoxFuture<'_, Result<Created, FlowError>> {
        Box::pin(async move {
            self.take_places(&jobs).await?;
            let placed = placed(jobs)?;
            let step = async move |work: &mut Work<'_>| create(work, &flow, placed).await;
            Ok(self.0.writer.write(Commit::Promise, step).await?)
        })
    }

    fn add(&self, flow: FlowId, jobs: Vec<NewJob>) -> BoxFuture<'_, Result<Vec<Enqueued>, FlowError>> {
        Box::pin(async move {
            self.take_places(&jobs).await?;
            let step = async move |work: &mut Work<'_>| add(work, flow, jobs).await;
            self.0.writer.write(Commit::Promise, step).await?
        })
    }

    fn find(&self, flow: FlowId) -> BoxFuture<'_, Result<Option<FlowState>>> {
        let look = async move |core: &mut Core| Ok(find(&mut core.conn, flow).await?.map(|(state, _)| state));
        Box::pin(self.0.writer.run(look))
    }

    fn list_flows<'a>(&'a self, request: &'a FlowsRequest) -> BoxFuture<'a, Result<FlowsPage>> {
        let request = request.clone();
        Box::pin(self.look(async move |conn: &mut SqliteConnection, now| flow_list::list(conn, &request, now).await))
    }

    fn cancel_flow(&self, flow: FlowId, reason: String) -> BoxFuture<'_, Result<usize, FlowError>> {
        Box::pin(async move {
            let stored = reason.clone();
            let cancel = async move |work: &mut Work<'_>| change(work, flow, |known| known.cancel(flow, stored)).await;
            self.0.writer.write(Commit::Promise, cancel).await??;
            let mut total = 0;
            // Jobs may move from one status to the next while others are cancelled.
            loop {
                let before = total;
                for status in JobStatus::ALL.iter().copied().filter(|status| !status.is_finished()) {
                    total += self.cancel_members(flow, status, &reason).await?;
                }
                if total == before {
                    return Ok(total);
                }
            }
        })
    }

    fn reopen(&self, flow: FlowId) -> BoxFuture<'_, Result<bool, FlowError>> {
        let step = async move |work: &mut Work<'_>| change(work, flow, |known| Ok(known.reopen())).await;
        Box::pin(async move { self.0.writer.write(Commit::Promise, step).await? })
    }

    fn members(
        &self,
        flow: FlowId,
        status: JobStatus,
        after: Option<JobId>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<(JobId, ExecutorName)>>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let look = async move |core: &mut Core| members(&mut core.conn, flow, status, after, limit).await;
        Box::pin(self.0.writer.run(look))
    }

    fn upstream(&self, task: JobId) -> BoxFuture<'_, Result<Vec<UpstreamTask>>> {
        let look = async move |core: &mut Core| task_rows::upstream(&mut core.conn, task).await;
        Box::pin(self.0.writer.run(look))
    }

    fn tasks(&self, flow: FlowId, after: Option<JobId>, limit: usize) -> BoxFuture<'_, Result<Vec<TaskRow>>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let look = async move |core: &mut Core| task_rows::list(&mut core.conn, flow, after, limit).await;
        Box::pin(self.0.writer.run(look))
    }

    fn find_task(&self, flow: FlowId, name: String) -> BoxFuture<'_, Result<Option<UpstreamTask>>> {
        let look = async move |core: &mut Core| task_rows::find(&mut core.conn, flow, &name).await;
        Box::pin(self.0.writer.run(look))
    }

    fn skip_task(&self, flow: FlowId, task: String, reason: String) -> BoxFuture<'_, Result<(), FlowError>> {
        let step = async move |work: &mut Work<'_>| tasks::skip(work, flow, task, reason).await;
        Box::pin(async move { self.0.writer.write(Commit::Promise, step).await? })
    }

    fn retry_tasks(&self, flow: FlowId) -> BoxFuture<'_, Result<usize, FlowError>> {
        let step = async move |work: &mut Work<'_>| tasks::retry_failed(work, flow).await;
        Box::pin(async move { self.0.writer.write(Commit::Promise, step).await? })
    }

    fn sweep_flows(&self) -> BoxFuture<'_, Result<usize>> {
        let page = |last: i64| {
            async move |work: &mut Work<'_>| {
                if let Some(before) = work.now.checked_sub_signed(BARE) {
                    let forget = sqlx::query(queries::forget_bare_flows()).bind(micros(before));
                    forget.execute(&mut *work.conn).await?;
                }
                let watched = sqlx::query_as::<_, (i64, i32)>(queries::sweep_flows()).bind(BATCH).bind(last);
                let mut flows = Vec::new();
                for (flow, watches) in watched.fetch_all(&mut *work.conn).await? {
                    tasks::finish(work, FlowId(flow), watches).await?;
                    advance(work, FlowId(flow)).await?;
                    flows.push(flow);
                }
                Ok(flows)
            }
        };
        Box::pin(async move {
            // All of them: those that are looked at again and again, whatever their jobs do, keep no other from being found.
            let (mut last, mut count) = (i64::MIN, 0);
            loop {
                let flows = self.0.writer.write(Commit::Progress, page(last)).await?;
                count += flows.len();
                match flows.last() {
                    Some(flow) if i64::try_from(flows.len()).is_ok_and(|length| length == BATCH) => last = *flow,
                    _ => return Ok(count),
                }
            }
        })
    }
}

impl SqliteBackend {
    /// Cancels the jobs of a flow that have this status; returns how many.
    async fn cancel_members(&self, flow: FlowId, status: JobStatus, reason: &str) -> Result<usize> {
        let (mut total, mut last) = (0, None);
        loop {
            let reason = reason.to_owned();
            let step = async move |work: &mut Work<'_>| {
                let (jobs, ids) = cancel_page(work, flow, status, last, &reason).await?;
                advance_if_any(work, FlowEnds::of(&jobs)).await?;
                Ok((jobs.len(), ids))
            };
            let (count, ids) = self.0.writer.write(Commit::Promise, step).await?;
            total += count;
            last = ids.last().copied();
            if i64::try_from(ids.len()).is_ok_and(|length| length < BATCH) {
                return Ok(total);
            }
        }
    }
}

/// Cancels some jobs of a flow that have this status; gives these, and which were looked at.
pub(super) async fn cancel_page(
    work: &mut Work<'_>,
    flow: FlowId,
    status: JobStatus,
    after: Option<JobId>,
    reason: &str,
) -> sqlx::Result<(Vec<JobRow>, Vec<JobId>)> {
    let page = members(work.conn, flow, status, after, BATCH).await?;
    let ids: Vec<JobId> = page.iter().map(|(id, _)| *id).collect();
    let now = work.now;
    let mut jobs = write::lock(work, &ids).await?;
    jobs.retain_mut(|job| {
        let is_new = !job.marks.contains(Marks::STOPPING);
        is_new && lifecycle::cancel(job, reason.to_owned(), now).is_ok()
    });
    work.cancelled.extend(jobs.iter().map(|job| job.id));
    // Those behind them in a line may start.
    let in_line = jobs.iter().filter(|job| job.extras.order.is_some());
    work.due.extend(in_line.map(|job| job.executor.clone()));
    write::store_states(work, &jobs).await?;
    Ok((jobs, ids))
}

/// The jobs of a flow that is new, whose number is not known yet, and the places of those that are tasks.
pub(super) fn placed(jobs: Vec<NewJob>) -> Result<Placed, GraphError> {
    place(FlowId(0), jobs, &[], &[])
}

pub(super) async fn create(work: &mut Work<'_>, flow: &StoredFlow, placed: Placed) -> sqlx::Result<Created> {
    let insert = sqlx::query(queries::insert_flow()).bind(micros(work.now)).bind(flow.watches()).bind(flow.encode());
    let id = FlowId(insert.execute(&mut *work.conn).await?.last_insert_rowid());
    Ok(Created::new(id, insert_members(work, id, placed).await?))
}

pub(super) async fn add(
    work: &mut Work<'_>,
    flow: FlowId,
    jobs: Vec<NewJob>,
) -> sqlx::Result<Result<Vec<Enqueued>, FlowError>> {
    let found = find_row(work.conn, flow).await?.ok_or(FlowError::NotFound(flow.into()));
    let mut stored = match found.and_then(|(state, _)| state.flow.check_open(flow).map(|()| state.flow)) {
        Ok(stored) => stored,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let known = task_rows::known(work.conn, flow, &names_of(&jobs)).await?;
    let taken = task_rows::taken(work.conn, flow, &taken_names(&jobs, &known)).await?;
    let placed = match place(flow, jobs, &known, &taken) {
        Ok(placed) => placed,
        Err(refusal) => return Ok(Err(refusal.into())),
    };
    if !placed.tasks.is_empty() && !stored.has_tasks() {
        stored.add_tasks();
        put(work, flow, &stored, false).await?;
    }
    insert_members(work, flow, placed).await.map(Ok)
}

async fn insert_members(work: &mut Work<'_>, flow: FlowId, placed: Placed) -> sqlx::Result<Vec<Enqueued>> {
    let Placed { jobs, tasks, existing, .. } = placed;
    let jobs: Vec<NewJob> = jobs.into_iter().map(|job| job.with_flow(flow)).collect();
    let answers = store::store_open(work, &jobs.iter().collect::<Vec<_>>()).await?;
    if !tasks.is_empty() {
        let ids: Vec<JobId> = answers.iter().map(|answer| answer.id()).collect();
        let ended = tasks::insert(work, flow, &tasks, &ids).await?;
        tasks::tell(work, ended).await?;
    }
    if answers.iter().all(|answer| answer.is_duplicate()) {
        advance(work, flow).await?;
    }
    Ok(Placed::answers(&existing, answers))
}

async fn change<T>(
    work: &mut Work<'_>,
    flow: FlowId,
    change: impl FnOnce(&mut StoredFlow) -> Result<T, FlowError>,
) -> sqlx::Result<Result<T, FlowError>> {
    let Some((mut state, _)) = find_row(work.conn, flow).await? else {
        return Ok(Err(FlowError::NotFound(flow.into())));
    };
    let answer = change(&mut state.flow);
    if answer.is_ok() {
        put(work, flow, &state.flow, false).await?;
        advance(work, flow).await?;
    }
    Ok(answer)
}

/// Decides about these flows, if there is anything to decide.
pub(super) async fn advance_if_any(work: &mut Work<'_>, ends: FlowEnds) -> sqlx::Result<()> {
    if ends.is_empty() {
        return Ok(());
    }
    tasks::tell(work, ends.tasks.iter().map(|(_, job)| job.as_i64()).collect()).await?;
    let ids: Vec<i64> = ends.flows.into_iter().map(|flow| flow.0).collect();
    let find = sqlx::query_scalar::<_, i64>(queries::find_ended_flows()).bind(json(&ids)?);
    for flow in find.fetch_all(&mut *work.conn).await? {
        advance(work, FlowId(flow)).await?;
    }
    Ok(())
}

async fn advance(work: &mut Work<'_>, flow: FlowId) -> sqlx::Result<()> {
    let Some((mut state, gone)) = find(work.conn, flow).await? else { return Ok(()) };
    if state.flow.finished_at().is_some() {
        return Ok(());
    }
    let before = state.flow.clone();
    let jobs = state.advance(work.now);
    if state.flow != before {
        let has_ended = state.flow.finished_at().is_some() && state.flow.has_tasks();
        let gone = if has_ended { gone + tasks::delete_fleeting(work, flow).await? } else { gone };
        put(work, flow, &state.flow, state.counts.total() == gone).await?;
    }
    work.due.extend(state.flow.finished_at().map(|_| Scope::FLOWS_NAME));
    if !jobs.is_empty() {
        store::store_open(work, &jobs.iter().collect::<Vec<_>>()).await?;
    }
    Ok(())
}

/// Counts jobs that are complete and are about to be deleted, in their flows.
pub(super) async fn count_as_gone(work: &mut Work<'_>, jobs: &[JobRow]) -> sqlx::Result<()> {
    let mut gone: BTreeMap<i64, i64> = BTreeMap::new();
    for flow in jobs.iter().filter_map(|job| job.extras.flow) {
        *gone.entry(flow.0).or_default() += 1;
    }
    for (flow, jobs) in gone {
        sqlx::query(queries::add_gone()).bind(flow).bind(jobs).execute(&mut *work.conn).await?;
    }
    Ok(())
}

/// Forgets those of these flows that have ended and have no jobs any more.
pub(super) async fn forget(work: &mut Work<'_>, flows: BTreeSet<i64>) -> sqlx::Result<()> {
    if flows.is_empty() {
        return Ok(());
    }
    sqlx::query(queries::forget_flows()).bind(json(&flows)?).execute(&mut *work.conn).await.map(drop)
}
