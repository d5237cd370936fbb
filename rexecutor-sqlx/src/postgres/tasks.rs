//! Tasks: telling those behind them that they have ended, and what follows.
//!
//! # Invariant
//!
//! - How a task has ended is noted, once, and counted in those behind it, under the lock of its flow's row, which a statement before has taken.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rexecutor::{
    backend::{
        flows::{Decision, FlowEnds, FlowError, PlacedTask, Predecessor, Rerun, Retried, StoredFlow, TaskTally, retry},
        lifecycle,
    },
    job::{ExecutorName, FlowId, JobId, JobStatus},
    workflows::TaskResult,
};
use sqlx::{PgConnection, Row};

use super::{
    backend::Database,
    flow_rows::FlowRow,
    task_rows::{run_when_of, tally_of},
    write::Locked,
};
use crate::common::Decisions;

/// How many times in one transaction what has ended by a decision is told to those behind it: after so many links of a chain another one begins.
const ROUNDS: usize = 100;

/// How many jobs change their status in one statement.
const BATCH: usize = 500;

/// What has come of telling that tasks have ended.
#[derive(Default)]
pub(super) struct Told {
    pub(super) woken: BTreeSet<ExecutorName>,
    /// Jobs that have ended by it, and that somebody waits for.
    pub(super) ended: Vec<JobId>,
    /// Flows that a task's failure cancels, with the reason.
    pub(super) failed: Vec<(FlowId, String)>,
    /// Tasks that have ended by it, and are still to be told.
    pub(super) rest: Vec<i64>,
}

impl Database {
    /// Stores the places of jobs that were inserted as `ids`, and decides about those whose predecessors have ended. The flow is locked.
    pub(super) async fn insert_tasks(
        &self,
        connection: &mut PgConnection,
        flow: FlowId,
        tasks: &[PlacedTask],
        ids: &[JobId],
    ) -> sqlx::Result<Told> {
        let id_of = |place: usize| ids.get(place).map_or(0, |id| id.as_i64());
        let each = |count: fn(&TaskTally) -> u32| tasks.iter().map(move |task| number(count(&task.tally))).collect();
        let insert = self.query(&self.queries.insert_tasks).bind(flow.0);
        let insert = insert.bind(tasks.iter().map(|task| id_of(task.place)).collect::<Vec<i64>>());
        let insert = insert.bind(tasks.iter().map(|task| task.name.clone()).collect::<Vec<_>>());
        let insert = insert.bind(tasks.iter().map(|task| task.run_when.as_str()).collect::<Vec<_>>());
        let (wanted, succeeded): (Vec<i32>, Vec<i32>) = (each(|tally| tally.wanted), each(|tally| tally.succeeded));
        let (failed, skipped): (Vec<i32>, Vec<i32>) = (each(|tally| tally.failed), each(|tally| tally.skipped));
        let insert = insert.bind(wanted).bind(succeeded).bind(failed).bind(skipped);
        insert.execute(&mut *connection).await?;

        let (mut successors, mut places, mut predecessors) = (Vec::new(), Vec::new(), Vec::new());
        for task in tasks {
            for (place, before) in task.after.iter().enumerate() {
                successors.push(id_of(task.place));
                places.push(i32::try_from(place).unwrap_or(i32::MAX));
                predecessors.push(match before {
                    Predecessor::New(place) => id_of(*place),
                    Predecessor::Known(job) => job.as_i64(),
                });
            }
        }
        if !successors.is_empty() {
            let insert = self.query(&self.queries.insert_task_edges).bind(successors).bind(places).bind(predecessors);
            insert.execute(&mut *connection).await?;
        }
        let mut decisions = Decisions::default();
        for task in tasks.iter().filter(|task| task.tally.wanted > 0) {
            decisions.add(id_of(task.place), task.run_when, task.tally, None);
        }
        let mut told = Told::default();
        told.rest = self.follow(connection, decisions, &mut told).await?;
        Ok(told)
    }

    /// Tells that these jobs of these flows have ended, if they are tasks, in a transaction of its own.
    pub(super) async fn tell_tasks(&self, flows: Vec<FlowId>, jobs: Vec<i64>) -> sqlx::Result<Told> {
        // What a crash of the server forgets is told by the next sweep.
        let mut transaction = match self.options.async_settles {
            true => self.begin_unflushed().await?,
            false => self.begin().await?,
        };
        let told = self.tell_locked(&mut transaction, flows, jobs).await?;
        transaction.commit().await?;
        Ok(told)
    }

    async fn tell_locked(
        &self,
        connection: &mut PgConnection,
        flows: Vec<FlowId>,
        mut jobs: Vec<i64>,
    ) -> sqlx::Result<Told> {
        let (locked, _) = self.lock_flows(connection, flows).await?;
        let open = locked.into_iter().filter(|locked| locked.state.flow.finished_at().is_none());
        let mut open: BTreeMap<FlowId, StoredFlow> = open.map(|FlowRow { state, .. }| (state.id, state.flow)).collect();
        let mut told = Told::default();
        for _ in 0..ROUNDS {
            if jobs.is_empty() {
                break;
            }
            jobs = self.tell_round(connection, &mut open, jobs, &mut told).await?;
        }
        told.rest = jobs;
        Ok(told)
    }

    /// Gives the tasks that have ended by what was decided.
    async fn tell_round(
        &self,
        connection: &mut PgConnection,
        open: &mut BTreeMap<FlowId, StoredFlow>,
        jobs: Vec<i64>,
        told: &mut Told,
    ) -> sqlx::Result<Vec<i64>> {
        let flows: Vec<i64> = open.keys().map(|flow| flow.0).collect();
        let ended = self.query(&self.queries.end_tasks).bind(jobs).bind(flows).fetch_all(&mut *connection).await?;
        if ended.is_empty() {
            return Ok(Vec::new());
        }
        let (mut ids, mut results, mut names) = (Vec::new(), Vec::new(), HashMap::new());
        for row in &ended {
            let (job, result) = (row.try_get::<i64, _>("job")?, row.try_get::<i16, _>("told")?);
            let name = row.try_get::<String, _>("name")?;
            let id = FlowId(row.try_get("flow")?);
            if result == TaskResult::Failed.stored()
                && let Some(flow) = open.get_mut(&id)
                && flow.fail(&name)
            {
                self.store_flow(connection, id, flow, false).await?;
                told.failed.push((id, flow.cancelled().unwrap_or_default().to_owned()));
            }
            names.insert(job, name);
            ids.push(job);
            results.push(result);
        }
        let rows = self.query(&self.queries.tell_tasks).bind(ids).bind(results).fetch_all(&mut *connection).await?;
        let mut decisions = Decisions::default();
        for row in &rows {
            let because = row.try_get::<Option<i64>, _>("because")?.and_then(|job| names.get(&job));
            let run_when = run_when_of(row)?;
            decisions.add(row.try_get("job")?, run_when, tally_of(row)?, because.map(String::as_str));
        }
        self.follow(connection, decisions, told).await
    }

    /// Does what was decided; gives the tasks that have ended by it.
    async fn follow(
        &self,
        connection: &mut PgConnection,
        decisions: Decisions,
        told: &mut Told,
    ) -> sqlx::Result<Vec<i64>> {
        let Decisions { runs, ends } = decisions;
        if !runs.is_empty() {
            let release = self.query(&self.queries.release_tasks).bind(self.now()).bind(runs);
            for row in &release.fetch_all(&mut *connection).await? {
                told.woken.insert(ExecutorName::from(row.try_get::<String, _>("executor")?));
            }
        }
        let mut ended = Vec::new();
        let ids: Vec<i64> = ends.keys().copied().collect();
        for ids in ids.chunks(BATCH) {
            let Locked { mut jobs, now, .. } = self.lock_states(connection, ids.to_vec()).await?;
            jobs.retain_mut(|job| match (ends.get(&job.id.as_i64()), now) {
                (Some((decision, why)), Some(now)) if job.status == JobStatus::Blocked => match decision {
                    Decision::Skip => lifecycle::skip(job, why.clone(), now).is_ok(),
                    _ => lifecycle::cancel(job, why.clone(), now).is_ok(),
                },
                _ => false,
            });
            told.ended.extend(self.store_states(connection, &jobs).await?);
            ended.extend(jobs.iter().map(|job| job.id.as_i64()));
        }
        Ok(ended)
    }

    /// Runs tasks of a flow again that have failed; gives how many, whom that wakes, and of which tasks those behind them are to be told anew.
    pub(super) async fn retry_tasks(
        &self,
        flow: FlowId,
    ) -> sqlx::Result<Result<(usize, BTreeSet<ExecutorName>, FlowEnds), FlowError>> {
        let mut transaction = self.begin().await?;
        let (locked, _) = self.lock_flows(&mut transaction, vec![flow]).await?;
        let Some(FlowRow { mut state, .. }) = locked.into_iter().next() else {
            transaction.rollback().await?;
            return Ok(Err(FlowError::NotFound(flow.into())));
        };
        if let Err(refusal) = state.flow.retry(flow) {
            transaction.rollback().await?;
            return Ok(Err(refusal));
        }
        let tasks = self.list_tasks(&mut transaction, flow, None, i64::MAX).await?;
        let (mut count, mut woken, mut ends) = (0, BTreeSet::new(), FlowEnds::from(flow));
        for retried in retry(&tasks).chunks(BATCH) {
            let again = retried.iter().filter(|task| task.job_is.runs_again()).map(|task| (task.job, task.job_is));
            let again: BTreeMap<JobId, Rerun> = again.collect();
            let ids = again.keys().map(|job| job.as_i64()).collect();
            let Locked { mut jobs, now, .. } = self.lock_states(&mut transaction, ids).await?;
            jobs.retain_mut(|job| {
                // Errors that are there already are not to be added once more.
                job.errors.clear();
                match (again.get(&job.id), now) {
                    (Some(Rerun::Due), Some(now)) => lifecycle::rerun(job, now).is_ok(),
                    (Some(Rerun::Blocked), Some(now)) => lifecycle::rerun_blocked(job, now).is_ok(),
                    _ => false,
                }
            });
            self.store_states(&mut transaction, &jobs).await?;
            self.store_tallies(&mut transaction, retried).await?;
            let anew = retried.iter().filter(|task| task.job_is == Rerun::ToldAnew);
            ends.tasks.extend(anew.map(|task| (flow, task.job)));
            count += jobs.len();
            let due = jobs.into_iter().filter(|job| job.status == JobStatus::Scheduled);
            woken.extend(due.map(|job| job.executor));
        }
        self.store_flow(&mut transaction, flow, &state.flow, false).await?;
        transaction.commit().await?;
        Ok(Ok((count, woken, ends)))
    }

    async fn store_tallies(&self, connection: &mut PgConnection, retried: &[Retried]) -> sqlx::Result<()> {
        let each = |count: fn(&TaskTally) -> u32| -> Vec<i32> {
            retried.iter().map(|task| number(count(&task.tally))).collect()
        };
        let store = self.query(&self.queries.store_tasks);
        let store = store.bind(retried.iter().map(|task| task.job.as_i64()).collect::<Vec<_>>());
        let store = store.bind(each(|tally| tally.succeeded)).bind(each(|tally| tally.failed));
        let store = store.bind(each(|tally| tally.skipped));
        let store = store.bind(retried.iter().map(|task| task.job_is.is_untold()).collect::<Vec<_>>());
        store.execute(connection).await.map(drop)
    }

    /// Deletes the tasks of a flow that were kept only for as long as it went on; gives how many.
    pub(super) async fn delete_fleeting(&self, connection: &mut PgConnection, flow: FlowId) -> sqlx::Result<i64> {
        let mut count = 0;
        loop {
            let most = i64::try_from(BATCH).unwrap_or(i64::MAX);
            let find = self.query(&self.queries.find_fleeting).bind(flow.0).bind(most);
            let rows = find.fetch_all(&mut *connection).await?;
            let ids = rows.iter().map(|row| row.try_get::<i64, _>("id")).collect::<sqlx::Result<Vec<_>>>()?;
            let Locked { jobs, .. } = self.lock_states(connection, ids).await?;
            self.delete_jobs(connection, &jobs).await?;
            count += i64::try_from(jobs.len()).unwrap_or(i64::MAX);
            if jobs.is_empty() {
                return Ok(count);
            }
        }
    }
}

fn number(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
