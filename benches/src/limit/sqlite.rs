//! SQLite's limit. Inserts wait for the disk, claims and outcomes for the operating system, as in rexecutor.

use std::path::Path;

use sqlx::{
    ConnectOptions, Connection, Row, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use super::{BATCH, all, calls, data};
use crate::{error::Result, place::Place, sample::Sample, settings::Settings};

const TABLE: &str = "
CREATE TABLE bare (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    executor TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'scheduled',
    priority INTEGER NOT NULL DEFAULT 0,
    attempt INTEGER NOT NULL DEFAULT 0,
    scheduled_at INTEGER NOT NULL DEFAULT 0,
    completed_at INTEGER,
    data TEXT NOT NULL
) STRICT;
CREATE INDEX bare_ready ON bare (executor, priority, scheduled_at) WHERE status = 'scheduled';
";

const INSERT_ONE: &str = "INSERT INTO bare (executor, data) VALUES ('noop', ?1)";

const INSERT_MANY: &str = "INSERT INTO bare (executor, data) SELECT 'noop', value FROM json_each(?1)";

const CLAIM: &str = "
UPDATE bare SET status = 'executing', attempt = attempt + 1
WHERE id IN (
    SELECT id FROM bare
    WHERE executor = 'noop' AND priority = 0 AND status = 'scheduled' AND scheduled_at <= 1
    ORDER BY scheduled_at, id LIMIT ?1
)
RETURNING id, data";

const COMPLETE: &str =
    "UPDATE bare SET status = 'complete', completed_at = 1 WHERE id IN (SELECT value FROM json_each(?1))";

pub(super) async fn run(place: &Place, settings: &Settings, jobs: usize, path: &Path) -> Result<Vec<Sample>> {
    let file = SqliteConnectOptions::new().filename(path).create_if_missing(true).journal_mode(SqliteJournalMode::Wal);
    let file = file.row_buffer_size(1_000).synchronous(SqliteSynchronous::Full).disable_statement_logging();
    let mut connection = file.connect().await?;
    sqlx::raw_sql(TABLE).execute(&mut connection).await?;
    // Few of what is slow, as in `enqueue`.
    let mut samples = insert_one_by_one(place, settings, &mut connection, jobs.div_ceil(10)).await?;
    sqlx::raw_sql("DELETE FROM bare").execute(&mut connection).await?;
    samples.extend(insert_many(place, settings, &mut connection, jobs).await?);
    sqlx::raw_sql("PRAGMA synchronous = NORMAL").execute(&mut connection).await?;
    samples.extend(drain(place, &mut connection, jobs).await?);
    connection.close().await?;
    Ok(samples)
}

async fn insert_one_by_one(
    place: &Place,
    settings: &Settings,
    connection: &mut SqliteConnection,
    jobs: usize,
) -> Result<Vec<Sample>> {
    let work = async {
        for number in 0..jobs {
            sqlx::query(INSERT_ONE).bind(data(number, settings)?).execute(&mut *connection).await?;
        }
        Ok(())
    };
    Ok(place.measure("one-row inserts, 1 task", jobs, work).await?.1)
}

async fn insert_many(
    place: &Place,
    settings: &Settings,
    connection: &mut SqliteConnection,
    jobs: usize,
) -> Result<Vec<Sample>> {
    let work = async {
        for numbers in calls(jobs) {
            let many: Vec<String> = numbers.map(|number| data(number, settings)).collect::<Result<_>>()?;
            sqlx::query(INSERT_MANY).bind(serde_json::to_string(&many)?).execute(&mut *connection).await?;
        }
        Ok(())
    };
    Ok(place.measure("json_each inserts of 1,000", jobs, work).await?.1)
}

async fn drain(place: &Place, connection: &mut SqliteConnection, jobs: usize) -> Result<Vec<Sample>> {
    let work = async {
        let mut done = 0;
        loop {
            let claimed = sqlx::query(CLAIM).bind(BATCH).fetch_all(&mut *connection).await?;
            if claimed.is_empty() {
                return Ok(done);
            }
            let ids = claimed.iter().map(|row| row.try_get("id")).collect::<Result<Vec<i64>, _>>()?;
            let complete = sqlx::query(COMPLETE).bind(serde_json::to_string(&ids)?);
            done += usize::try_from(complete.execute(&mut *connection).await?.rows_affected())?;
        }
    };
    let (done, samples) = place.measure("claim and complete", jobs, work).await?;
    all("completed", done, jobs)?;
    Ok(samples)
}
