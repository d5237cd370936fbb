//! Bringing the schema up to date.
//!
//! A migration that was released is never edited. All of them run in one transaction that holds the write lock from its
//! start, so of two processes that open a new file at once, one migrates and the other finds it done.

use std::path::Path;

use chrono::{DateTime, Utc};
use sqlx::{Connection, SqliteConnection};

use super::error::OpenError;

/// Every migration, in order; the version is the position, from 1.
const MIGRATIONS: [&str; 1] = [include_str!("migrations/0001_jobs.sql")];

pub(super) async fn run(connection: &mut SqliteConnection, now: DateTime<Utc>, path: &Path) -> Result<(), OpenError> {
    let found = migrate(connection, now).await.map_err(|error| OpenError::new(path.to_owned(), error))?;
    let known = MIGRATIONS.len() as i64;
    match found > known {
        true => Err(OpenError::SchemaTooNew { path: path.to_owned(), found, known }),
        false => Ok(()),
    }
}

/// Runs what is missing, and returns the version that was found.
async fn migrate(connection: &mut SqliteConnection, now: DateTime<Utc>) -> sqlx::Result<i64> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    sqlx::query(include_str!("queries/create_migrations.sql")).execute(&mut *transaction).await?;
    let found: i64 = sqlx::query_scalar(include_str!("queries/find_version.sql")).fetch_one(&mut *transaction).await?;
    for (version, migration) in (1_i64..).zip(MIGRATIONS).filter(|(version, _)| *version > found) {
        sqlx::raw_sql(migration).execute(&mut *transaction).await?;
        let insert = sqlx::query(include_str!("queries/insert_migration.sql"));
        insert.bind(version).bind(now.timestamp_micros()).execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    Ok(found)
}
