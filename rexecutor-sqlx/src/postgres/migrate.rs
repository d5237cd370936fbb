//! Creating the tables, and bringing them up to date.
//!
//! Each migration says which programs may run against the tables that it leaves: a program older than that refuses to
//! start, and a migration refuses to run while such a program's node is alive. All others may run beside each other.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, PgConnection, Row};

use super::{
    backend::Database,
    connect_error::ConnectError,
    error::code_of,
    queries::{Queries, render},
};
use crate::common::joined;

struct Migration {
    name: &'static str,
    sql: &'static str,
    /// The oldest program, by the newest version that it knows, that may run once this is done.
    oldest_program: i32,
}

/// In order; the first has number 1. A released one is never edited.
const MIGRATIONS: &[Migration] =
    &[Migration { name: "create_tables", sql: include_str!("migrations/0001_create_tables.sql"), oldest_program: 1 }];

/// The newest version that this program knows.
pub(super) const KNOWN: i32 = 1;

/// What a program knows of the tables' history.
#[derive(Clone, Copy)]
struct Program {
    migrations: &'static [Migration],
    known: i32,
}

const THIS: Program = Program { migrations: MIGRATIONS, known: KNOWN };

/// What stands in the database.
struct Version {
    found: i32,
    oldest_program: i32,
}

/// Does what is left to do.
pub(super) async fn run(database: &Database) -> Result<(), ConnectError> {
    run_as(THIS, database).await
}

/// Checks that nothing is left to do.
pub(super) async fn check(database: &Database) -> Result<(), ConnectError> {
    check_as(THIS, database).await
}

/// Every statement that makes the tables, in this schema.
pub(super) fn whole(schema: &str) -> Vec<Arc<str>> {
    let tables = MIGRATIONS.iter().map(|migration| render(migration.sql, schema));
    [render(include_str!("queries/create_migrations.sql"), schema)].into_iter().chain(tables).collect()
}

/// The statement that records all migrations.
pub(super) fn record(queries: &Queries) -> String {
    let values =
        (1..).zip(MIGRATIONS).map(|(version, one)| format!("({version}, '{}', {})", one.name, one.oldest_program));
    let values = values.collect::<Vec<_>>().join(", ");
    format!("INSERT INTO {}.migrations (version, name, oldest_program) VALUES {values};", queries.schema)
}

/// The statements that bring tables of this version up to date, in one transaction.
pub(super) fn script(queries: &Queries, from: i64) -> String {
    let first = ["BEGIN", &queries.create_schema, &queries.create_migrations].map(str::to_owned);
    let mut parts = first.to_vec();
    for (version, Migration { name, sql, oldest_program }) in (1..).zip(MIGRATIONS).filter(|(one, _)| *one > from) {
        let values = [("$1", version.to_string()), ("$2", format!("'{name}'")), ("$3", oldest_program.to_string())];
        let insert = queries.insert_migration.to_string();
        let insert = values.into_iter().fold(insert, |sql, (place, value)| sql.replace(place, &value));
        parts.extend([render(sql, &queries.schema).to_string(), insert]);
    }
    parts.push("COMMIT".to_owned());
    joined(&parts)
}

async fn run_as(program: Program, database: &Database) -> Result<(), ConnectError> {
    // Two nodes that create the same schema at once: one of them is told that it exists, and looks again.
    for _ in 0..20 {
        match attempt(program, database).await {
            Err(error) if is_race(&error) => {}
            answer => return answer,
        }
    }
    attempt(program, database).await
}

async fn check_as(program: Program, database: &Database) -> Result<(), ConnectError> {
    let mut transaction = database.begin_free().await.map_err(ConnectError::new)?;
    let place = place(database, &mut transaction).await?;
    let found = match place.has_migrations {
        true => program.accept(version(database, &mut transaction).await.map_err(ConnectError::new)?)?,
        false => 0,
    };
    if found < program.known { Err(ConnectError::NotMigrated { found, known: program.known }) } else { Ok(()) }
}

/// Whether two nodes did the same at the same time.
fn is_race(error: &ConnectError) -> bool {
    // Duplicate schema, table, type or key; a deadlock; a row of the catalogue that was updated concurrently.
    matches!(error, ConnectError::Database(_))
        && matches!(error.code().as_deref(), Some("42P06" | "42P07" | "42710" | "23505" | "40P01" | "XX000"))
}

async fn attempt(program: Program, database: &Database) -> Result<(), ConnectError> {
    match check_as(program, database).await {
        Err(ConnectError::NotMigrated { .. }) => {}
        answer => return answer,
    }
    let queries = &database.queries;
    let mut transaction = database.begin_free().await.map_err(ConnectError::new)?;
    let Place { has_schema, has_migrations, role, .. } = place(database, &mut transaction).await?;
    let denied = |error: sqlx::Error| no_permission(ConnectError::Database(error.into()), &queries.schema, &role);
    // Creating what is there asks for the permission to create it all the same.
    if !has_schema {
        database.query(&queries.create_schema).execute(&mut *transaction).await.map_err(denied)?;
    }
    if !has_migrations {
        database.query(&queries.create_migrations).execute(&mut *transaction).await.map_err(denied)?;
    }
    transaction.commit().await.map_err(ConnectError::new)?;
    let mut transaction = database.begin_free().await.map_err(ConnectError::new)?;
    database.query(&queries.lock_migrations).execute(&mut *transaction).await.map_err(denied)?;
    let found = program.accept(version(database, &mut transaction).await.map_err(ConnectError::new)?)?;
    // Under the lock: nobody is just creating them.
    if found == 0 && self::place(database, &mut transaction).await?.has_jobs {
        return Err(ConnectError::UnknownTables { schema: queries.schema.clone() });
    }
    for (migration, version) in program.migrations.iter().zip(1..).filter(|(_, version)| *version > found) {
        let applied = apply(database, &mut transaction, migration, version).await;
        applied.map_err(|error| no_permission(error, &queries.schema, &role))?;
    }
    transaction.commit().await.map_err(ConnectError::new)
}

struct Place {
    has_schema: bool,
    has_migrations: bool,
    has_jobs: bool,
    role: String,
}

async fn place(database: &Database, connection: &mut PgConnection) -> Result<Place, ConnectError> {
    let query = database.query(&database.queries.find_schema).bind(&database.options.schema);
    let row = query.fetch_one(connection).await.map_err(ConnectError::new)?;
    let flag = |column: &str| row.try_get::<bool, _>(column).map_err(ConnectError::new);
    if flag("is_read_only")? {
        return Err(match row.try_get("read_only_remedy").map_err(ConnectError::new)? {
            Some(sql) => ConnectError::ReadOnlyByDefault { sql },
            None => ConnectError::ReadOnly,
        });
    }
    let encoding: String = row.try_get("encoding").map_err(ConnectError::new)?;
    // SQL_ASCII is none: such a database takes the bytes of any text as they are.
    if !matches!(encoding.as_str(), "UTF8" | "SQL_ASCII") {
        return Err(ConnectError::Encoding { encoding });
    }
    let role = row.try_get("role").map_err(ConnectError::new)?;
    let (has_schema, has_migrations, has_jobs) = (flag("has_schema")?, flag("has_migrations")?, flag("has_jobs")?);
    Ok(Place { has_schema, has_migrations, has_jobs, role })
}

async fn version(database: &Database, connection: &mut PgConnection) -> sqlx::Result<Version> {
    let row = database.query(&database.queries.find_version).fetch_one(connection).await?;
    Ok(Version { found: row.try_get("version")?, oldest_program: row.try_get("oldest_program")? })
}

impl Program {
    /// The version that was found, if this program may run against it.
    fn accept(self, version: Version) -> Result<i32, ConnectError> {
        let Version { found, oldest_program } = version;
        if oldest_program > self.known {
            return Err(ConnectError::SchemaTooNew { found, oldest: oldest_program, known: self.known });
        }
        Ok(found)
    }
}

async fn apply(
    database: &Database,
    connection: &mut PgConnection,
    migration: &Migration,
    version: i32,
) -> Result<(), ConnectError> {
    let queries = &database.queries;
    let oldest = migration.oldest_program;
    if version > 1 {
        let query = database.query(&queries.find_oldest_node).bind(database.now());
        let row = query.fetch_one(&mut *connection).await.map_err(ConnectError::new)?;
        let running: Option<i32> = row.try_get(0).map_err(ConnectError::new)?;
        if let Some(running) = running.filter(|running| *running < oldest) {
            return Err(ConnectError::OldNodes { version, oldest, running });
        }
    }
    let sql = AssertSqlSafe(render(migration.sql, &queries.schema));
    sqlx::raw_sql(sql).execute(&mut *connection).await.map_err(ConnectError::new)?;
    let query = database.query(&queries.insert_migration).bind(version).bind(migration.name).bind(oldest);
    query.execute(connection).await.map_err(ConnectError::new)?;
    Ok(())
}

/// The error, in other words if it is one of missing rights.
fn no_permission(error: ConnectError, schema: &str, role: &str) -> ConnectError {
    let cause = match error {
        ConnectError::Database(cause) if code_of(&cause).as_deref() == Some("42501") => cause,
        error => return error,
    };
    let role = format!("\"{}\"", role.replace('"', "\"\""));
    let sql = format!(
        "CREATE SCHEMA IF NOT EXISTS {schema} AUTHORIZATION {role};\nGRANT USAGE, CREATE ON SCHEMA {schema} TO {role};"
    );
    ConnectError::NoPermission { sql, source: cause }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rexecutor::backend::{Claim, Demand, Enqueue, Maintain, NewJob, Node};
    use sqlx::Connection;

    use super::{super::PgOptions, *};

    const FIRST: Migration =
        Migration { name: "create_tables", sql: include_str!("migrations/0001_create_tables.sql"), oldest_program: 1 };

    /// The next release, which adds a column that nobody must know of.
    const ADDITIVE: Program = Program {
        migrations: &[
            FIRST,
            Migration { name: "add_note", sql: "ALTER TABLE {schema}.jobs ADD COLUMN note TEXT", oldest_program: 1 },
        ],
        known: 2,
    };

    /// A release that the first one cannot work with.
    const BREAKING: Program = Program {
        migrations: &[
            FIRST,
            Migration { name: "split", sql: "ALTER TABLE {schema}.jobs RENAME COLUMN data TO body", oldest_program: 2 },
        ],
        known: 2,
    };

    #[test]
    fn every_migration_has_a_number() {
        assert_eq!(MIGRATIONS.len(), usize::try_from(KNOWN).unwrap());
        assert_eq!(MIGRATIONS[0].sql, FIRST.sql);
    }

    /// A rolling deploy, from the first schema on: the new program migrates while a node of the old one works.
    #[tokio::test]
    async fn an_old_node_goes_on_through_an_additive_migration_and_keeps_a_breaking_one_out() {
        let url = std::env::var("DATABASE_URL").expect("run `scripts/test`, or set DATABASE_URL");
        let mut admin = PgConnection::connect(&url).await.unwrap();
        for (next, is_breaking) in [(ADDITIVE, false), (BREAKING, true)] {
            let schema = format!("rexecutor_upgrade_{is_breaking}_{}", std::process::id());
            let old = PgOptions::new().schema(&schema).connect(&url).await.unwrap();
            let node = Node::new("old", Duration::from_secs(600));
            let node = old.join(&node).await.unwrap();
            let refused = run_as(next, &old.0).await;
            match (is_breaking, refused) {
                (false, Ok(())) => {}
                (true, Err(error @ ConnectError::OldNodes { version: 2, oldest: 2, running: 1 })) => {
                    assert!(error.to_string().contains("stop them first"), "{error}");
                }
                (_, other) => panic!("{other:?}"),
            }
            // The old node notices nothing.
            let _ = old.enqueue(vec![job()]).await.unwrap();
            let claimed = old.claim(node, [Demand::new("mail", 5)].into()).await.unwrap();
            assert_eq!(claimed.jobs.len(), 1);
            old.leave(node).await.unwrap();
            run_as(next, &old.0).await.unwrap();
            check_as(next, &old.0).await.unwrap();
            // Whoever starts the old program now is accepted, or told to update it.
            let again = PgOptions::new().schema(&schema).connect(&url).await;
            let drop = AssertSqlSafe(format!("DROP SCHEMA {schema} CASCADE"));
            sqlx::raw_sql(drop).execute(&mut admin).await.unwrap();
            match (is_breaking, again) {
                (false, Ok(_)) => {}
                (true, Err(error @ ConnectError::SchemaTooNew { found: 2, oldest: 2, known: 1 })) => {
                    assert!(error.to_string().contains("update the program"), "{error}");
                }
                (_, other) => panic!("{other:?}"),
            }
        }
    }

    fn job() -> NewJob {
        NewJob::new("mail", "1")
    }
}
