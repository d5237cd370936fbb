//! SQLite as a source or a target of a copy.

use std::sync::{Arc, Mutex};

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};

use super::{
    backend::SqliteBackend,
    control::outdate_nodes,
    copy_moves,
    copy_rows::{Step, delete_rows, read_rows, write_rows},
    core::Commit,
    migrate, queries,
    row::micros,
    work::Work,
};
use crate::{
    LeftBehind,
    common::SchemaVersion,
    copy::{
        CopyError, Result,
        moving::{Arrived, Moving},
        store::{Begun, CopyRow, INCOMPLETE, MARGIN, Numbers, Page, RESERVE, Range, Run, State, Store, Taken, Wanted},
        tables::CONTROLS,
        value::{Row, Table, Value},
    },
};

impl SqliteBackend {
    /// Runs a step in a transaction of its own, which is undone if it gives an error of the copy.
    async fn copy_write<T: Send + 'static>(
        &self,
        step: impl AsyncFnOnce(&mut Work<'_>) -> Step<T> + Send + 'static,
    ) -> Result<T> {
        let failed = Arc::new(Mutex::new(None));
        let slot = failed.clone();
        let step = async move |work: &mut Work<'_>| match step(work).await? {
            Ok(done) => Ok(done),
            Err(error) => {
                slot.lock().unwrap_or_else(std::sync::PoisonError::into_inner).replace(error);
                // Which error it is does not matter: the other one is told.
                Err(sqlx::Error::RowNotFound)
            }
        };
        let done = self.0.writer.write(Commit::Promise, step).await;
        match failed.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take() {
            Some(error) => Err(error),
            None => Ok(done?),
        }
    }

    /// … if this is still the newest run.
    pub(super) fn in_run<'a, T: Send + 'static>(
        &'a self,
        run: &Run,
        step: impl AsyncFnOnce(&mut Work<'_>) -> Step<T> + Send + 'static,
    ) -> BoxFuture<'a, Result<T>> {
        let Run { token, number } = run.clone();
        let step = async move |work: &mut Work<'_>| {
            let lock = sqlx::query(queries::lock_copy()).bind(token).bind(number);
            match lock.fetch_optional(&mut *work.conn).await? {
                Some(_) => step(work).await,
                None => Ok(Err(CopyError::Overtaken)),
            }
        };
        Box::pin(self.copy_write(step))
    }
}

impl Store for SqliteBackend {
    fn state(&self) -> BoxFuture<'_, Result<State>> {
        let identity = self.0.path.as_ref().and_then(|path| std::fs::canonicalize(path).ok());
        let identity = identity.map(|path| path.to_string_lossy().into_owned());
        Box::pin(async move { Ok(self.look(async move |conn, now| state(conn, now, identity).await).await?) })
    }

    fn begin_source(&self, token: String) -> BoxFuture<'_, Result<Run>> {
        Box::pin(self.copy_write(async move |work: &mut Work<'_>| {
            let insert = sqlx::query(queries::insert_source_copy()).bind(micros(work.now)).bind(token);
            insert.execute(&mut *work.conn).await?;
            let row = sqlx::query(queries::begin_source_copy()).fetch_one(&mut *work.conn).await?;
            Ok(Ok(Run { token: row.try_get("token")?, number: row.try_get("run")? }))
        }))
    }

    fn begin_target<'a>(
        &'a self,
        run: &'a Run,
        is_whole: bool,
        last: Numbers,
        name: String,
    ) -> BoxFuture<'a, Result<Begun>> {
        let run = run.clone();
        Box::pin(self.copy_write(async move |work: &mut Work<'_>| begin_target(work, run, is_whole, last, name).await))
    }

    fn aim<'a>(&'a self, run: &'a Run, target: &'a str) -> BoxFuture<'a, Result<bool>> {
        let (token, target) = (run.token.clone(), target.to_owned());
        self.in_run(run, async move |work: &mut Work<'_>| {
            let aim = sqlx::query(queries::aim_copy()).bind(token).bind(target);
            Ok(Ok(aim.execute(&mut *work.conn).await?.rows_affected() > 0))
        })
    }

    fn read<'a>(&'a self, table: &'static Table, range: Range<'a>) -> BoxFuture<'a, Result<Page>> {
        let [after, upto] = [range.after, range.upto].map(|key| key.map(<[Value]>::to_vec));
        let limit = range.limit;
        let look = async move |conn: &mut SqliteConnection, _: DateTime<Utc>| {
            read_rows(conn, table, Range { after: after.as_deref(), upto: upto.as_deref(), limit }).await
        };
        Box::pin(async move { self.look(look).await? })
    }

    fn write<'a>(
        &'a self,
        run: &'a Run,
        table: &'static Table,
        rows: Vec<Row>,
        replace: bool,
    ) -> BoxFuture<'a, Result<()>> {
        self.in_run(run, async move |work: &mut Work<'_>| write_rows(&mut *work.conn, table, &rows, replace).await)
    }

    fn delete<'a>(&'a self, run: &'a Run, table: &'static Table, rows: Vec<Row>) -> BoxFuture<'a, Result<()>> {
        self.in_run(run, async move |work: &mut Work<'_>| delete_rows(&mut *work.conn, table, &rows).await.map(Ok))
    }

    fn finish_source<'a>(&'a self, run: &'a Run, last_job: i64) -> BoxFuture<'a, Result<()>> {
        let token = run.token.clone();
        self.in_run(run, async move |work: &mut Work<'_>| {
            let finish = sqlx::query(queries::finish_source_copy()).bind(token).bind(last_job);
            finish.execute(&mut *work.conn).await.map(|_| Ok(()))
        })
    }

    fn finish_target<'a>(&'a self, run: &'a Run, last: Numbers, pause: Option<Row>) -> BoxFuture<'a, Result<u64>> {
        let token = run.token.clone();
        self.in_run(run, async move |work: &mut Work<'_>| finish_target(work, token, last, pause).await)
    }

    fn finish_controls<'a>(&'a self, run: &'a Run) -> BoxFuture<'a, Result<()>> {
        let token = run.token.clone();
        self.in_run(run, async move |work: &mut Work<'_>| {
            let finish = sqlx::query(queries::finish_target_copy()).bind(micros(work.now)).bind(token);
            finish.bind(None::<i64>).execute(&mut *work.conn).await?;
            outdate_nodes(work).await.map(Ok)
        })
    }

    fn take<'a>(&'a self, run: &'a Run, wanted: &'a Wanted) -> BoxFuture<'a, Result<Taken>> {
        copy_moves::take(self, run, wanted)
    }

    fn outgoing<'a>(&'a self, run: &'a Run, after: i64, limit: usize) -> BoxFuture<'a, Result<Vec<Moving>>> {
        copy_moves::outgoing(self, run, after, limit)
    }

    fn arrive<'a>(&'a self, run: &'a Run, jobs: Vec<Moving>) -> BoxFuture<'a, Result<Vec<Arrived>>> {
        copy_moves::arrive(self, run, jobs)
    }

    fn forget_outgoing<'a>(&'a self, run: &'a Run, jobs: Vec<i64>) -> BoxFuture<'a, Result<()>> {
        copy_moves::forget(self, run, queries::delete_outgoing(), Some(jobs))
    }

    fn forget_incoming<'a>(&'a self, run: &'a Run, jobs: Option<Vec<i64>>) -> BoxFuture<'a, Result<()>> {
        copy_moves::forget(self, run, queries::delete_incoming(), jobs)
    }

    fn left(&self, behind: i64) -> BoxFuture<'_, Result<LeftBehind>> {
        let look = async move |conn: &mut SqliteConnection, _: DateTime<Utc>| {
            let mut left = LeftBehind::default();
            for row in &sqlx::query(queries::count_left()).bind(behind).fetch_all(conn).await? {
                let jobs: i64 = row.try_get("jobs")?;
                left.add(row.try_get("why")?, u64::try_from(jobs).unwrap_or_default());
            }
            Ok(left)
        };
        Box::pin(async move { Ok(self.look(look).await?) })
    }
}

async fn state(conn: &mut SqliteConnection, now: DateTime<Utc>, identity: Option<String>) -> sqlx::Result<State> {
    let row = sqlx::query(queries::find_version()).fetch_one(&mut *conn).await?;
    let (found, oldest_program) = (row.try_get("version")?, row.try_get("oldest_program")?);
    let version = SchemaVersion { found, oldest_program, known: migrate::KNOWN };
    let last = last_numbers(conn).await?;
    let copies = sqlx::query(queries::list_copies()).fetch_all(&mut *conn).await?;
    let copies = copies.iter().map(copy_row).collect::<sqlx::Result<_>>()?;
    let row = sqlx::query(queries::count_outgoing()).fetch_one(&mut *conn).await?;
    let outgoing = u64::try_from(row.try_get::<i64, _>("jobs")?).unwrap_or_default();
    let has_jobs = row.try_get("has_jobs")?;
    let alive = sqlx::query_scalar(queries::list_alive()).bind(micros(now)).fetch_all(conn).await?;
    Ok(State { identity, version, now, alive, last, has_jobs, copies, outgoing })
}

pub(super) async fn last_numbers(conn: &mut SqliteConnection) -> sqlx::Result<Numbers> {
    let row = sqlx::query(queries::list_last_numbers()).fetch_one(conn).await?;
    let [jobs, nodes, flows, audit] = ["jobs", "nodes", "flows", "audit"].map(|table| row.try_get(table));
    Ok(Numbers { jobs: jobs?, nodes: nodes?, flows: flows?, audit: audit? })
}

fn copy_row(row: &SqliteRow) -> sqlx::Result<CopyRow> {
    Ok(CopyRow {
        token: row.try_get("token")?,
        is_source: row.try_get("is_source")?,
        is_whole: row.try_get("is_whole")?,
        is_finished: row.try_get("is_finished")?,
        last_job: row.try_get("last_job")?,
    })
}

async fn begin_target(work: &mut Work<'_>, run: Run, is_whole: bool, source: Numbers, name: String) -> Step<Begun> {
    let here = last_numbers(&mut *work.conn).await?;
    let from = if here.jobs > 0 { here.jobs + MARGIN } else { 0 };
    let to = source.jobs.max(from).saturating_add(RESERVE);
    let begin =
        sqlx::query(queries::begin_target_copy()).bind(micros(work.now)).bind(run.token.clone()).bind(run.number);
    let begin = begin.bind(is_whole).bind(name).bind(from).bind(to);
    let Some(row) = begin.fetch_optional(&mut *work.conn).await? else { return Ok(Err(CopyError::Overtaken)) };
    let (is_whole, is_finished): (bool, bool) = (row.try_get("is_whole")?, row.try_get("is_finished")?);
    let mut to: i64 = row.try_get("reserved_to")?;
    // The source has given out more since the first run. The numbers that follow are free as long as no job of its own has one.
    if is_whole && !is_finished && source.jobs > to && here.jobs <= to {
        to = source.jobs.saturating_add(RESERVE);
        let reserve = sqlx::query(queries::reserve_more()).bind(run.token).bind(to);
        reserve.execute(&mut *work.conn).await?;
    }
    raise_number(work, "rexecutor_jobs", here.jobs, to).await?;
    if is_whole && !is_finished {
        raise_number(work, "rexecutor_nodes", here.nodes, source.nodes).await?;
        raise_number(work, "rexecutor_flows", here.flows, source.flows).await?;
        raise_number(work, "rexecutor_audit", here.audit, source.audit).await?;
        let pause = sqlx::query(queries::store_pause()).bind("").bind(micros(work.now)).bind(None::<i64>);
        pause.bind("rexecutor copy").bind(INCOMPLETE).execute(&mut *work.conn).await?;
    }
    outdate_nodes(work).await?;
    let target = row.try_get::<Option<String>, _>("target")?.unwrap_or_default();
    Ok(Ok(Begun { target, is_finished, reserved_to: to }))
}

/// A table has given out these numbers at least.
async fn raise_number(work: &mut Work<'_>, table: &str, last: i64, least: i64) -> sqlx::Result<()> {
    if last < least {
        set_number(work, table, least).await?;
    }
    Ok(())
}

async fn set_number(work: &mut Work<'_>, table: &str, last: i64) -> sqlx::Result<()> {
    for sql in [queries::set_number(), queries::insert_number()] {
        sqlx::query(sql).bind(table.to_owned()).bind(last).execute(&mut *work.conn).await?;
    }
    Ok(())
}

async fn finish_target(work: &mut Work<'_>, token: String, last: Numbers, pause: Option<Row>) -> Step<u64> {
    let find = sqlx::query(queries::find_reserved()).bind(token.clone()).fetch_one(&mut *work.conn);
    let reserved: i64 = find.await?.try_get("reserved_to")?;
    let count = sqlx::query_scalar(queries::count_other_jobs()).bind(reserved);
    let others: i64 = count.fetch_one(&mut *work.conn).await?;
    // Nothing was enqueued here, so nothing has been promised a number behind those of the source.
    let is_lowered = last_numbers(&mut *work.conn).await?.jobs == reserved;
    if is_lowered {
        set_number(work, "rexecutor_jobs", last.jobs).await?;
    }
    let finish = sqlx::query(queries::finish_target_copy()).bind(micros(work.now)).bind(token);
    finish.bind(is_lowered.then_some(last.jobs)).execute(&mut *work.conn).await?;
    delete_rows(&mut *work.conn, &CONTROLS, &[vec![Value::Text(String::new())]]).await?;
    if let Some(pause) = pause
        && let Err(error) = write_rows(&mut *work.conn, &CONTROLS, &[pause], true).await?
    {
        return Ok(Err(error));
    }
    outdate_nodes(work).await?;
    Ok(Ok(u64::try_from(others).unwrap_or_default()))
}
