//! Jobs on their way from one database to the other: see `copy/live.rs`.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use rexecutor::backend::BackendError;
use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};

use super::{
    backend::SqliteBackend,
    copy::last_numbers,
    copy_rows::{Step, delete_parts, read_parts, write_rows},
    queries,
    script::json,
    work::Work,
};
use crate::copy::{
    Result,
    moving::{Arrived, Moving},
    store::{BYTES, Place, Run, Taken, Wanted},
    tables::{JOBS, PARTS},
    value::{Row, Table, Value},
};

/// Goes on with what a step has given, or ends it with the error of the copy.
macro_rules! given {
    ($step:expr) => {
        match $step {
            Ok(given) => given,
            Err(error) => return Ok(Err(error)),
        }
    };
}

pub(super) fn take<'a>(backend: &'a SqliteBackend, run: &'a Run, wanted: &'a Wanted) -> BoxFuture<'a, Result<Taken>> {
    let token = run.token.clone();
    let first = Place { executor: String::new(), priority: i64::MIN, scheduled_at: 0, id: 0 };
    let after = wanted.after.clone().unwrap_or(first);
    let (behind, upto, limit) = (wanted.behind, wanted.upto, wanted.limit);
    backend.in_run(run, async move |work: &mut Work<'_>| {
        let find = sqlx::query(queries::find_movable()).bind(after.executor).bind(after.priority);
        let find = find.bind(after.scheduled_at).bind(after.id).bind(behind).bind(upto);
        let rows = find.bind(i64::try_from(limit).unwrap_or(i64::MAX)).fetch_all(&mut *work.conn).await?;
        let (mut ids, mut bytes, mut last) = (Vec::new(), 0, None);
        for row in &rows {
            bytes += usize::try_from(row.try_get::<i64, _>("bytes")?).unwrap_or(usize::MAX);
            if bytes > BYTES && !ids.is_empty() {
                break;
            }
            ids.push(row.try_get::<i64, _>("id")?);
            last = Some(place(row)?);
        }
        // Behind the last one there are no more.
        let last = last.filter(|_| rows.len() >= limit || ids.len() < rows.len());
        let jobs = given!(content(&mut *work.conn, &ids).await?);
        if !jobs.is_empty() {
            let outgoing: Vec<(i64, String)> = jobs.iter().map(|job| (job.id(), job.encode())).collect();
            let insert = sqlx::query(queries::insert_outgoing()).bind(token).bind(json(&outgoing)?);
            insert.execute(&mut *work.conn).await?;
            for table in PARTS.into_iter().chain([&JOBS]) {
                delete_parts(&mut *work.conn, table, &ids).await?;
            }
        }
        Ok(Ok(Taken { jobs, last }))
    })
}

/// Jobs with all that belongs to them, in the order of their numbers.
async fn content(conn: &mut SqliteConnection, ids: &[i64]) -> Step<Vec<Moving>> {
    if ids.is_empty() {
        return Ok(Ok(Vec::new()));
    }
    let jobs = given!(read_parts(&mut *conn, &JOBS, ids).await?);
    let mut jobs: BTreeMap<i64, Moving> =
        jobs.into_iter().map(Moving::of).map(|moving| (moving.id(), moving)).collect();
    for (place, table) in PARTS.into_iter().enumerate() {
        for row in given!(read_parts(&mut *conn, table, ids).await?) {
            let job = row.first().and_then(Value::long).and_then(|id| jobs.get_mut(&id));
            job.into_iter().for_each(|job| job.parts[place].push(row.clone()));
        }
    }
    Ok(Ok(jobs.into_values().collect()))
}

pub(super) fn outgoing<'a>(
    backend: &'a SqliteBackend,
    run: &'a Run,
    after: i64,
    limit: usize,
) -> BoxFuture<'a, Result<Vec<Moving>>> {
    let token = run.token.clone();
    let look = async move |conn: &mut SqliteConnection, _: DateTime<Utc>| {
        let list = sqlx::query_as(queries::list_outgoing()).bind(token).bind(after);
        let rows: Vec<(i64, String)> = list.bind(i64::try_from(limit).unwrap_or(i64::MAX)).fetch_all(conn).await?;
        Ok(rows)
    };
    Box::pin(async move {
        let rows = backend.look(look).await?;
        rows.iter().map(|(job, content)| Moving::stored(*job, content)).collect()
    })
}

pub(super) fn forget<'a>(
    backend: &'a SqliteBackend,
    run: &'a Run,
    sql: &'static str,
    jobs: Option<Vec<i64>>,
) -> BoxFuture<'a, Result<()>> {
    let token = run.token.clone();
    backend.in_run(run, async move |work: &mut Work<'_>| {
        let jobs = jobs.map(|jobs| json(&jobs)).transpose()?;
        sqlx::query(sql).bind(token).bind(jobs).execute(&mut *work.conn).await.map(|_| Ok(()))
    })
}

pub(super) fn arrive<'a>(
    backend: &'a SqliteBackend,
    run: &'a Run,
    jobs: Vec<Moving>,
) -> BoxFuture<'a, Result<Vec<Arrived>>> {
    let token = run.token.clone();
    backend.in_run(run, async move |work: &mut Work<'_>| {
        work.due.extend(jobs.iter().map(Moving::executor));
        let ids: Vec<i64> = jobs.iter().map(Moving::id).collect();
        let find = sqlx::query_as(queries::find_incoming()).bind(token.clone()).bind(json(&ids)?);
        let known: Vec<(i64, i64)> = find.fetch_all(&mut *work.conn).await?;
        let known = known.into_iter().map(|(job, stored_as)| (job, Arrived { job, stored_as, is_new: false }));
        let mut arrived: BTreeMap<i64, Arrived> = known.collect();
        let new: Vec<Moving> = jobs.into_iter().filter(|job| !arrived.contains_key(&job.id())).collect();
        for one in given!(insert_moved(&mut *work.conn, token, new).await?) {
            arrived.insert(one.job, one);
        }
        Ok(Ok(arrived.into_values().collect()))
    })
}

async fn insert_moved(conn: &mut SqliteConnection, token: String, new: Vec<Moving>) -> Step<Vec<Arrived>> {
    let numbers = numbers(conn, &token, &new).await?;
    let mut jobs: Vec<Moving> = new.into_iter().zip(&numbers).map(|(job, (_, id))| job.renumbered(*id)).collect();
    let rows: Vec<Row> = jobs.iter().map(|moving| moving.job.clone()).collect();
    given!(insert_rows(conn, &JOBS, &rows).await?);
    for (place, table) in PARTS.into_iter().enumerate() {
        let rows: Vec<Row> = jobs.iter().flat_map(|moving| moving.parts[place].iter().cloned()).collect();
        given!(insert_rows(conn, table, &rows).await?);
    }
    jobs.sort_by_key(Moving::id);
    let ids: Vec<i64> = jobs.iter().map(Moving::id).collect();
    if given!(content(conn, &ids).await?) != jobs {
        return Ok(Err(BackendError::message("what was stored of jobs that have come is not what was sent").into()));
    }
    let insert = sqlx::query(queries::insert_incoming()).bind(token).bind(json(&numbers)?);
    insert.execute(conn).await?;
    let arrived = |(job, stored_as)| Arrived { job, stored_as, is_new: true };
    Ok(Ok(numbers.into_iter().map(arrived).collect()))
}

async fn insert_rows(conn: &mut SqliteConnection, table: &'static Table, rows: &[Row]) -> Step<()> {
    if rows.is_empty() { Ok(Ok(())) } else { write_rows(conn, table, rows, false).await }
}

/// The number of each job in the source, and here.
async fn numbers(conn: &mut SqliteConnection, token: &str, jobs: &[Moving]) -> sqlx::Result<Vec<(i64, i64)>> {
    let row = sqlx::query(queries::find_reserved()).bind(token.to_owned()).fetch_one(&mut *conn).await?;
    let (from, to): (i64, i64) = (row.try_get("reserved_from")?, row.try_get("reserved_to")?);
    let ids: Vec<i64> = jobs.iter().map(Moving::id).collect();
    let known = sqlx::query_scalar(queries::find_known_jobs()).bind(json(&ids)?).fetch_all(&mut *conn).await?;
    let known: BTreeSet<i64> = known.into_iter().collect();
    let mut last = last_numbers(conn).await?.jobs;
    let mut number = |id: i64| match id > from && id <= to && !known.contains(&id) {
        true => id,
        false => {
            last += 1;
            last
        }
    };
    Ok(ids.into_iter().map(|id| (id, number(id))).collect())
}

fn place(row: &SqliteRow) -> sqlx::Result<Place> {
    Ok(Place {
        executor: row.try_get("executor")?,
        priority: row.try_get("priority")?,
        scheduled_at: row.try_get("due_at")?,
        id: row.try_get("id")?,
    })
}
