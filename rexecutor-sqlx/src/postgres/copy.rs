//! PostgreSQL as a source or a target of a copy.

use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use sqlx::{PgConnection, Postgres, Row as _, Transaction, postgres::PgRow};

use super::{
    backend::{Database, PgBackend},
    row,
};
use crate::{
    LeftBehind,
    common::SchemaVersion,
    copy::{
        CopyError, Result,
        moving::{Arrived, Moving},
        store::{Begun, CopyRow, INCOMPLETE, MARGIN, Numbers, Page, RESERVE, Range, Run, State, Store, Taken, Wanted},
        tables::{BREAKERS, CONTROLS, SET_LIMITS},
        value::{Row, Table, Value},
    },
};

/// What is done for one of the two databases: its own failures, and those of the copy.
pub(super) type Step<T> = sqlx::Result<Result<T>>;

impl PgBackend {
    /// Waits for `work`.
    pub(super) fn copy_step<'a, T: Send + 'a>(
        &'a self,
        what: &'static str,
        work: impl Future<Output = Step<T>> + Send + 'a,
    ) -> BoxFuture<'a, Result<T>> {
        Box::pin(async move { self.0.limited(what, work).await? })
    }
}

impl Store for PgBackend {
    fn state(&self) -> BoxFuture<'_, Result<State>> {
        self.copy_step("could not read how the database stands", async { self.0.copy_state().await.map(Ok) })
    }

    fn begin_source(&self, token: String) -> BoxFuture<'_, Result<Run>> {
        self.copy_step("could not begin the copy", async {
            let mut transaction = self.0.begin().await?;
            let insert = self.0.query(&self.0.queries.insert_source_copy).bind(self.0.now()).bind(token);
            insert.execute(&mut *transaction).await?;
            let row = self.0.query(&self.0.queries.begin_source_copy).fetch_one(&mut *transaction).await?;
            transaction.commit().await?;
            Ok(Ok(Run { token: row.try_get("token")?, number: row.try_get("run")? }))
        })
    }

    fn begin_target<'a>(
        &'a self,
        run: &'a Run,
        is_whole: bool,
        last: Numbers,
        name: String,
    ) -> BoxFuture<'a, Result<Begun>> {
        self.copy_step("could not begin the copy", self.0.begin_target(run, is_whole, last, name))
    }

    fn aim<'a>(&'a self, run: &'a Run, target: &'a str) -> BoxFuture<'a, Result<bool>> {
        self.copy_step("could not begin the copy", async {
            let aim = self.0.query(&self.0.queries.aim_copy).bind(run.token.clone()).bind(target.to_owned());
            self.0.in_run(run, async |connection| Ok(Ok(aim.execute(connection).await?.rows_affected() > 0))).await
        })
    }

    fn read<'a>(&'a self, table: &'static Table, range: Range<'a>) -> BoxFuture<'a, Result<Page>> {
        self.copy_step("could not read rows", async move {
            let mut session = self.0.session().await?;
            let page = self.0.read_rows(&mut session, table, range).await?;
            // Of the others the rest of the answer is on its way.
            if page.as_ref().is_ok_and(|page| page.is_end || page.rows.len() >= range.limit) {
                session.end().await?;
            }
            Ok(page)
        })
    }

    fn write<'a>(
        &'a self,
        run: &'a Run,
        table: &'static Table,
        rows: Vec<Row>,
        replace: bool,
    ) -> BoxFuture<'a, Result<()>> {
        self.copy_step("could not store rows", async move {
            let statement = match self.0.write_rows(table, &rows, replace) {
                Ok(statement) => statement,
                Err(error) => return Ok(Err(error)),
            };
            let has_limits = [SET_LIMITS.name, BREAKERS.name].contains(&table.name);
            self.0
                .in_run(run, async |connection| {
                    statement.execute(&mut *connection).await?;
                    if has_limits {
                        self.0.query(&self.0.queries.make_lockable).execute(connection).await?;
                    }
                    Ok(Ok(()))
                })
                .await
        })
    }

    fn delete<'a>(&'a self, run: &'a Run, table: &'static Table, rows: Vec<Row>) -> BoxFuture<'a, Result<()>> {
        self.copy_step("could not delete rows", async move {
            let statement = match self.0.delete_rows(table, &rows) {
                Ok(statement) => statement,
                Err(error) => return Ok(Err(error)),
            };
            self.0.in_run(run, async |connection| statement.execute(connection).await.map(|_| Ok(()))).await
        })
    }

    fn finish_source<'a>(&'a self, run: &'a Run, last_job: i64) -> BoxFuture<'a, Result<()>> {
        self.copy_step("could not end the copy", async move {
            let finish = self.0.query(&self.0.queries.finish_source_copy).bind(run.token.clone()).bind(last_job);
            self.0.in_run(run, async |connection| finish.execute(connection).await.map(|_| Ok(()))).await
        })
    }

    fn finish_target<'a>(&'a self, run: &'a Run, last: Numbers, pause: Option<Row>) -> BoxFuture<'a, Result<u64>> {
        self.copy_step("could not end the copy", self.0.finish_target(run, last, pause))
    }

    fn finish_controls<'a>(&'a self, run: &'a Run) -> BoxFuture<'a, Result<()>> {
        self.copy_step("could not store what operators have said", async move {
            let finish = self.0.query(&self.0.queries.finish_target_copy).bind(self.0.now()).bind(run.token.clone());
            let finish = finish.bind(None::<i64>);
            let done = self.0.in_run(run, async |connection| finish.execute(connection).await.map(|_| Ok(()))).await?;
            self.0.outdate_nodes().await?;
            Ok(done)
        })
    }

    fn take<'a>(&'a self, run: &'a Run, wanted: &'a Wanted) -> BoxFuture<'a, Result<Taken>> {
        self.copy_step("could not take jobs out of the source", self.0.take(run, wanted))
    }

    fn outgoing<'a>(&'a self, run: &'a Run, after: i64, limit: usize) -> BoxFuture<'a, Result<Vec<Moving>>> {
        self.copy_step("could not read which jobs are on their way", self.0.outgoing(run, after, limit))
    }

    fn arrive<'a>(&'a self, run: &'a Run, jobs: Vec<Moving>) -> BoxFuture<'a, Result<Vec<Arrived>>> {
        let executors = jobs.iter().map(Moving::executor).collect();
        let arrive = self.copy_step("could not store jobs in the target", self.0.arrive(run, jobs));
        Box::pin(async move {
            let arrived = arrive.await?;
            self.0.wake_and_tell(executors).await;
            Ok(arrived)
        })
    }

    fn forget_outgoing<'a>(&'a self, run: &'a Run, jobs: Vec<i64>) -> BoxFuture<'a, Result<()>> {
        let forget = self.0.query(&self.0.queries.delete_outgoing).bind(run.token.clone()).bind(jobs);
        self.copy_step("could not note that jobs have arrived", async move {
            self.0.in_run(run, async |connection| forget.execute(connection).await.map(|_| Ok(()))).await
        })
    }

    fn forget_incoming<'a>(&'a self, run: &'a Run, jobs: Option<Vec<i64>>) -> BoxFuture<'a, Result<()>> {
        let forget = self.0.query(&self.0.queries.delete_incoming).bind(run.token.clone()).bind(jobs);
        self.copy_step("could not note that jobs have come", async move {
            self.0.in_run(run, async |connection| forget.execute(connection).await.map(|_| Ok(()))).await
        })
    }

    fn left(&self, behind: i64) -> BoxFuture<'_, Result<LeftBehind>> {
        self.copy_step("could not count what is left in the source", async move {
            let mut transaction = self.0.begin_reading(Duration::MAX).await?;
            let rows = self.0.query(&self.0.queries.count_left).bind(behind).fetch_all(&mut *transaction).await?;
            transaction.commit().await?;
            let mut left = LeftBehind::default();
            for row in &rows {
                let jobs: i64 = row.try_get("jobs")?;
                left.add(row.try_get("why")?, u64::try_from(jobs).unwrap_or_default());
            }
            Ok(Ok(left))
        })
    }
}

impl Database {
    /// Does something in a transaction of its own, if this is still the newest run.
    pub(super) async fn in_run<T>(&self, run: &Run, work: impl AsyncFnOnce(&mut PgConnection) -> Step<T>) -> Step<T> {
        let mut transaction = self.begin_run().await?;
        if !self.is_newest(&mut transaction, run).await? {
            return Ok(Err(CopyError::Overtaken));
        }
        let done = work(&mut transaction).await?;
        if done.is_ok() {
            transaction.commit().await?;
        }
        Ok(done)
    }

    /// What is deleted in one database because of this must not be forgotten in a crash here, whatever the role's settings say.
    async fn begin_run(&self) -> sqlx::Result<Transaction<'static, Postgres>> {
        self.begin_with(&format!(
            "{}; SET LOCAL synchronous_commit = on",
            super::session::set_local(&super::session::INDEXED)
        ))
        .await
    }

    async fn is_newest(&self, connection: &mut PgConnection, run: &Run) -> sqlx::Result<bool> {
        let lock = self.query(&self.queries.lock_copy).bind(run.token.clone()).bind(run.number);
        Ok(lock.fetch_optional(connection).await?.is_some())
    }

    async fn copy_state(&self) -> sqlx::Result<State> {
        let identity = self
            .identify()
            .await
            .ok()
            .map(|(cluster, database)| format!("{cluster} {database} {}", self.queries.schema));
        let mut transaction = self.begin().await?;
        let row = self.query(&self.queries.find_version).fetch_one(&mut *transaction).await?;
        let [found, oldest_program] = ["version", "oldest_program"].map(|column| row.try_get::<i32, _>(column));
        let (found, oldest_program) = (found?.into(), oldest_program?.into());
        let version = SchemaVersion { found, oldest_program, known: super::migrate::KNOWN.into() };
        let last = self.last_numbers(&mut transaction).await?;
        let copies = self.query(&self.queries.list_copies).fetch_all(&mut *transaction).await?;
        let copies = copies.iter().map(copy_row).collect::<sqlx::Result<_>>()?;
        let row = self.query(&self.queries.count_outgoing).fetch_one(&mut *transaction).await?;
        let (outgoing, has_jobs): (i64, bool) = (row.try_get("jobs")?, row.try_get("has_jobs")?);
        let alive = self.query(&self.queries.list_alive).bind(self.now()).fetch_all(&mut *transaction).await?;
        transaction.commit().await?;
        let now: DateTime<Utc> = alive.first().map(|row| row::instant(row, "now")).transpose()?.unwrap_or_default();
        let alive = alive.iter().map(|row| row.try_get::<Option<String>, _>("label"));
        let alive = alive.filter_map(Result::transpose).collect::<sqlx::Result<_>>()?;
        let outgoing = u64::try_from(outgoing).unwrap_or_default();
        Ok(State { identity, version, now, alive, last, has_jobs, copies, outgoing })
    }

    async fn last_numbers(&self, connection: &mut PgConnection) -> sqlx::Result<Numbers> {
        let row = self.query(&self.queries.list_last_numbers).fetch_one(connection).await?;
        let [jobs, nodes, flows, audit] = ["jobs", "nodes", "flows", "audit"].map(|table| row.try_get(table));
        Ok(Numbers { jobs: jobs?, nodes: nodes?, flows: flows?, audit: audit? })
    }

    async fn begin_target(&self, run: &Run, is_whole: bool, source: Numbers, name: String) -> Step<Begun> {
        let mut transaction = self.begin_run().await?;
        let here = self.last_numbers(&mut transaction).await?;
        // Whoever takes numbers meanwhile takes none that is a source's.
        let from = if here.jobs > 0 { here.jobs + MARGIN } else { 0 };
        let to = source.jobs.max(from).saturating_add(RESERVE);
        let begin = self.query(&self.queries.begin_target_copy).bind(self.now()).bind(run.token.clone());
        let begin = begin.bind(run.number).bind(is_whole).bind(name).bind(from).bind(to);
        let Some(row) = begin.fetch_optional(&mut *transaction).await? else { return Ok(Err(CopyError::Overtaken)) };
        let (is_whole, is_finished): (bool, bool) = (row.try_get("is_whole")?, row.try_get("is_finished")?);
        let (from, mut to): (i64, i64) = (row.try_get("reserved_from")?, row.try_get("reserved_to")?);
        if is_whole && !is_finished && source.jobs > to {
            to = self.reserve_more(&mut transaction, run, source, to).await?;
        }
        if here.jobs < to {
            if here.jobs > from {
                // A run before this one has not come to raise the number.
                let reserve =
                    self.query(&self.queries.reserve_numbers).bind(run.token.clone()).bind(here.jobs + MARGIN);
                reserve.execute(&mut *transaction).await?;
            }
            self.raise_number(&mut transaction, "jobs", to).await?;
        }
        if is_whole && !is_finished {
            self.raise_number(&mut transaction, "nodes", source.nodes).await?;
            self.raise_number(&mut transaction, "flows", source.flows).await?;
            self.raise_number(&mut transaction, "audit", source.audit).await?;
            let pause = self.query(&self.queries.store_pause).bind(self.now()).bind("").bind(None::<DateTime<Utc>>);
            pause.bind("rexecutor copy").bind(INCOMPLETE).execute(&mut *transaction).await?;
        }
        let target = row.try_get::<Option<String>, _>("target")?.unwrap_or_default();
        transaction.commit().await?;
        self.outdate_nodes().await?;
        Ok(Ok(Begun { target, is_finished, reserved_to: to }))
    }

    /// The source has given out more numbers than this one has kept for it since the first run. Those that follow are free as long as no
    /// job of its own has one.
    async fn reserve_more(
        &self,
        connection: &mut PgConnection,
        run: &Run,
        source: Numbers,
        to: i64,
    ) -> sqlx::Result<i64> {
        self.query(&self.queries.hold_inserts).execute(&mut *connection).await?;
        if self.last_numbers(&mut *connection).await?.jobs > to {
            return Ok(to);
        }
        let more = source.jobs.saturating_add(RESERVE);
        let reserve = self.query(&self.queries.reserve_more).bind(run.token.clone()).bind(more);
        reserve.execute(connection).await?;
        Ok(more)
    }

    async fn raise_number(&self, connection: &mut PgConnection, table: &str, least: i64) -> sqlx::Result<()> {
        let schema = &self.queries.schema;
        let sql =
            self.queries.raise_number.replace(&format!("{schema}.jobs_id_seq"), &format!("{schema}.{table}_id_seq"));
        self.query(&sql.into()).bind(least).execute(connection).await.map(drop)
    }

    async fn finish_target(&self, run: &Run, last: Numbers, pause: Option<Row>) -> Step<u64> {
        let no_pause = vec![Value::Text(String::new())];
        let statements = self.delete_rows(&CONTROLS, &[no_pause]).and_then(|delete| {
            let pause = pause.map(|pause| self.write_rows(&CONTROLS, &[pause], true)).transpose()?;
            Ok((delete, pause))
        });
        let (resume, pause) = match statements {
            Ok(statements) => statements,
            Err(error) => return Ok(Err(error)),
        };
        let done = self
            .in_run(run, async |connection| {
                self.query(&self.queries.hold_inserts).execute(&mut *connection).await?;
                let find = self.query(&self.queries.find_reserved).bind(run.token.clone());
                let reserved: i64 = find.fetch_one(&mut *connection).await?.try_get("reserved_to")?;
                let count = self.query(&self.queries.count_other_jobs).bind(reserved);
                let others: i64 = count.fetch_one(&mut *connection).await?.try_get("jobs")?;
                let lower = self.query(&self.queries.lower_number).bind(last.jobs).bind(reserved);
                let is_lowered = others == 0 && lower.fetch_optional(&mut *connection).await?.is_some();
                let finish = self.query(&self.queries.finish_target_copy).bind(self.now()).bind(run.token.clone());
                finish.bind(is_lowered.then_some(last.jobs)).execute(&mut *connection).await?;
                resume.execute(&mut *connection).await?;
                if let Some(pause) = pause {
                    pause.execute(&mut *connection).await?;
                }
                Ok(Ok(u64::try_from(others).unwrap_or_default()))
            })
            .await?;
        self.outdate_nodes().await?;
        Ok(done)
    }
}

fn copy_row(row: &PgRow) -> sqlx::Result<CopyRow> {
    Ok(CopyRow {
        token: row.try_get("token")?,
        is_source: row.try_get("is_source")?,
        is_whole: row.try_get("is_whole")?,
        is_finished: row.try_get("is_finished")?,
        last_job: row.try_get("last_job")?,
    })
}
