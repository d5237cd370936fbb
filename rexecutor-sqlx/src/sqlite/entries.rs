//! Schedule entries.

use std::collections::BTreeSet;

use futures::future::BoxFuture;
use rexecutor::{
    TimeDelta,
    backend::{DueEntries, Entries, Result, Scope, in_micros, lifecycle},
    job::{JobId, NodeId},
    schedule::{EntryAnswer, EntryStep, REPLACED, ScheduleEntry, StoredEntry, Surroundings},
};
use sqlx::{Row, SqliteConnection};

use super::{
    backend::SqliteBackend,
    core::{Commit, Core},
    enqueue::tick_of,
    queries,
    row::micros,
    script::json,
    store,
    work::Work,
    write,
};

impl Entries for SqliteBackend {
    fn due(&self) -> BoxFuture<'_, Result<DueEntries>> {
        let look = async |core: &mut Core| {
            let now = in_micros(core.clock.now());
            let find = sqlx::query(queries::find_due_entries()).bind(micros(now));
            let rows = find.bind(micros(now + TimeDelta::minutes(1))).fetch_all(&mut core.conn).await?;
            let mut due = DueEntries::new(now, Vec::new(), None);
            for row in rows {
                due.names.extend(row.try_get::<Option<String>, _>("name")?);
                if let Some(at) = row.try_get::<Option<i64>, _>("due_at")? {
                    due.next_at = Some(tick_of(at)?);
                }
            }
            Ok(due)
        };
        Box::pin(self.0.writer.run(look))
    }

    fn step(&self, steps: Vec<EntryStep>) -> BoxFuture<'_, Result<Vec<EntryAnswer>>> {
        let work = async move |work: &mut Work<'_>| {
            work.open().await?;
            let mut members = None;
            let mut answers = Vec::with_capacity(steps.len());
            for step in &steps {
                if members.is_none() && step.needs_members() {
                    members = Some(list_nodes(work.conn).await?);
                }
                answers.push(carry_out(work, step, members.as_ref().unwrap_or(&BTreeSet::new())).await?);
            }
            Ok(answers)
        };
        Box::pin(self.0.writer.write(Commit::Promise, work))
    }

    fn list<'a>(&'a self, name: Option<&'a str>) -> BoxFuture<'a, Result<Vec<ScheduleEntry>>> {
        let name = name.map(ToOwned::to_owned);
        let step = async move |work: &mut Work<'_>| {
            work.open().await?;
            let members = list_nodes(work.conn).await?;
            let rows = sqlx::query(queries::list_entries()).bind(name).fetch_all(&mut *work.conn).await?;
            let mut entries = Vec::with_capacity(rows.len());
            for row in &rows {
                let name: String = row.try_get("name")?;
                match StoredEntry::decode(row.try_get("entry")?) {
                    Ok(entry) => entries.push(entry.shown(name, &members, work.now)),
                    Err(error) => {
                        let error = &error as &dyn std::error::Error;
                        tracing::warn!(schedule = name, error, "schedule entry left out because it cannot be read");
                    }
                }
            }
            Ok(entries)
        };
        Box::pin(self.0.writer.write(Commit::Progress, step))
    }
}

async fn list_nodes(conn: &mut SqliteConnection) -> Result<BTreeSet<NodeId>, sqlx::Error> {
    let nodes: Vec<i64> = sqlx::query_scalar(queries::list_nodes()).fetch_all(conn).await?;
    Ok(nodes.into_iter().map(NodeId).collect())
}

async fn carry_out(
    work: &mut Work<'_>,
    step: &EntryStep,
    members: &BTreeSet<NodeId>,
) -> Result<EntryAnswer, sqlx::Error> {
    let find = sqlx::query_scalar(queries::find_entry()).bind(step.name().to_owned());
    let stored: Option<String> = find.fetch_optional(&mut *work.conn).await?;
    let decode = |text: String| StoredEntry::decode(&text).map_err(|error| sqlx::Error::Decode(error.into()));
    let stored = stored.map(decode).transpose()?;
    let unfinished = match stored.as_ref().map(StoredEntry::watched_jobs) {
        Some(jobs) if !jobs.is_empty() => {
            let find = sqlx::query_scalar(queries::find_unfinished()).bind(json(&jobs)?);
            let jobs: Vec<i64> = find.fetch_all(&mut *work.conn).await?;
            jobs.into_iter().map(JobId::from).collect()
        }
        _ => BTreeSet::new(),
    };
    let mut applied = step.apply(stored, Surroundings { now: work.now, members, unfinished: &unfinished });
    work.due.extend(applied.is_news.then_some(Scope::SCHEDULES_NAME));
    cancel(work, &applied.cancel).await?;
    let enqueued = store::store_open(work, &applied.jobs.iter().collect::<Vec<_>>()).await?;
    let answer = applied.note(&enqueued);
    match &applied.entry {
        Some(entry) if applied.is_changed => {
            let text = entry.encode().map_err(|error| sqlx::Error::Encode(error.into()))?;
            let store = sqlx::query(queries::store_entry()).bind(step.name().to_owned());
            let store = store.bind(entry.due_at(work.now).map(micros)).bind(micros(entry.ticked_until()));
            store.bind(text).execute(&mut *work.conn).await?;
        }
        None if applied.is_changed => {
            sqlx::query(queries::delete_entry()).bind(step.name().to_owned()).execute(&mut *work.conn).await?;
        }
        _ => {}
    }
    Ok(answer)
}

/// Asks the jobs of earlier ticks to stop.
async fn cancel(work: &mut Work<'_>, jobs: &[JobId]) -> Result<(), sqlx::Error> {
    if jobs.is_empty() {
        return Ok(());
    }
    let mut rows = write::lock(work, jobs).await?;
    let now = work.now;
    rows.retain_mut(|row| lifecycle::cancel(row, REPLACED.to_owned(), now).is_ok());
    write::store_states(work, &rows).await?;
    work.cancelled.extend_from_slice(jobs);
    Ok(())
}
