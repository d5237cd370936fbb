//! Flows.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::BoxFuture;

use super::{backend::InMemoryBackend, roles::ready, store::Store};
use crate::{
    backend::{
        flows::{
            Created, FlowError, FlowState, Flows, FlowsPage, FlowsRequest, GraphError, ListedFlow, Placed, StoredFlow,
            TaskRow, UpstreamTask, place, taken_names,
        },
        lifecycle,
    },
    model::{
        BatchSummary, Enqueued, ExecutorName, FlowCounts, FlowId, JobId, JobRow, JobStatus, Marks, NewJob, Result,
        Scope, TaskResult,
    },
};

/// A flow, but for its jobs.
#[derive(Debug)]
pub(super) struct Flow {
    pub(super) stored: StoredFlow,
    created_at: DateTime<Utc>,
    /// How many of its jobs were complete and not kept.
    gone: u64,
}

/// The jobs of flows, by where they stand.
#[derive(Debug, Default)]
pub(super) struct Members(BTreeMap<FlowId, BTreeMap<JobStatus, BTreeSet<JobId>>>);

impl Members {
    pub(super) fn insert(&mut self, row: &JobRow) {
        if let Some(flow) = row.extras.flow {
            self.0.entry(flow).or_default().entry(row.status).or_default().insert(row.id);
        }
    }

    pub(super) fn remove(&mut self, row: &JobRow) {
        let Some(flow) = row.extras.flow else { return };
        if let Some(members) = self.0.get_mut(&flow)
            && let Some(ids) = members.get_mut(&row.status)
        {
            ids.remove(&row.id);
            if ids.is_empty() {
                members.remove(&row.status);
            }
            if members.is_empty() {
                self.0.remove(&flow);
            }
        }
    }

    /// The jobs of a flow in a status, by their numbers.
    fn of(&self, flow: FlowId, status: JobStatus) -> impl Iterator<Item = JobId> {
        self.0.get(&flow).and_then(|members| members.get(&status)).into_iter().flatten().copied()
    }

    fn counts(&self, flow: FlowId) -> FlowCounts {
        let mut counts = FlowCounts::default();
        for (status, ids) in self.0.get(&flow).into_iter().flatten() {
            counts.add(*status, ids.len() as u64);
        }
        counts
    }
}

impl Store {
    fn flow_state(&self, id: FlowId) -> Option<FlowState> {
        let flow = self.flows.get(&id)?;
        let mut state = FlowState::new(id, flow.stored.clone(), flow.created_at);
        state.counts = self.indexes.members.counts(id);
        state.counts.add(JobStatus::Complete, flow.gone);
        if state.counts.cancelled > 0 && flow.stored.has_tasks() {
            let is_skipped =
                |id: &JobId| self.rows.get(id).is_some_and(|stored| stored.row.marks.contains(Marks::SKIPPED));
            let skipped = self.indexes.members.of(id, JobStatus::Cancelled).filter(is_skipped).count();
            state.counts.skipped = skipped as u64;
        }
        state.failed = self.indexes.members.of(id, JobStatus::Discarded).take(BatchSummary::MOST_FAILED).collect();
        Some(state)
    }

    /// Notes that a job is complete and is about to be deleted.
    pub(super) fn count_as_gone(&mut self, job: JobId) {
        let flow = self.rows.get(&job).and_then(|stored| stored.row.extras.flow);
        if let Some(flow) = flow.and_then(|flow| self.flows.get_mut(&flow)) {
            flow.gone += 1;
        }
    }

    /// Whether a job is part of a flow that has not ended, which keeps it from being pruned.
    pub(super) fn is_in_open_flow(&self, row: &JobRow) -> bool {
        let flow = row.extras.flow.and_then(|flow| self.flows.get(&flow));
        flow.is_some_and(|flow| flow.stored.finished_at().is_none())
    }

    /// Forgets flows that have ended and have no jobs any more.
    pub(super) fn forget_flows(&mut self, pruned: BTreeSet<FlowId>) {
        for id in pruned {
            let has_ended = self.flows.get(&id).is_some_and(|flow| flow.stored.finished_at().is_some());
            if has_ended && self.indexes.members.counts(id) == FlowCounts::default() {
                self.tasks.forget(id);
                self.flows.remove(&id);
            }
        }
    }

    /// Forgets flows that ended a week ago and have no jobs any more.
    fn forget_bare_flows(&mut self, now: DateTime<Utc>) {
        let is_old = |flow: &Flow| flow.stored.finished_at().is_some_and(|at| now - at > TimeDelta::days(7));
        let old = self.flows.iter().filter(|(_, flow)| is_old(flow)).map(|(id, _)| *id);
        let bare = old.filter(|id| self.indexes.members.counts(*id) == FlowCounts::default());
        for id in bare.collect::<Vec<_>>() {
            self.tasks.forget(id);
            self.flows.remove(&id);
        }
    }

    /// Decides about the flows of jobs that have ended, and about the tasks behind these; gives whom that wakes, and which running jobs
    /// it cancels.
    fn advance_flows(&mut self, now: DateTime<Utc>) -> (BTreeSet<ExecutorName>, Vec<JobId>) {
        let (mut woken, cancelled) = self.tell_tasks(now);
        while let Some(id) = self.ended_in.pop_first() {
            let Some(mut state) = self.flow_state(id).filter(|state| state.flow.finished_at().is_none()) else {
                continue;
            };
            for job in state.advance(now) {
                woken.insert(job.executor.clone());
                let _ = self.enqueue(job, now);
            }
            let has_ended = state.flow.finished_at().is_some();
            woken.extend(has_ended.then_some(Scope::FLOWS_NAME));
            let gone = if has_ended { self.delete_fleeting(id) } else { 0 };
            if let Some(flow) = self.flows.get_mut(&id) {
                flow.stored = state.flow;
                flow.gone += gone;
            }
        }
        (woken, cancelled)
    }

    /// Cancels the jobs of a flow that have not ended; gives which.
    pub(super) fn cancel_members(&mut self, flow: FlowId, reason: &str, now: DateTime<Utc>) -> Vec<JobId> {
        let unfinished = JobStatus::ALL.iter().filter(|status| !status.is_finished());
        let ids: Vec<JobId> = unfinished.flat_map(|status| self.indexes.members.of(flow, *status)).collect();
        let cancel = |id: &JobId| {
            let is_new = |row: &mut JobRow| {
                !row.marks.contains(Marks::STOPPING) && lifecycle::cancel(row, reason.to_owned(), now).is_ok()
            };
            self.change(*id, is_new).unwrap_or_default()
        };
        ids.into_iter().filter(cancel).collect()
    }

    fn find_stored(&self, id: FlowId) -> Result<&StoredFlow, FlowError> {
        self.flows.get(&id).map(|flow| &flow.stored).ok_or(FlowError::NotFound(id.into()))
    }
}

impl InMemoryBackend {
    fn enqueue_members(
        &self,
        store: &mut Store,
        flow: FlowId,
        jobs: Vec<NewJob>,
        now: DateTime<Utc>,
    ) -> Result<(Vec<Enqueued>, BTreeSet<ExecutorName>), GraphError> {
        let known = store.tasks.known(flow, &jobs);
        let taken = store.taken_tasks(flow, &taken_names(&jobs, &known));
        let Placed { jobs, tasks, existing } = place(flow, jobs, &known, &taken)?;
        let (answers, mut woken) = self.enqueue_all(store, jobs, now);
        if !tasks.is_empty() {
            let ids: Vec<JobId> = answers.iter().map(|answer| answer.id()).collect();
            if let Some(known) = store.flows.get_mut(&flow) {
                known.stored.add_tasks();
            }
            store.insert_tasks(flow, tasks, &ids);
            woken.extend(self.advance_flows(store, now));
        }
        if answers.iter().all(|answer| answer.is_duplicate()) {
            store.ended_in.insert(flow);
            woken.extend(self.advance_flows(store, now));
        }
        Ok((Placed::answers(&existing, answers), woken))
    }

    /// Decides about the flows of jobs that have ended; gives whom that wakes.
    pub(super) fn advance_flows(&self, store: &mut Store, now: DateTime<Utc>) -> BTreeSet<ExecutorName> {
        let (woken, cancelled) = store.advance_flows(now);
        self.listeners.each(|wakeup| cancelled.iter().for_each(|job| wakeup.cancel(*job)));
        woken
    }
}

impl Flows for InMemoryBackend {
    fn create(&self, flow: StoredFlow, jobs: Vec<NewJob>) -> BoxFuture<'_, Result<Created, FlowError>> {
        let (mut store, now) = self.store();
        if let Err(error) = store.check_room(&jobs) {
            return ready(Err(error.into()));
        }
        store.last_flow += 1;
        let id = FlowId(store.last_flow);
        store.flows.insert(id, Flow { stored: flow, created_at: now, gone: 0 });
        let stored = self.enqueue_members(&mut store, id, jobs, now);
        if stored.is_err() {
            store.flows.remove(&id);
        }
        drop(store);
        ready(stored.map_err(FlowError::from).map(|(answers, woken)| {
            self.wake(woken);
            Created::new(id, answers)
        }))
    }

    fn add(&self, flow: FlowId, jobs: Vec<NewJob>) -> BoxFuture<'_, Result<Vec<Enqueued>, FlowError>> {
        let (mut store, now) = self.store();
        if let Err(error) = store.find_stored(flow).and_then(|stored| stored.check_open(flow)) {
            return ready(Err(error));
        }
        if let Err(error) = store.check_room(&jobs) {
            return ready(Err(error.into()));
        }
        let stored = self.enqueue_members(&mut store, flow, jobs, now);
        drop(store);
        ready(stored.map_err(FlowError::from).map(|(answers, woken)| {
            self.wake(woken);
            answers
        }))
    }

    fn find(&self, flow: FlowId) -> BoxFuture<'_, Result<Option<FlowState>>> {
        ready(Ok(self.store().0.flow_state(flow)))
    }

    fn list_flows<'a>(&'a self, request: &'a FlowsRequest) -> BoxFuture<'a, Result<FlowsPage>> {
        let (store, now) = self.store();
        let newest = store.flows.range(..request.before.unwrap_or(FlowId(i64::MAX))).rev();
        let asked =
            newest.filter(|(_, flow)| request.is_open.is_none_or(|is_open| flow.stored.end().is_none() == is_open));
        let listed = |(id, flow): (&FlowId, &Flow)| {
            let counted = JobStatus::ALL.iter().map(|status| {
                (*status, store.indexes.members.of(*id, *status).take(FlowsRequest::COUNTED).count() as u64)
            });
            ListedFlow::new(*id, flow.stored.clone(), flow.created_at, flow.gone, counted)
        };
        let found = asked.take(request.limit + 1).map(listed).collect();
        ready(Ok(FlowsPage::new(now, found, request.limit)))
    }

    fn cancel_flow(&self, flow: FlowId, reason: String) -> BoxFuture<'_, Result<usize, FlowError>> {
        let (mut store, now) = self.store();
        let Some(known) = store.flows.get_mut(&flow) else { return ready(Err(FlowError::NotFound(flow.into()))) };
        if let Err(error) = known.stored.cancel(flow, reason.clone()) {
            return ready(Err(error));
        }
        let cancelled = store.cancel_members(flow, &reason, now);
        let woken = self.advance_flows(&mut store, now);
        let ended = std::mem::take(&mut store.ended);
        drop(store);
        self.listeners.each(|wakeup| cancelled.iter().for_each(|job| wakeup.cancel(*job)));
        self.tell_ends(&ended);
        self.wake(woken);
        ready(Ok(cancelled.len()))
    }

    fn reopen(&self, flow: FlowId) -> BoxFuture<'_, Result<bool, FlowError>> {
        let (mut store, now) = self.store();
        let Some(known) = store.flows.get_mut(&flow) else { return ready(Err(FlowError::NotFound(flow.into()))) };
        let had_ended = known.stored.reopen();
        store.ended_in.insert(flow);
        let woken = self.advance_flows(&mut store, now);
        drop(store);
        self.wake(woken);
        ready(Ok(had_ended))
    }

    fn members(
        &self,
        flow: FlowId,
        status: JobStatus,
        after: Option<JobId>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<(JobId, ExecutorName)>>> {
        let (store, _) = self.store();
        let ids = store.indexes.members.of(flow, status).filter(|id| after.is_none_or(|after| *id > after));
        let named = ids.filter_map(|id| Some((id, store.rows.get(&id)?.row.executor.clone())));
        ready(Ok(named.take(limit).collect()))
    }

    fn upstream(&self, task: JobId) -> BoxFuture<'_, Result<Vec<UpstreamTask>>> {
        ready(Ok(self.store().0.upstream(task)))
    }

    fn tasks(&self, flow: FlowId, after: Option<JobId>, limit: usize) -> BoxFuture<'_, Result<Vec<TaskRow>>> {
        let rows = self.store().0.task_rows(flow).into_iter().filter(|row| after.is_none_or(|after| row.job > after));
        ready(Ok(rows.take(limit).collect()))
    }

    fn find_task(&self, flow: FlowId, name: String) -> BoxFuture<'_, Result<Option<UpstreamTask>>> {
        let store = self.store().0;
        ready(Ok(store.tasks.find(flow, &name).and_then(|job| store.upstream_task(job))))
    }

    fn skip_task(&self, flow: FlowId, task: String, reason: String) -> BoxFuture<'_, Result<(), FlowError>> {
        let (mut store, now) = self.store();
        if let Err(error) = store.find_stored(flow).and_then(|stored| stored.check_running(flow)) {
            return ready(Err(error));
        }
        let Some(job) = store.tasks.find(flow, &task) else { return ready(Err(FlowError::NoTask(flow, task))) };
        let skipped = store.change(job, |row| lifecycle::skip(row, reason, now)).is_some_and(|skipped| skipped.is_ok());
        // One that is skipped already may be skipped once more, as by a task that is tried again.
        let known = store.upstream_task(job).and_then(|task| task.result);
        let skipped = skipped || known == Some(TaskResult::Skipped);
        let woken = self.advance_flows(&mut store, now);
        let ended = std::mem::take(&mut store.ended);
        drop(store);
        self.tell_ends(&ended);
        self.wake(woken);
        ready(if skipped { Ok(()) } else { Err(FlowError::Begun(flow, task)) })
    }

    fn retry_tasks(&self, flow: FlowId) -> BoxFuture<'_, Result<usize, FlowError>> {
        let (mut store, now) = self.store();
        let Some(known) = store.flows.get_mut(&flow) else { return ready(Err(FlowError::NotFound(flow.into()))) };
        if let Err(error) = known.stored.retry(flow) {
            return ready(Err(error));
        }
        let (count, mut woken) = store.retry_tasks(flow, now);
        store.ended_in.insert(flow);
        woken.extend(self.advance_flows(&mut store, now));
        drop(store);
        self.wake(woken);
        ready(Ok(count))
    }

    fn sweep_flows(&self) -> BoxFuture<'_, Result<usize>> {
        let (mut store, now) = self.store();
        let count = store.ended_in.len();
        let woken = self.advance_flows(&mut store, now);
        store.forget_bare_flows(now);
        drop(store);
        self.wake(woken);
        ready(Ok(count))
    }
}
