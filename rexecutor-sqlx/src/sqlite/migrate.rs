//! Bringing the tables up to the version that this program knows.
//!
//! The list of what was applied is the backend's own: `_sqlx_migrations` belongs to the application.

use std::path::Path;

use rexecutor::clock::Clock;
use sqlx::{Connection, SqliteConnection};

use super::{error::OpenError, row::micros};

/// Name and statements of each version, from 1. Released ones are never edited.
const MIGRATIONS: [(&str, &str); 1] = [("create tables", include_str!("migrations/0001_create_tables.sql"))];

/// Applies what is missing, in one transaction: of two processes that start at once, one waits and finds it done.
pub(super) async fn migrate(conn: &mut SqliteConnection, path: &Path, clock: &dyn Clock) -> Result<(), OpenError> {
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    let found = apply(conn, clock).await.map_err(|error| OpenError::new(path.to_owned(), error))?;
    if found > known {
        return Err(OpenError::TooNew { path: path.to_owned(), found, known });
    }
    Ok(())
}

/// Returns the version that was there.
async fn apply(conn: &mut SqliteConnection, clock: &dyn Clock) -> Result<i64, sqlx::Error> {
    let mut transaction = conn.begin_with("BEGIN IMMEDIATE").await?;
    sqlx::query(include_str!("queries/create_migrations.sql")).execute(&mut *transaction).await?;
    let find = sqlx::query_scalar(include_str!("queries/find_version.sql"));
    let found: i64 = find.fetch_one(&mut *transaction).await?;
    for (version, (name, sql)) in (1_i64..).zip(MIGRATIONS).filter(|(version, _)| *version > found) {
        sqlx::raw_sql(sql).execute(&mut *transaction).await?;
        let insert = sqlx::query(include_str!("queries/insert_migration.sql")).bind(version).bind(name);
        insert.bind(micros(clock.now())).execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    Ok(found)
}
