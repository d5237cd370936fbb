//! PostgreSQL's limit. The table has what a claim needs, and keeps what is complete.

use std::sync::Arc;

use rexecutor::clock::{Clock, SystemClock};
use sqlx::{
    AssertSqlSafe, Connection, PgConnection, PgPool, Postgres, Row,
    postgres::{PgArguments, PgListener, PgPoolOptions},
    query::Query,
};

use super::{BATCH, all, calls, data};
use crate::{
    child::PACE,
    error::{Error, Result},
    place::Place,
    sample::Sample,
    settings::Settings,
    tally::{Tally, micros_now},
};

const TABLE: &str = "
CREATE TABLE {schema}.bare (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    executor TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'scheduled',
    priority INTEGER NOT NULL DEFAULT 0,
    attempt INTEGER NOT NULL DEFAULT 0,
    scheduled_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    completed_at TIMESTAMPTZ,
    data TEXT NOT NULL
);
CREATE INDEX ON {schema}.bare (executor, priority, scheduled_at, id) WHERE status = 'scheduled';
";

const INSERT_ONE: &str = "INSERT INTO {schema}.bare (executor, data) VALUES ('noop', $1)";

const INSERT_MANY: &str =
    "INSERT INTO {schema}.bare (executor, data) SELECT 'noop', data FROM unnest($1::TEXT []) AS data";

const CLAIM: &str = "
UPDATE {schema}.bare SET status = 'executing', attempt = attempt + 1
WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM {schema}.bare
    WHERE executor = 'noop' AND priority = 0 AND status = 'scheduled' AND scheduled_at <= now()
    ORDER BY scheduled_at, id LIMIT $1 FOR UPDATE SKIP LOCKED
))
RETURNING id, data";

const COMPLETE: &str = "UPDATE {schema}.bare SET status = 'complete', completed_at = now() WHERE id = ANY ($1)";

/// How many clients drain: while one waits for the disk, the other works.
const CLIENTS: usize = 2;

struct Limit<'a> {
    place: &'a Place,
    settings: &'a Settings,
    pool: PgPool,
    schema: &'a str,
    insert_one: Arc<str>,
    insert_many: Arc<str>,
    claim: Arc<str>,
    complete: Arc<str>,
}

/// A statement that stays prepared.
fn query(sql: &Arc<str>) -> Query<'static, Postgres, PgArguments> {
    sqlx::query(AssertSqlSafe(sql.clone()))
}

pub(super) async fn run(
    place: &Place,
    settings: &Settings,
    jobs: usize,
    url: &str,
    schema: &str,
) -> Result<Vec<Sample>> {
    let connections = u32::try_from(settings.tasks().max(CLIENTS))?;
    let pool = PgPoolOptions::new().max_connections(connections).min_connections(connections).connect(url).await?;
    let sql = |sql: &str| Arc::from(sql.replace("{schema}", schema));
    let (insert_one, insert_many, claim, complete) = (sql(INSERT_ONE), sql(INSERT_MANY), sql(CLAIM), sql(COMPLETE));
    let limit = Limit { place, settings, pool, schema, insert_one, insert_many, claim, complete };
    // Few of what is slow, as in `enqueue`.
    let few = jobs.div_ceil(10);
    limit.clear().await?;
    let mut samples = limit.insert_one_by_one("one-row inserts, 1 task", few, 1).await?;
    limit.clear().await?;
    let tasks = settings.tasks();
    samples.extend(limit.insert_one_by_one(&format!("one-row inserts, {tasks} tasks"), jobs, tasks).await?);
    limit.clear().await?;
    samples.extend(limit.insert_many(jobs).await?);
    samples.extend(limit.drain(jobs).await?);
    samples.extend(limit.latency(url, few.min(500)).await?);
    limit.pool.close().await;
    Ok(samples)
}

impl Limit<'_> {
    /// Begins with an empty table.
    async fn clear(&self) -> Result<()> {
        self.execute("DROP TABLE IF EXISTS {schema}.bare").await?;
        self.execute(TABLE).await
    }

    async fn execute(&self, sql: &str) -> Result<()> {
        let sql = AssertSqlSafe(sql.replace("{schema}", self.schema));
        sqlx::raw_sql(sql).execute(&self.pool).await?;
        Ok(())
    }

    async fn insert_one_by_one(&self, case: &str, jobs: usize, tasks: usize) -> Result<Vec<Sample>> {
        let task = async |first: usize| {
            let mut connection = self.pool.acquire().await?;
            for number in (first..jobs).step_by(tasks) {
                let insert = query(&self.insert_one).bind(data(number, self.settings)?);
                insert.execute(&mut *connection).await?;
            }
            Ok::<_, Error>(())
        };
        let work = async { futures::future::try_join_all((0..tasks).map(task)).await };
        Ok(self.place.measure(case, jobs, work).await?.1)
    }

    async fn insert_many(&self, jobs: usize) -> Result<Vec<Sample>> {
        let mut connection = self.pool.acquire().await?;
        let work = async {
            for numbers in calls(jobs) {
                let many: Vec<String> = numbers.map(|number| data(number, self.settings)).collect::<Result<_>>()?;
                query(&self.insert_many).bind(many).execute(&mut *connection).await?;
            }
            Ok(())
        };
        Ok(self.place.measure("UNNEST inserts of 1,000", jobs, work).await?.1)
    }

    /// Drains what is in the table.
    async fn drain(&self, jobs: usize) -> Result<Vec<Sample>> {
        self.execute("VACUUM ANALYZE {schema}.bare").await?;
        let client = async |_| {
            let (mut connection, mut done) = (self.pool.acquire().await?, 0);
            loop {
                let claimed = query(&self.claim).bind(BATCH).fetch_all(&mut *connection).await?;
                if claimed.is_empty() {
                    return Ok::<_, Error>(done);
                }
                let ids = claimed.iter().map(|row| row.try_get("id")).collect::<Result<Vec<i64>, _>>()?;
                let complete = query(&self.complete).bind(ids).execute(&mut *connection).await?;
                done += usize::try_from(complete.rows_affected())?;
            }
        };
        let work = async { futures::future::try_join_all((0..CLIENTS).map(client)).await };
        let (done, samples) = self.place.measure("claim and complete", jobs, work).await?;
        all("completed", done.into_iter().sum(), jobs)?;
        Ok(samples)
    }

    /// One connection inserts a job and notifies another one, which claims it.
    async fn latency(&self, url: &str, jobs: usize) -> Result<Vec<Sample>> {
        let tally = Tally::default();
        let mut listener = PgListener::connect(url).await?;
        listener.listen(self.schema).await?;
        let enqueue = async {
            let mut connection = PgConnection::connect(url).await?;
            for _ in 0..jobs {
                query(&self.insert_one).bind(micros_now().to_string()).execute(&mut connection).await?;
                sqlx::query("SELECT pg_notify($1, '')").bind(self.schema).execute(&mut connection).await?;
                SystemClock.sleep(PACE).await;
            }
            connection.close().await?;
            Ok::<_, Error>(())
        };
        let claim = async {
            let mut connection = PgConnection::connect(url).await?;
            while tally.run() < jobs {
                listener.recv().await?;
                for row in query(&self.claim).bind(BATCH).fetch_all(&mut connection).await? {
                    tally.count_since(row.try_get::<String, _>("data")?.parse()?);
                }
            }
            connection.close().await?;
            Ok::<_, Error>(())
        };
        tokio::try_join!(enqueue, claim)?;
        Ok(tally.delays("insert, notify and claim", 0))
    }
}
