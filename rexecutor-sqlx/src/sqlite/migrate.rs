//! Bringing the tables up to date.
//!
//! The list of what was applied is the backend's own: `_sqlx_migrations` belongs to the application. Each migration says which
//! programs may run against the tables that it leaves: a program older than that refuses to open the file, and a migration
//! refuses to run while such a program's node is alive. All others may work on the file beside each other.

use std::path::Path;

use rexecutor::clock::Clock;
use sqlx::{Connection, Row, SqliteConnection};

use super::{error::OpenError, queries, row::micros};
use crate::common::{SchemaVersion, joined};

struct Migration {
    name: &'static str,
    sql: &'static str,
    /// The oldest program, by the newest version that it knows, that may run once this is done.
    oldest_program: i64,
}

/// In order; the first has number 1. A released one is never edited.
const MIGRATIONS: &[Migration] =
    &[Migration { name: "create_tables", sql: include_str!("migrations/0001_create_tables.sql"), oldest_program: 1 }];

/// The newest version that this program knows.
pub(super) const KNOWN: i64 = 1;

/// What a program knows of the tables' history.
#[derive(Clone, Copy)]
struct Program {
    migrations: &'static [Migration],
    known: i64,
}

const THIS: Program = Program { migrations: MIGRATIONS, known: KNOWN };

/// Applies what is missing, in one transaction: of two processes that start at once, one waits and finds it done.
pub(super) async fn migrate(conn: &mut SqliteConnection, path: &Path, clock: &dyn Clock) -> Result<(), OpenError> {
    migrate_as(THIS, conn, path, clock).await
}

/// Checks that nothing is left to do.
pub(super) async fn check(conn: &mut SqliteConnection, path: &Path) -> Result<(), OpenError> {
    let version = version(conn, path).await?;
    if version.oldest_program > KNOWN {
        let SchemaVersion { found, oldest_program: oldest, known } = version;
        return Err(OpenError::TooNew { path: path.to_owned(), found, oldest, known });
    }
    match version.found < KNOWN {
        true => Err(OpenError::NotMigrated { path: path.to_owned(), found: version.found, known: KNOWN }),
        false => Ok(()),
    }
}

/// Which tables there are.
pub(super) async fn version(conn: &mut SqliteConnection, path: &Path) -> Result<SchemaVersion, OpenError> {
    let failed = |error| OpenError::new(path.to_owned(), error);
    let is_ours: bool = sqlx::query_scalar(queries::find_migrations()).fetch_one(&mut *conn).await.map_err(failed)?;
    if !is_ours {
        return Ok(SchemaVersion { found: 0, oldest_program: 0, known: KNOWN });
    }
    let row = sqlx::query(queries::find_version()).fetch_one(conn).await.map_err(failed)?;
    let (found, oldest_program) =
        (row.try_get("version").map_err(failed)?, row.try_get("oldest_program").map_err(failed)?);
    Ok(SchemaVersion { found, oldest_program, known: KNOWN })
}

/// Every statement that makes the tables.
pub(super) fn whole() -> impl Iterator<Item = &'static str> {
    [queries::create_migrations()].into_iter().chain(MIGRATIONS.iter().map(|migration| migration.sql))
}

/// The statement that records all migrations.
pub(super) fn record() -> String {
    let now = NOW;
    let values = (1..)
        .zip(MIGRATIONS)
        .map(|(version, one)| format!("({version}, '{}', {}, {now})", one.name, one.oldest_program));
    let values = values.collect::<Vec<_>>().join(", ");
    format!("INSERT INTO rexecutor_migrations (version, name, oldest_program, applied_at) VALUES {values};")
}

// `unixepoch('subsec')` is younger than many command-line programs of SQLite.
const NOW: &str = "1000000 * CAST(strftime('%s', 'now') AS INTEGER)";

/// The statements that bring tables of this version up to date, in one transaction.
pub(super) fn script(from: i64) -> String {
    let mut parts = vec!["BEGIN IMMEDIATE".to_owned(), queries::create_migrations().to_owned()];
    for (version, Migration { name, sql, oldest_program }) in (1..).zip(MIGRATIONS).filter(|(one, _)| *one > from) {
        let values: [(&str, String); 4] = [
            ("?1", version.to_string()),
            ("?2", format!("'{name}'")),
            ("?3", oldest_program.to_string()),
            ("?4", NOW.to_owned()),
        ];
        let insert = queries::insert_migration().to_owned();
        let insert = values.into_iter().fold(insert, |sql, (place, value)| sql.replace(place, &value));
        parts.extend([(*sql).to_owned(), insert]);
    }
    parts.push("COMMIT".to_owned());
    joined(&parts)
}

async fn migrate_as(
    program: Program,
    conn: &mut SqliteConnection,
    path: &Path,
    clock: &dyn Clock,
) -> Result<(), OpenError> {
    let failed = |error| OpenError::new(path.to_owned(), error);
    let now = micros(clock.now());
    let mut transaction = conn.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
    sqlx::query(queries::create_migrations()).execute(&mut *transaction).await.map_err(failed)?;
    let row = sqlx::query(queries::find_version()).fetch_one(&mut *transaction).await.map_err(failed)?;
    let (found, oldest): (i64, i64) =
        (row.try_get("version").map_err(failed)?, row.try_get("oldest_program").map_err(failed)?);
    if oldest > program.known {
        return Err(OpenError::TooNew { path: path.to_owned(), found, oldest, known: program.known });
    }
    for (version, migration) in (1..).zip(program.migrations).filter(|(version, _)| *version > found) {
        let oldest = migration.oldest_program;
        if version > 1 {
            let find = sqlx::query_scalar(queries::find_oldest_node()).bind(now);
            let running: Option<i64> = find.fetch_one(&mut *transaction).await.map_err(failed)?;
            if let Some(running) = running.filter(|running| *running < oldest) {
                return Err(OpenError::OldNodes { path: path.to_owned(), version, oldest, running });
            }
        }
        sqlx::raw_sql(migration.sql).execute(&mut *transaction).await.map_err(failed)?;
        let insert = sqlx::query(queries::insert_migration()).bind(version).bind(migration.name).bind(oldest);
        insert.bind(now).execute(&mut *transaction).await.map_err(failed)?;
    }
    transaction.commit().await.map_err(failed)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rexecutor::{
        backend::{Claim, Demand, Enqueue, Maintain, NewJob, Node},
        clock::SystemClock,
    };
    use sqlx::{ConnectOptions, sqlite::SqliteConnectOptions};

    use super::*;
    use crate::SqliteBackend;

    const FIRST: Migration =
        Migration { name: "create_tables", sql: include_str!("migrations/0001_create_tables.sql"), oldest_program: 1 };

    /// The next release, which adds a column that nobody must know of.
    const ADDITIVE: Program = Program {
        migrations: &[
            FIRST,
            Migration { name: "add_note", sql: "ALTER TABLE rexecutor_jobs ADD COLUMN note TEXT", oldest_program: 1 },
        ],
        known: 2,
    };

    /// A release that the first one cannot work with.
    const BREAKING: Program = Program {
        migrations: &[
            FIRST,
            Migration {
                name: "split",
                sql: "ALTER TABLE rexecutor_jobs RENAME COLUMN data TO body",
                oldest_program: 2,
            },
        ],
        known: 2,
    };

    #[test]
    fn every_migration_has_a_number() {
        assert_eq!(MIGRATIONS.len(), usize::try_from(KNOWN).unwrap());
        assert_eq!(MIGRATIONS[0].sql, FIRST.sql);
    }

    /// A rolling deploy, from the first tables on: the new program migrates while a node of the old one works.
    #[tokio::test]
    async fn an_old_node_goes_on_through_an_additive_migration_and_keeps_a_breaking_one_out() {
        for (next, is_breaking) in [(ADDITIVE, false), (BREAKING, true)] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("jobs.db");
            let old = SqliteBackend::open(&path).await.unwrap();
            let node = old.join(&Node::new("old", Duration::from_secs(600))).await.unwrap();
            let mut connection = SqliteConnectOptions::new().filename(&path).connect().await.unwrap();
            match (is_breaking, migrate_as(next, &mut connection, &path, &SystemClock).await) {
                (false, Ok(())) => {}
                (true, Err(error @ OpenError::OldNodes { version: 2, oldest: 2, running: 1, .. })) => {
                    assert!(error.to_string().contains("stop them first"), "{error}");
                }
                (_, other) => panic!("{other:?}"),
            }
            // The old node notices nothing.
            let _ = old.enqueue(vec![NewJob::new("mail", "1")]).await.unwrap();
            let claimed = old.claim(node, [Demand::new("mail", 5)].into()).await.unwrap();
            assert_eq!(claimed.jobs.len(), 1);
            old.leave(node).await.unwrap();
            migrate_as(next, &mut connection, &path, &SystemClock).await.unwrap();
            old.close().await;
            // Whoever starts the old program now is accepted, or told to update it.
            match (is_breaking, SqliteBackend::open(&path).await) {
                (false, Ok(_)) => {}
                (true, Err(error @ OpenError::TooNew { found: 2, oldest: 2, known: 1, .. })) => {
                    assert!(error.to_string().contains("update"), "{error}");
                }
                (_, other) => panic!("{other:?}"),
            }
        }
    }
}
