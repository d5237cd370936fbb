//! Jobs on their way from one database to the other: see `copy/live.rs`.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use rexecutor::backend::BackendError;
use sqlx::{PgConnection, Row as _, postgres::PgRow};

use super::{backend::Database, copy::Step, row};
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

impl Database {
    pub(super) async fn take(&self, run: &Run, wanted: &Wanted) -> Step<Taken> {
        self.in_run(run, async |connection| {
            let rows = self.find_movable(connection, wanted).await?;
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
            let last = last.filter(|_| rows.len() >= wanted.limit || ids.len() < rows.len());
            let jobs = given!(self.content(connection, &ids).await?);
            if !jobs.is_empty() {
                let (ids, contents): (Vec<i64>, Vec<String>) = jobs.iter().map(|job| (job.id(), job.encode())).unzip();
                let insert = self.query(&self.queries.insert_outgoing).bind(run.token.clone());
                insert.bind(ids.clone()).bind(contents).execute(&mut *connection).await?;
                for table in PARTS {
                    self.delete_parts(connection, table, &ids).await?;
                }
                self.delete_parts(connection, &JOBS, &ids).await?;
            }
            Ok(Ok(Taken { jobs, last }))
        })
        .await
    }

    async fn find_movable(&self, connection: &mut PgConnection, wanted: &Wanted) -> sqlx::Result<Vec<PgRow>> {
        let first = Place { executor: String::new(), priority: i32::MIN.into(), scheduled_at: 0, id: 0 };
        let after = wanted.after.as_ref().unwrap_or(&first);
        let priority = i32::try_from(after.priority).unwrap_or(i32::MAX);
        let find = self.query(&self.queries.find_movable).bind(after.executor.clone()).bind(priority);
        let find = find.bind(DateTime::<Utc>::from_timestamp_micros(after.scheduled_at).unwrap_or_default());
        let find = find.bind(after.id).bind(wanted.behind).bind(wanted.upto);
        find.bind(i64::try_from(wanted.limit).unwrap_or(i64::MAX)).fetch_all(connection).await
    }

    /// Jobs with all that belongs to them, in the order of their numbers.
    async fn content(&self, connection: &mut PgConnection, ids: &[i64]) -> Step<Vec<Moving>> {
        if ids.is_empty() {
            return Ok(Ok(Vec::new()));
        }
        let jobs = given!(self.read_parts(connection, &JOBS, ids).await?);
        let mut jobs: BTreeMap<i64, Moving> =
            jobs.into_iter().map(Moving::of).map(|moving| (moving.id(), moving)).collect();
        for (place, table) in PARTS.into_iter().enumerate() {
            for row in given!(self.read_parts(connection, table, ids).await?) {
                let job = row.first().and_then(Value::long).and_then(|id| jobs.get_mut(&id));
                job.into_iter().for_each(|job| job.parts[place].push(row.clone()));
            }
        }
        Ok(Ok(jobs.into_values().collect()))
    }

    pub(super) async fn outgoing(&self, run: &Run, after: i64, limit: usize) -> Step<Vec<Moving>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut session = self.session().await?;
        let list = self.query(&self.queries.list_outgoing).bind(run.token.clone()).bind(after).bind(limit);
        let rows = list.fetch_all(&mut *session).await?;
        session.end().await?;
        let read = |row: &PgRow| Ok(Moving::stored(row.try_get("job")?, row.try_get("content")?));
        rows.iter().map(read).collect::<sqlx::Result<Result<_>>>()
    }

    pub(super) async fn arrive(&self, run: &Run, jobs: Vec<Moving>) -> Step<Vec<Arrived>> {
        self.in_run(run, async |connection| {
            let ids: Vec<i64> = jobs.iter().map(Moving::id).collect();
            let find = self.query(&self.queries.find_incoming).bind(run.token.clone()).bind(ids);
            let mut arrived = BTreeMap::new();
            for row in &find.fetch_all(&mut *connection).await? {
                let (job, stored_as) = (row.try_get("job")?, row.try_get("stored_as")?);
                arrived.insert(job, Arrived { job, stored_as, is_new: false });
            }
            let new: Vec<Moving> = jobs.into_iter().filter(|job| !arrived.contains_key(&job.id())).collect();
            if !new.is_empty() {
                for one in given!(self.insert_moved(connection, run, new).await?) {
                    arrived.insert(one.job, one);
                }
            }
            Ok(Ok(arrived.into_values().collect()))
        })
        .await
    }

    async fn insert_moved(&self, connection: &mut PgConnection, run: &Run, new: Vec<Moving>) -> Step<Vec<Arrived>> {
        let numbers = self.numbers(connection, run, &new).await?;
        let (ids, stored): (Vec<i64>, Vec<i64>) = numbers.iter().copied().unzip();
        let jobs: Vec<Moving> = new.into_iter().zip(&stored).map(|(job, id)| job.renumbered(*id)).collect();
        let rows: Vec<Row> = jobs.iter().map(|moving| moving.job.clone()).collect();
        given!(self.put_rows(connection, &JOBS, rows).await?);
        for (place, table) in PARTS.into_iter().enumerate() {
            let rows = jobs.iter().flat_map(|moving| moving.parts[place].iter().cloned()).collect();
            given!(self.put_rows(connection, table, rows).await?);
        }
        let mut expected = jobs;
        expected.sort_by_key(Moving::id);
        if given!(self.content(connection, &stored).await?) != expected {
            return Ok(
                Err(BackendError::message("what was stored of jobs that have come is not what was sent").into()),
            );
        }
        let insert = self.query(&self.queries.insert_incoming).bind(run.token.clone()).bind(ids).bind(stored);
        insert.execute(connection).await?;
        let arrived = |(job, stored_as)| Arrived { job, stored_as, is_new: true };
        Ok(Ok(numbers.into_iter().map(arrived).collect()))
    }

    async fn put_rows(&self, connection: &mut PgConnection, table: &'static Table, rows: Vec<Row>) -> Step<()> {
        if rows.is_empty() {
            return Ok(Ok(()));
        }
        let statement = given!(self.write_rows(table, &rows, false));
        statement.execute(connection).await.map(|_| Ok(()))
    }

    /// The number of each job in the source, and here.
    async fn numbers(
        &self,
        connection: &mut PgConnection,
        run: &Run,
        jobs: &[Moving],
    ) -> sqlx::Result<Vec<(i64, i64)>> {
        let find = self.query(&self.queries.find_reserved).bind(run.token.clone());
        let row = find.fetch_one(&mut *connection).await?;
        let (from, to): (i64, i64) = (row.try_get("reserved_from")?, row.try_get("reserved_to")?);
        let ids: Vec<i64> = jobs.iter().map(Moving::id).collect();
        let known = self.query(&self.queries.find_known_jobs).bind(ids.clone()).fetch_all(&mut *connection).await?;
        let known = known.iter().map(|row| row.try_get("id")).collect::<sqlx::Result<BTreeSet<i64>>>()?;
        let keeps = |id: i64| id > from && id <= to && !known.contains(&id);
        let missing = ids.iter().filter(|id| !keeps(**id)).count();
        let take = self.query(&self.queries.take_numbers).bind(i32::try_from(missing).unwrap_or(i32::MAX));
        let taken = take.fetch_all(connection).await?;
        let mut taken = taken.iter().map(|row| row.try_get::<i64, _>("id")).collect::<sqlx::Result<Vec<_>>>()?;
        taken.sort_unstable();
        let mut taken = taken.into_iter();
        let number = |id| Some((id, if keeps(id) { id } else { taken.next()? }));
        ids.into_iter().map(number).collect::<Option<_>>().ok_or(sqlx::Error::RowNotFound)
    }
}

fn place(row: &PgRow) -> sqlx::Result<Place> {
    Ok(Place {
        executor: row.try_get("executor")?,
        priority: row.try_get::<i32, _>("priority")?.into(),
        scheduled_at: row::instant(row, "due_at")?.timestamp_micros(),
        id: row.try_get("id")?,
    })
}
