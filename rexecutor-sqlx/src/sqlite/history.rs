//! How jobs went: a table of its own, to which nodes add what they have counted.

use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use rexecutor::{
    TimeDelta,
    backend::{Histogram, History, HistoryStep, Record, Recorded, Result, RunEnd, Tally, ago},
    job::ExecutorName,
};
use serde_json::Value;
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

use super::{
    backend::SqliteBackend,
    core::Commit,
    queries,
    row::{instant_of, micros},
    script::json,
    work::Work,
};
use crate::common::{MOST_MOVED, whole_micros};

impl History for SqliteBackend {
    fn add(&self, tallies: Vec<Tally>) -> BoxFuture<'_, Result<()>> {
        let step = async move |work: &mut Work<'_>| {
            let minute = HistoryStep::Minute;
            let row = |tally: &Tally| {
                let at = minute.start(ago(work.now, TimeDelta::microseconds(whole_micros(tally.age))));
                let (run, wait) = (tally.run.counts().to_vec(), tally.wait.counts().to_vec());
                (micros(at), tally.executor.to_string(), tally.end.as_str(), tally.run.count(), run, wait)
            };
            let rows: Vec<_> = tallies.iter().map(row).collect();
            let add = sqlx::query(queries::add_history()).bind(minute.as_str()).bind(json(&rows)?);
            add.execute(&mut *work.conn).await.map(drop)
        };
        Box::pin(self.0.writer.write(Commit::Progress, step))
    }

    fn roll_up(&self, step: HistoryStep) -> BoxFuture<'_, Result<bool>> {
        let roll_up = async move |work: &mut Work<'_>| roll_up(work, step).await;
        Box::pin(self.0.writer.write(Commit::Progress, roll_up))
    }

    fn read<'a>(&'a self, executors: Option<&'a [ExecutorName]>, span: Duration) -> BoxFuture<'a, Result<Recorded>> {
        let names: Option<Vec<String>> = executors.map(|executors| executors.iter().map(ToString::to_string).collect());
        Box::pin(self.look(async move |conn: &mut SqliteConnection, now: DateTime<Utc>| {
            let since = HistoryStep::for_span(span).since(now, span);
            let names = names.map(|names| json(&names)).transpose()?;
            let rows = sqlx::query(queries::read_history()).bind(micros(since)).bind(names).fetch_all(conn).await?;
            Ok(Recorded::new(now, rows.iter().filter_map(record).collect()))
        }))
    }
}

/// There is no other that writes at the same time.
async fn roll_up(work: &mut Work<'_>, step: HistoryStep) -> Result<bool, sqlx::Error> {
    let before = micros(ago(work.now, step.kept()));
    let list = sqlx::query(queries::list_history()).bind(step.as_str()).bind(before).bind(MOST_MOVED);
    let rows = list.fetch_all(&mut *work.conn).await?;
    if rows.is_empty() {
        return Ok(false);
    }
    if let Some(next) = step.next() {
        let moved: Vec<_> = rows.iter().filter_map(|row| moved(row, next)).collect();
        let add = sqlx::query(queries::add_history()).bind(next.as_str()).bind(json(&moved)?);
        add.execute(&mut *work.conn).await?;
    }
    let key = |row: &SqliteRow| {
        let (executor, ended): (String, String) = (row.try_get("executor")?, row.try_get("ended")?);
        Ok((row.try_get::<i64, _>("at")?, executor, ended))
    };
    let keys = rows.iter().map(key).collect::<Result<Vec<_>, sqlx::Error>>()?;
    let delete = sqlx::query(queries::delete_history()).bind(step.as_str()).bind(json(&keys)?);
    delete.execute(&mut *work.conn).await?;
    Ok(i64::try_from(rows.len()).unwrap_or(i64::MAX) >= MOST_MOVED)
}

/// A row as it is added to the next step; nothing, if it cannot be read.
fn moved(row: &SqliteRow, next: HistoryStep) -> Option<(i64, String, String, i64, Value, Value)> {
    let at = instant_of(row.try_get("at").ok()?, "at").ok()?;
    let times = |column: &str| serde_json::from_str(row.try_get(column).ok()?).ok();
    let (executor, ended) = (row.try_get("executor").ok()?, row.try_get("ended").ok()?);
    Some((micros(next.start(at)), executor, ended, row.try_get("runs").ok()?, times("run")?, times("wait")?))
}

/// What a row tells; nothing, if it cannot be read, or says what only a newer program understands.
fn record(row: &SqliteRow) -> Option<Record> {
    let end = RunEnd::of(row.try_get("ended").ok()?)?;
    let at = instant_of(row.try_get("at").ok()?, "at").ok()?;
    let executor: String = row.try_get("executor").ok()?;
    Some(Record::new(at, executor, end, histogram(row, "run")?, histogram(row, "wait")?))
}

fn histogram(row: &SqliteRow, column: &str) -> Option<Histogram> {
    let counts: Vec<Value> = serde_json::from_str(row.try_get(column).ok()?).ok()?;
    Some(Histogram::from_counts(counts.iter().map(|count| count.as_u64().unwrap_or(0))))
}
