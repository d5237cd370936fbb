//! The table of rexecutor 0.1 beside ours: see `import`.

use std::{collections::BTreeSet, sync::Arc};

use rexecutor::{backend::BackendError, job::ExecutorName};
use sqlx::{
    PgConnection, Postgres, Row as _,
    postgres::{PgArguments, PgRow},
    query::Query,
};

use super::{
    backend::{Database, PgBackend},
    row::Micros,
};
use crate::{
    copy::{
        CopyError, jobs,
        tables::JOBS,
        value::{Row, Value},
    },
    import::{Batch, ImportError, Moved, OldJobs, RefusedJob, Result, old_job::OldJob},
};

/// What is done in the database: its own failures, and those of the import.
type Step<T> = sqlx::Result<Result<T>>;

/// The columns that 0.1.1 makes, each with the name of its type.
const COLUMNS: [(&str, &str); 18] = [
    ("id", "int4"),
    ("status", "rexecutor_job_state"),
    ("executor", "varchar"),
    ("data", "jsonb"),
    ("errors", "_jsonb"),
    ("attempt", "int4"),
    ("max_attempts", "int4"),
    ("attempted_by", "_varchar"),
    ("tags", "_varchar"),
    ("metadata", "jsonb"),
    ("priority", "int4"),
    ("uniqueness_key", "int8"),
    ("inserted_at", "timestamptz"),
    ("scheduled_at", "timestamptz"),
    ("attempted_at", "timestamptz"),
    ("completed_at", "timestamptz"),
    ("cancelled_at", "timestamptz"),
    ("discarded_at", "timestamptz"),
];

/// What a role that may not see another one's statement is shown in its place.
const HIDDEN: &str = "<insufficient privilege>";

/// Old jobs that are read, some of which can be ours.
#[derive(Default)]
struct Read {
    ids: Vec<i32>,
    rows: Vec<Row>,
    moved: Moved,
}

impl PgBackend {
    /// Makes sure that the table is there, is as 0.1.1 makes it, and may be changed.
    pub(crate) async fn check_old_table(&self, schema: &str) -> Result<()> {
        self.old_step("could not look for the table of rexecutor 0.1", async {
            let mut transaction = self.0.begin_free().await?;
            let find = self.0.query(&self.0.queries.list_old_columns).bind(schema.to_owned());
            let rows = find.fetch_all(&mut *transaction).await?;
            let rights = self.0.query(&self.0.queries.list_missing_rights).bind(schema.to_owned());
            let rights = rights.bind(self.0.queries.schema.clone());
            let rights = rights.fetch_optional(&mut *transaction).await?;
            transaction.commit().await?;
            let column = |row: &PgRow| Ok((row.try_get("name")?, row.try_get("type")?));
            let found = rows.iter().map(column).collect::<sqlx::Result<Vec<(String, String)>>>()?;
            let ours = &self.0.queries.schema;
            let lacking = rights.map(|row| lacking(schema, ours, &row)).transpose()?.flatten();
            Ok(check_columns(schema, &found).and_then(|()| lacking.map_or(Ok(()), Err)))
        })
        .await
    }

    /// Makes sure that no program of 0.1 is connected.
    pub(crate) async fn find_old_programs(&self) -> Result<()> {
        self.old_step("could not look for programs of rexecutor 0.1", async {
            let mut transaction = self.0.begin_free().await?;
            let alone = self.0.is_alone(&mut transaction).await?;
            transaction.commit().await?;
            Ok(alone)
        })
        .await
    }

    /// How many jobs the old table has, by executor and status.
    pub(crate) async fn count_old_jobs(&self, schema: &str) -> Result<Vec<OldJobs>> {
        self.old_step("could not count the jobs of rexecutor 0.1", async {
            let mut transaction = self.0.begin_free().await?;
            let count = self.0.of_old_table(&self.0.queries.count_old_jobs, schema, "");
            let rows = count.fetch_all(&mut *transaction).await?;
            transaction.commit().await?;
            let counted = |row: &PgRow| {
                let jobs = u64::try_from(row.try_get::<i64, _>("jobs")?).unwrap_or_default();
                Ok(OldJobs::new(row.try_get("executor")?, row.try_get("status")?, jobs))
            };
            let mut counts = rows.iter().map(counted).collect::<sqlx::Result<Vec<_>>>()?;
            // In the order of their bytes, whatever the database's collation.
            counts.sort_by(|one, other| (&one.executor, &one.status).cmp(&(&other.executor, &other.status)));
            Ok(Ok(counts))
        })
        .await
    }

    /// Numbers of old jobs behind this one, and about how many bytes each has.
    pub(crate) async fn list_old_jobs(
        &self,
        schema: &str,
        statuses: &[&'static str],
        executors: &[String],
        (after, limit): (i32, usize),
    ) -> Result<Vec<(i32, i64)>> {
        self.old_step("could not list the jobs of rexecutor 0.1", async {
            // Free: an index is the better way to few of them, and the table to all.
            let mut transaction = self.0.begin_free().await?;
            let list = self.0.of_old_table(&self.0.queries.list_old_jobs, schema, "").bind(words(statuses));
            let list = list.bind(executors.to_vec()).bind(after).bind(i64::try_from(limit).unwrap_or(i64::MAX));
            let rows = list.fetch_all(&mut *transaction).await?;
            transaction.commit().await?;
            let one = |row: &PgRow| Ok((row.try_get("id")?, row.try_get("bytes")?));
            Ok(Ok(rows.iter().map(one).collect::<sqlx::Result<_>>()?))
        })
        .await
    }

    /// Moves jobs in one transaction.
    pub(crate) async fn move_old_jobs(&self, batch: &Batch<'_>) -> Result<Moved> {
        let moved = self.old_step("could not move jobs of rexecutor 0.1", self.0.move_old_jobs(batch)).await?;
        let executors = moved.jobs.iter().map(|(executor, _)| ExecutorName::from(executor.clone()));
        self.0.wake_and_tell(executors.collect::<BTreeSet<_>>()).await;
        Ok(moved)
    }

    /// What that would come to.
    pub(crate) async fn try_old_jobs(&self, batch: &Batch<'_>) -> Result<Moved> {
        self.old_step("could not read jobs of rexecutor 0.1", async {
            let mut transaction = self.0.begin().await?;
            let read = self.0.read_old_jobs(&mut transaction, batch, "").await?;
            transaction.commit().await?;
            Ok(Ok(read.moved))
        })
        .await
    }

    async fn old_step<T>(&self, what: &'static str, work: impl Future<Output = Step<T>>) -> Result<T> {
        self.0.limited(what, work).await?
    }
}

impl Database {
    /// A statement about the old table; `lock` is how its rows are locked.
    fn of_old_table(&self, sql: &Arc<str>, schema: &str, lock: &str) -> Query<'static, Postgres, PgArguments> {
        let quoted = format!("\"{}\"", schema.replace('"', "\"\""));
        // The name of the schema may contain anything.
        self.copy_query(sql.replace("{lock}", lock).replace("{old_schema}", &quoted))
    }

    async fn is_alone(&self, connection: &mut PgConnection) -> Step<()> {
        let rows = self.query(&self.queries.list_old_programs).bind(HIDDEN).fetch_all(connection).await?;
        let (mut sessions, mut hidden) = (Vec::new(), 0);
        for row in &rows {
            match row.try_get("is_hidden")? {
                true => hidden += 1,
                false => sessions.push(row.try_get("session")?),
            }
        }
        Ok(match (sessions.is_empty(), hidden) {
            (false, _) => Err(ImportError::ProgramsAlive { sessions }),
            (true, 0) => Ok(()),
            (true, sessions) => Err(ImportError::Hidden { sessions }),
        })
    }

    async fn read_old_jobs(&self, connection: &mut PgConnection, batch: &Batch<'_>, lock: &str) -> sqlx::Result<Read> {
        let read = self.of_old_table(&self.queries.read_old_jobs, batch.schema, lock).bind(self.now());
        let read = read.bind(batch.ids.clone()).bind(words(batch.statuses));
        let mut found = Read::default();
        for stored in &read.fetch_all(connection).await? {
            let old = old_job(stored)?;
            let (id, executor, status) = (old.id, old.executor.clone(), old.status.clone());
            match old.convert(batch.max_data_bytes) {
                Ok(row) => {
                    found.ids.push(id);
                    found.rows.push(row);
                    found.moved.jobs.push((executor, status));
                }
                Err(problem) => found.moved.refused.push(RefusedJob { id, executor, status, problem }),
            }
        }
        Ok(found)
    }

    async fn move_old_jobs(&self, batch: &Batch<'_>) -> Step<Moved> {
        let mut transaction = self.begin().await?;
        if batch.must_be_alone
            && let Err(error) = self.is_alone(&mut transaction).await?
        {
            return Ok(Err(error));
        }
        let Read { ids, rows, moved } = self.read_old_jobs(&mut transaction, batch, batch.lock).await?;
        if !ids.is_empty() {
            if let Err(error) = self.put_old_jobs(&mut transaction, rows).await? {
                return Ok(Err(error));
            }
            let (schema, count) = (batch.schema, ids.len() as u64);
            let delete = self.of_old_table(&self.queries.delete_old_jobs, schema, "").bind(ids);
            if delete.execute(&mut *transaction).await?.rows_affected() != count {
                return Ok(Err(odd("not all jobs that were moved could be deleted from the old table")));
            }
            (batch.stored)(count);
        }
        transaction.commit().await?;
        Ok(Ok(moved))
    }

    /// Stores them under new numbers, in their order, and compares what is stored then.
    async fn put_old_jobs(&self, connection: &mut PgConnection, mut rows: Vec<Row>) -> Step<()> {
        let take = self.query(&self.queries.take_numbers).bind(i32::try_from(rows.len()).unwrap_or(i32::MAX));
        let taken = take.fetch_all(&mut *connection).await?;
        let mut numbers = taken.iter().map(|row| row.try_get("id")).collect::<sqlx::Result<Vec<i64>>>()?;
        numbers.sort_unstable();
        for (row, number) in rows.iter_mut().zip(&numbers) {
            jobs::set(row, jobs::ID, Value::Long(*number));
        }
        let unfit = |error: CopyError| ImportError::from(BackendError::permanent("could not store jobs", error));
        match self.write_rows(&JOBS, &rows, false) {
            Ok(statement) => {
                statement.execute(&mut *connection).await?;
            }
            Err(error) => return Ok(Err(unfit(error))),
        }
        let mut stored = match self.read_parts(connection, &JOBS, &numbers).await? {
            Ok(stored) => stored,
            Err(error) => return Ok(Err(unfit(error))),
        };
        stored.sort_by_key(jobs::id);
        Ok(match stored == rows {
            true => Ok(()),
            false => Err(odd("what was stored of jobs is not what they are")),
        })
    }
}

fn odd(problem: &str) -> ImportError {
    BackendError::message(format!("{problem}; nothing of this step was kept")).into()
}

fn words(statuses: &[&'static str]) -> Vec<String> {
    statuses.iter().map(|status| (*status).to_owned()).collect()
}

fn check_columns(schema: &str, found: &[(String, String)]) -> Result<()> {
    let problem = |problem: String| Err(ImportError::OtherTable { schema: schema.to_owned(), problem });
    if found.is_empty() {
        return Err(ImportError::NoTable { schema: schema.to_owned() });
    }
    for (name, kind) in COLUMNS {
        match found.iter().find(|(column, _)| column == name) {
            None => return problem(format!("it has no column `{name}`")),
            Some((_, other)) if other != kind => {
                return problem(format!("its column `{name}` has the type {other}, and there it has {kind}"));
            }
            Some(_) => {}
        }
    }
    match found.iter().find(|(column, _)| COLUMNS.iter().all(|(name, _)| name != column)) {
        Some((column, _)) => {
            problem(format!("it has a column `{column}`, which would be lost: drop that column first"))
        }
        None => Ok(()),
    }
}

/// What a role lacks, if it lacks something; `ours` is our own schema, quoted.
fn lacking(schema: &str, ours: &str, row: &PgRow) -> sqlx::Result<Option<ImportError>> {
    let (role, lacks_usage): (String, bool) = (row.try_get("role")?, row.try_get("lacks_usage")?);
    let lacks: Vec<String> = row.try_get("lacks")?;
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let (to, place) = (quoted(&role), quoted(schema));
    let usage = lacks_usage.then(|| format!("GRANT USAGE ON SCHEMA {place} TO {to};"));
    let table = (!lacks.is_empty()).then(|| format!("GRANT {} ON {place}.rexecutor_jobs TO {to};", lacks.join(", ")));
    let numbers = row.try_get::<bool, _>("lacks_numbers")?;
    let numbers = numbers.then(|| format!("GRANT SELECT, USAGE ON SEQUENCE {ours}.jobs_id_seq TO {to};"));
    let sql = usage.into_iter().chain(table).chain(numbers).collect::<Vec<_>>().join(" ");
    Ok((!sql.is_empty()).then(|| ImportError::NoRights { schema: schema.to_owned(), role, sql }))
}

fn old_job(row: &PgRow) -> sqlx::Result<OldJob> {
    let micros = |column: &str| row.try_get::<Micros, _>(column).map(|at| at.0);
    let optional = |column: &str| Ok::<_, sqlx::Error>(row.try_get::<Option<Micros>, _>(column)?.map(|at| at.0));
    Ok(OldJob {
        id: row.try_get("id")?,
        status: row.try_get("status")?,
        executor: row.try_get("executor")?,
        data: row.try_get("data")?,
        metadata: row.try_get("metadata")?,
        errors: row.try_get("errors")?,
        tags: row.try_get("tags")?,
        attempt: row.try_get("attempt")?,
        max_attempts: row.try_get("max_attempts")?,
        priority: row.try_get("priority")?,
        inserted_at: micros("enqueued_at")?,
        scheduled_at: micros("due_at")?,
        attempted_at: optional("attempted_at")?,
        completed_at: optional("completed_at")?,
        cancelled_at: optional("cancelled_at")?,
        discarded_at: optional("discarded_at")?,
        now: micros("now")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_table_of_0_1_1_is_taken_for_it() {
        let known = || COLUMNS.map(|(name, kind)| (name.to_owned(), kind.to_owned())).to_vec();
        let said = |found: &[(String, String)]| check_columns("public", found).unwrap_err().to_string();
        assert!(check_columns("public", &known()).is_ok());
        assert!(said(&[]).starts_with("there is no table `public.rexecutor_jobs`"));
        let mut found = known();
        found.push(("tenant".to_owned(), "text".to_owned()));
        assert!(said(&found).ends_with("it has a column `tenant`, which would be lost: drop that column first"));
        found = known();
        found[3].1 = "json".to_owned();
        assert!(said(&found).ends_with("its column `data` has the type json, and there it has jsonb"));
        found.remove(3);
        assert!(said(&found).ends_with("it has no column `data`"));
    }
}
