//! Where the migrations are run to be compared with, and how what is read there is told as if it stood in the real schema.

use std::hash::{BuildHasher, RandomState};

use sqlx::{AssertSqlSafe, PgConnection, Row};

use super::super::{migrate, queries::Queries};

/// A schema that is rolled back.
pub(super) struct Scratch {
    /// Its name.
    pub(super) name: String,
    /// How the statements name it.
    quoted: String,
    /// How the server writes the name of the real one.
    ident: String,
    /// Whether they are temporary tables.
    pub(super) is_temporary: bool,
    /// Which of the tables are unlogged in the real one.
    pub(super) unlogged: Vec<String>,
}

impl Scratch {
    /// Runs the migrations in the transaction that is open; the error is the statement that lets the role do so.
    pub(super) async fn make(
        connection: &mut PgConnection,
        queries: &Queries,
        schema: &str,
    ) -> sqlx::Result<Result<Self, String>> {
        let find = || sqlx::query(AssertSqlSafe(queries.find_scratch.clone())).bind(schema.to_owned());
        let row = find().fetch_one(&mut *connection).await?;
        let (may_create, is_temporary): (bool, bool) = (row.try_get("may_create")?, row.try_get("may_make_temporary")?);
        let ident = row.try_get("ident")?;
        if may_create {
            let name = format!("rexecutor_doctor_{:016x}", RandomState::new().hash_one(schema));
            let quoted = format!("\"{name}\"");
            let create = AssertSqlSafe(format!("CREATE SCHEMA {quoted}"));
            sqlx::raw_sql(create).execute(&mut *connection).await?;
            let unlogged = run(connection, &quoted).await?;
            return Ok(Ok(Self { name, quoted, ident, is_temporary: false, unlogged }));
        }
        if !is_temporary {
            return Ok(Err(row.try_get("remedy")?));
        }
        let quoted = "\"pg_temp\"".to_owned();
        let unlogged = run(connection, &quoted).await?;
        let name = find().fetch_one(connection).await?.try_get("temporary")?;
        Ok(Ok(Self { name, quoted, ident, is_temporary, unlogged }))
    }

    /// The server does not write the name of temporary tables' schema in full, or not at all.
    fn whole(&self, text: &str) -> String {
        let ident = &self.ident;
        let text = text.replace("pg_temp.", &format!("{ident}."));
        if text.starts_with("FOREIGN KEY") {
            text.replacen("REFERENCES ", &format!("REFERENCES {ident}."), 1)
        } else {
            text
        }
    }

    /// A definition as it would read in the real schema.
    pub(super) fn renamed(&self, text: &str, quoted: &str, schema: &str) -> String {
        // The server does not write the name of temporary tables' schema in full.
        let text = if self.is_temporary { self.whole(text) } else { text.to_owned() };
        let text = text.replace(&self.quoted, quoted).replace(&format!("{}.", self.name), &format!("{}.", self.ident));
        // What is left stands in texts.
        text.replace(&self.name, &schema.replace('\'', "''"))
    }
}

/// What stands in a migration before the name of an unlogged table.
const UNLOGGED: &str = "CREATE UNLOGGED TABLE ";

/// Runs the migrations; returns the names of the tables that they want unlogged. Here these are not: it is rolled back, and until the next
/// checkpoint PostgreSQL would not start again after a crash.
async fn run(connection: &mut PgConnection, quoted: &str) -> sqlx::Result<Vec<String>> {
    let mut unlogged = Vec::new();
    for sql in migrate::whole(quoted) {
        unlogged.extend(unlogged_in(&sql, quoted).map(str::to_owned));
        let sql = sql.replace(UNLOGGED, "CREATE TABLE ");
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *connection).await?;
    }
    Ok(unlogged)
}

fn unlogged_in<'s>(sql: &'s str, quoted: &str) -> impl Iterator<Item = &'s str> {
    let names = sql.split(UNLOGGED).skip(1);
    names.filter_map(move |text| text.strip_prefix(quoted)?.strip_prefix('.')?.split_whitespace().next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_can_fail_stands_behind_the_unlogged_tables() {
        let migrations = migrate::whole("\"s\"");
        let names: Vec<&str> = migrations.iter().flat_map(|sql| unlogged_in(sql, "\"s\"")).collect();
        assert_eq!(names, ["unique_keys", "backlogs", "events", "listeners"]);
        for sql in &migrations {
            let behind =
                sql.split(UNLOGGED).skip(1).flat_map(|text| text.lines().filter(|line| !line.starts_with("--")));
            let statements = behind.filter(|line| line.starts_with(|first: char| first.is_ascii_uppercase()));
            assert_eq!(statements.collect::<Vec<_>>(), Vec::<&str>::new());
        }
    }
}
