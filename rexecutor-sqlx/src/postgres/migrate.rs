//! Creating the tables, and bringing them up to date.
//!
//! Each migration says which programs may run against the tables that it leaves: a program older than that refuses to
//! start, and a migration refuses to run while such a program's node is alive. All others may run beside each other.

use sqlx::{AssertSqlSafe, PgConnection, Row};

use super::{
    Database,
    error::{ConnectError, code},
    queries::render,
};

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

/// What stands in the database.
struct Version {
    found: i32,
    oldest_program: i32,
}

/// Does what is left to do.
pub(super) async fn run(database: &Database) -> Result<(), ConnectError> {
    // Two nodes that create the same schema at once: one of them is told that it exists, and looks again.
    for _ in 0..20 {
        match attempt(database).await {
            Err(ConnectError::Database(error)) if is_race(&error) => {}
            answer => return answer,
        }
    }
    attempt(database).await
}

/// Checks that nothing is left to do.
pub(super) async fn check(database: &Database) -> Result<(), ConnectError> {
    let mut transaction = database.begin_free().await.map_err(ConnectError::new)?;
    let place = place(database, &mut transaction).await?;
    let found = match place.has_migrations {
        true => accept(version(database, &mut transaction).await.map_err(ConnectError::new)?)?,
        false => 0,
    };
    if found < KNOWN { Err(ConnectError::NotMigrated { found, known: KNOWN }) } else { Ok(()) }
}

/// Whether two nodes did the same at the same time.
fn is_race(error: &sqlx::Error) -> bool {
    // Duplicate schema, table, type or key; a deadlock; a row of the catalogue that was updated concurrently.
    matches!(code(error).as_deref(), Some("42P06" | "42P07" | "42710" | "23505" | "40P01" | "XX000"))
}

async fn attempt(database: &Database) -> Result<(), ConnectError> {
    match check(database).await {
        Err(ConnectError::NotMigrated { .. }) => {}
        answer => return answer,
    }
    let queries = &database.queries;
    let mut transaction = database.begin_free().await.map_err(ConnectError::new)?;
    let Place { has_schema, has_migrations, role } = place(database, &mut transaction).await?;
    let denied = |error| no_permission(error, &queries.schema, &role);
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
    let found = accept(version(database, &mut transaction).await.map_err(ConnectError::new)?)?;
    for (migration, version) in MIGRATIONS.iter().zip(1..).filter(|(_, version)| *version > found) {
        apply(database, &mut transaction, migration, version).await.map_err(|error| match error {
            ConnectError::Database(error) => denied(error),
            error => error,
        })?;
    }
    transaction.commit().await.map_err(ConnectError::new)
}

struct Place {
    has_schema: bool,
    has_migrations: bool,
    role: String,
}

async fn place(database: &Database, connection: &mut PgConnection) -> Result<Place, ConnectError> {
    let query = database.query(&database.queries.find_schema).bind(&database.options.schema);
    let row = query.fetch_one(connection).await.map_err(ConnectError::new)?;
    let flag = |column: &str| row.try_get::<bool, _>(column).map_err(ConnectError::new);
    if flag("is_read_only")? {
        return Err(ConnectError::ReadOnly);
    }
    let role = row.try_get("role").map_err(ConnectError::new)?;
    Ok(Place { has_schema: flag("has_schema")?, has_migrations: flag("has_migrations")?, role })
}

async fn version(database: &Database, connection: &mut PgConnection) -> sqlx::Result<Version> {
    let row = database.query(&database.queries.find_version).fetch_one(connection).await?;
    Ok(Version { found: row.try_get("version")?, oldest_program: row.try_get("oldest_program")? })
}

/// The version that was found, if this program may run against it.
fn accept(version: Version) -> Result<i32, ConnectError> {
    let Version { found, oldest_program } = version;
    if oldest_program > KNOWN {
        return Err(ConnectError::SchemaTooNew { found, oldest: oldest_program, known: KNOWN });
    }
    Ok(found)
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
        let row = query.fetch_one(&mut *connection).await.map_err(ConnectError::Database)?;
        let running: Option<i32> = row.try_get(0).map_err(ConnectError::Database)?;
        if let Some(running) = running.filter(|running| *running < oldest) {
            return Err(ConnectError::OldNodes { version, oldest, running });
        }
    }
    let sql = AssertSqlSafe(render(migration.sql, &queries.schema));
    sqlx::raw_sql(sql).execute(&mut *connection).await.map_err(ConnectError::Database)?;
    let query = database.query(&queries.insert_migration).bind(version).bind(migration.name).bind(oldest);
    query.execute(connection).await.map_err(ConnectError::Database)?;
    Ok(())
}

fn no_permission(error: sqlx::Error, schema: &str, role: &str) -> ConnectError {
    if code(&error).as_deref() != Some("42501") {
        return ConnectError::Database(error);
    }
    let role = format!("\"{}\"", role.replace('"', "\"\""));
    let sql = format!(
        "CREATE SCHEMA IF NOT EXISTS {schema} AUTHORIZATION {role};\nGRANT USAGE, CREATE ON SCHEMA {schema} TO {role};"
    );
    ConnectError::NoPermission { sql, source: error }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_that_still_takes_this_program_is_accepted_and_a_newer_one_refused() {
        assert_eq!(MIGRATIONS.len(), usize::try_from(KNOWN).unwrap());
        assert_eq!(accept(Version { found: 9, oldest_program: KNOWN }).unwrap(), 9);
        let error = accept(Version { found: 9, oldest_program: KNOWN + 1 }).unwrap_err();
        assert!(error.to_string().contains("update the program"), "{error}");
    }
}
