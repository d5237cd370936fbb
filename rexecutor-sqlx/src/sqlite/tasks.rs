//! Tasks: telling those behind them that they have ended, and what follows. All of it is one transaction: there is no other that writes at the
//! same time.

use std::collections::{BTreeMap, HashMap};

use rexecutor::{
    backend::{
        flows::{Decision, FlowEnds, FlowError, PlacedTask, Predecessor, Rerun, Retried, StoredFlow, retry},
        lifecycle,
    },
    job::{ExecutorName, FlowId, JobId, JobStatus},
    workflows::TaskResult,
};
use serde_json::{Value, json};
use sqlx::Row;

use super::{
    events, flow_rows, flows, queries,
    row::micros,
    script::json as text,
    task_rows::{list, run_when_of, tally_of},
    work::Work,
    write,
};
use crate::common::{Decisions, is_skipped};

/// Stores the places of jobs that were inserted as `ids`, and decides about those whose predecessors have ended; gives the tasks that have ended
/// by that.
pub(super) async fn insert(
    work: &mut Work<'_>,
    flow: FlowId,
    tasks: &[PlacedTask],
    ids: &[JobId],
) -> sqlx::Result<Vec<i64>> {
    let id_of = |place: usize| ids.get(place).map_or(0, |id| id.as_i64());
    let rows = tasks.iter().map(|task| {
        let tally = task.tally;
        let (wanted, succeeded, failed, skipped) = (tally.wanted, tally.succeeded, tally.failed, tally.skipped);
        json!([id_of(task.place), task.name, task.run_when.as_str(), wanted, succeeded, failed, skipped])
    });
    let rows = Value::from_iter(rows).to_string();
    sqlx::query(queries::insert_tasks()).bind(flow.0).bind(rows).execute(&mut *work.conn).await?;
    let edges = tasks.iter().flat_map(|task| {
        task.after.iter().enumerate().map(move |(place, before)| {
            let before = match before {
                Predecessor::New(place) => id_of(*place),
                Predecessor::Known(job) => job.as_i64(),
            };
            json!([id_of(task.place), place, before])
        })
    });
    let edges = Value::from_iter(edges).to_string();
    sqlx::query(queries::insert_task_edges()).bind(edges).execute(&mut *work.conn).await?;
    let mut decisions = Decisions::default();
    for task in tasks.iter().filter(|task| task.tally.wanted > 0) {
        decisions.add(id_of(task.place), task.run_when, task.tally, None);
    }
    follow(work, decisions).await
}

/// Tells those behind these jobs that they have ended, if they are tasks, and those behind whatever ends by that.
pub(super) async fn tell(work: &mut Work<'_>, mut jobs: Vec<i64>) -> sqlx::Result<()> {
    let mut failed = Vec::new();
    loop {
        while !jobs.is_empty() {
            jobs = tell_round(work, jobs, &mut failed).await?;
        }
        let Some((flow, reason)) = failed.pop() else { return Ok(()) };
        jobs = cancel_members(work, flow, &reason).await?;
    }
}

async fn tell_round(work: &mut Work<'_>, jobs: Vec<i64>, failed: &mut Vec<(FlowId, String)>) -> sqlx::Result<Vec<i64>> {
    let ended = sqlx::query(queries::end_tasks()).bind(text(&jobs)?).fetch_all(&mut *work.conn).await?;
    if ended.is_empty() {
        return Ok(Vec::new());
    }
    let (mut results, mut causes) = (Vec::new(), BTreeMap::new());
    for row in &ended {
        let (job, result) = (row.try_get::<i64, _>("job")?, row.try_get::<i64, _>("told")?);
        let (flow, name) = (FlowId(row.try_get("flow")?), row.try_get::<String, _>("name")?);
        if result == i64::from(TaskResult::Failed.stored()) {
            failed.extend(fail(work, flow, &name).await?.map(|reason| (flow, reason)));
        }
        if result != i64::from(TaskResult::Succeeded.stored()) {
            causes.insert((result, job), name);
        }
        results.push(json!([job, result]));
    }
    let because = find_causes(work, &causes).await?;
    let tell = sqlx::query(queries::tell_tasks()).bind(Value::from(results).to_string());
    let mut decisions = Decisions::default();
    for row in &tell.fetch_all(&mut *work.conn).await? {
        let job: i64 = row.try_get("job")?;
        decisions.add(job, run_when_of(row)?, tally_of(row)?, because.get(&job).copied());
    }
    follow(work, decisions).await
}

/// The names of those that have not succeeded, by what comes after them: of several the first, and those that have failed come first.
async fn find_causes<'n>(
    work: &mut Work<'_>,
    causes: &'n BTreeMap<(i64, i64), String>,
) -> sqlx::Result<HashMap<i64, &'n str>> {
    if causes.is_empty() {
        return Ok(HashMap::new());
    }
    let jobs: Vec<i64> = causes.keys().map(|(_, job)| *job).collect();
    let names: Vec<&str> = causes.values().map(String::as_str).collect();
    let find = sqlx::query_as::<_, (i64, i64)>(queries::find_causes()).bind(text(&jobs)?);
    let found = find.fetch_all(&mut *work.conn).await?.into_iter();
    let named = |(successor, place): (i64, i64)| Some((successor, *names.get(usize::try_from(place).ok()?)?));
    Ok(found.filter_map(named).collect())
}

/// Cancels a flow that fails fast; gives the reason, if it was not cancelled before.
async fn fail(work: &mut Work<'_>, flow: FlowId, task: &str) -> sqlx::Result<Option<String>> {
    let Some((mut state, _)) = flow_rows::find_row(work.conn, flow).await? else { return Ok(None) };
    if !state.flow.fail(task) {
        return Ok(None);
    }
    flow_rows::put(work, flow, &state.flow, false).await?;
    Ok(state.flow.cancelled().map(str::to_owned))
}

/// Cancels all jobs of a flow that have not ended; gives those that have by that.
async fn cancel_members(work: &mut Work<'_>, flow: FlowId, reason: &str) -> sqlx::Result<Vec<i64>> {
    let mut ended = Vec::new();
    for status in JobStatus::ALL.iter().copied().filter(|status| !status.is_finished()) {
        let mut last = None;
        loop {
            let (jobs, page) = flows::cancel_page(work, flow, status, last, reason).await?;
            ended.extend(jobs.iter().filter(|job| job.status.is_finished()).map(|job| job.id.as_i64()));
            match page.last() {
                Some(id) => last = Some(*id),
                None => break,
            }
        }
    }
    Ok(ended)
}

/// Does what was decided; gives the tasks that have ended by it.
async fn follow(work: &mut Work<'_>, decisions: Decisions) -> sqlx::Result<Vec<i64>> {
    let Decisions { runs, ends } = decisions;
    if !runs.is_empty() {
        let release = sqlx::query(queries::release_tasks()).bind(micros(work.now)).bind(text(&runs)?);
        let released = release.fetch_all(&mut *work.conn).await?;
        for row in &released {
            let executor = ExecutorName::from(row.try_get::<String, _>("executor")?);
            let (id, due_at) = (row.try_get("id")?, row.try_get("scheduled_at")?);
            let now = work.now;
            work.tell_of(|| events::of_released(id, executor.clone(), due_at, now));
            work.due.insert(executor);
        }
    }
    if ends.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<JobId> = ends.keys().map(|id| JobId::from(*id)).collect();
    let now = work.now;
    let mut jobs = write::lock(work, &ids).await?;
    jobs.retain_mut(|job| match ends.get(&job.id.as_i64()) {
        Some((decision, why)) if job.status == JobStatus::Blocked => match decision {
            Decision::Skip => lifecycle::skip(job, why.clone(), now).is_ok(),
            _ => lifecycle::cancel(job, why.clone(), now).is_ok(),
        },
        _ => false,
    });
    write::store_states(work, &jobs).await?;
    Ok(jobs.iter().map(|job| job.id.as_i64()).collect())
}

/// Skips a task that has not begun.
pub(super) async fn skip(
    work: &mut Work<'_>,
    flow: FlowId,
    name: String,
    reason: String,
) -> sqlx::Result<Result<(), FlowError>> {
    let open = match flow_rows::find_row(work.conn, flow).await? {
        Some((state, _)) => state.flow.check_running(flow),
        None => Err(FlowError::NotFound(flow.into())),
    };
    if let Err(refusal) = open {
        return Ok(Err(refusal));
    }
    let known = super::task_rows::known(work.conn, flow, std::slice::from_ref(&name)).await?;
    let Some(task) = known.first() else { return Ok(Err(FlowError::NoTask(flow, name))) };
    let now = work.now;
    let mut jobs = write::lock(work, &[task.job]).await?;
    if jobs.iter().any(is_skipped) {
        return Ok(Ok(()));
    }
    jobs.retain_mut(|job| lifecycle::skip(job, reason.clone(), now).is_ok());
    if jobs.is_empty() {
        return Ok(Err(FlowError::Begun(flow, name)));
    }
    write::store_states(work, &jobs).await?;
    flows::advance_if_any(work, FlowEnds::of(&jobs)).await?;
    Ok(Ok(()))
}

/// Runs tasks of a flow again that have failed; gives how many.
pub(super) async fn retry_failed(work: &mut Work<'_>, flow: FlowId) -> sqlx::Result<Result<usize, FlowError>> {
    let Some((mut state, _)) = flow_rows::find_row(work.conn, flow).await? else {
        return Ok(Err(FlowError::NotFound(flow.into())));
    };
    if let Err(refusal) = state.flow.retry(flow) {
        return Ok(Err(refusal));
    }
    let retried = retry(&list(work.conn, flow, None, i64::MAX).await?);
    let again = retried.iter().filter(|task| task.job_is.runs_again()).map(|task| (task.job, task.job_is));
    let again: BTreeMap<JobId, Rerun> = again.collect();
    let now = work.now;
    let mut jobs = write::lock(work, &again.keys().copied().collect::<Vec<_>>()).await?;
    jobs.retain_mut(|job| match again.get(&job.id) {
        Some(Rerun::Due) => lifecycle::rerun(job, now).is_ok(),
        Some(Rerun::Blocked) => lifecycle::rerun_blocked(job, now).is_ok(),
        _ => false,
    });
    work.due.extend(jobs.iter().filter(|job| job.status == JobStatus::Scheduled).map(|job| job.executor.clone()));
    write::store_states(work, &jobs).await?;
    store_tallies(work, &retried).await?;
    flow_rows::put(work, flow, &state.flow, false).await?;
    let anew = retried.iter().filter(|task| task.job_is == Rerun::ToldAnew).map(|task| (flow, task.job)).collect();
    flows::advance_if_any(work, FlowEnds { flows: [flow].into(), tasks: anew }).await?;
    Ok(Ok(jobs.len()))
}

async fn store_tallies(work: &mut Work<'_>, retried: &[Retried]) -> sqlx::Result<()> {
    let rows = retried.iter().map(|task| {
        let tally = task.tally;
        json!([task.job, tally.succeeded, tally.failed, tally.skipped, task.job_is.is_untold()])
    });
    let rows = Value::from_iter(rows).to_string();
    sqlx::query(queries::store_tasks()).bind(rows).execute(&mut *work.conn).await.map(drop)
}

/// Tells and cancels what a process that died has left of a flow: its job may have ended in no transaction of ours.
pub(super) async fn finish(work: &mut Work<'_>, flow: FlowId, watches: i32) -> sqlx::Result<()> {
    const MOST: i64 = 10_000;
    if watches & StoredFlow::WATCHES_TASKS != 0 {
        loop {
            let find = sqlx::query_scalar::<_, i64>(queries::find_untold_tasks()).bind(flow.0).bind(MOST);
            let jobs = find.fetch_all(&mut *work.conn).await?;
            if jobs.is_empty() {
                break;
            }
            tell(work, jobs).await?;
        }
    }
    if watches & StoredFlow::WATCHES_CANCEL != 0 {
        let found = flow_rows::find_row(work.conn, flow).await?;
        if let Some(reason) = found.as_ref().and_then(|(state, _)| state.flow.cancelled()) {
            let ended = cancel_members(work, flow, reason).await?;
            tell(work, ended).await?;
        }
    }
    Ok(())
}

/// Deletes the tasks of a flow that were kept only for as long as it went on; gives how many.
pub(super) async fn delete_fleeting(work: &mut Work<'_>, flow: FlowId) -> sqlx::Result<u64> {
    const BATCH: i64 = 500;
    let mut count = 0;
    loop {
        let find = sqlx::query_scalar::<_, i64>(queries::find_fleeting()).bind(flow.0).bind(BATCH);
        let ids: Vec<JobId> = find.fetch_all(&mut *work.conn).await?.into_iter().map(JobId::from).collect();
        let jobs = write::lock(work, &ids).await?;
        write::delete_jobs(work, &jobs).await?;
        count += jobs.len() as u64;
        if jobs.is_empty() {
            return Ok(count);
        }
    }
}
