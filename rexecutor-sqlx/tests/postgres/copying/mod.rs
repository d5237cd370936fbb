//! Copying from one database to another, of either kind.

mod decisions;
mod exact;
mod moves;
mod refusals;
mod whole_after_live;

use rexecutor_sqlx::{AnyBackend, CopyError, CopyReport, DatabaseCopy, LiveCopy, PgOptions, SqliteOptions, WholeCopy};
use rexecutor_testing::TestClock;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row, SqliteConnection};

use crate::support::{database_url, fresh_name};

/// A database of a test's own. All go by one clock.
pub(super) struct Db {
    folder: tempfile::TempDir,
    schema: String,
    is_postgres: bool,
    clock: TestClock,
}

impl Db {
    fn new(is_postgres: bool, clock: &TestClock) -> Self {
        let (folder, schema) = (tempfile::tempdir().unwrap(), fresh_name("rexecutor_copy"));
        Self { folder, schema, is_postgres, clock: clock.clone() }
    }

    async fn open(&self) -> AnyBackend {
        match self.is_postgres {
            true => PgOptions::new()
                .schema(&self.schema)
                .clock(self.clock.clone())
                .connect(database_url())
                .await
                .unwrap()
                .into(),
            false => SqliteOptions::new().clock(self.clock.clone()).open(self.path()).await.unwrap().into(),
        }
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("jobs.db")
    }

    /// The name of a table.
    fn table(&self, name: &str) -> String {
        if self.is_postgres { format!("\"{}\".{name}", self.schema) } else { format!("rexecutor_{name}") }
    }

    /// Runs statements as another client would. `{jobs}` is the name of the table of jobs, and so on.
    async fn sql(&self, sql: &str) {
        let sql = self.named(sql);
        match self.is_postgres {
            true => drop(self.postgres().await.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await.unwrap()),
            false => drop(self.sqlite().await.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await.unwrap()),
        }
    }

    /// The first column of an answer.
    async fn column(&self, sql: &str) -> Vec<String> {
        let sql = AssertSqlSafe(self.named(sql));
        match self.is_postgres {
            true => {
                let rows = sqlx::query(sql).fetch_all(&mut self.postgres().await).await.unwrap();
                rows.iter().map(|row| row.get(0)).collect()
            }
            false => {
                let rows = sqlx::query(sql).fetch_all(&mut self.sqlite().await).await.unwrap();
                rows.iter().map(|row| row.get(0)).collect()
            }
        }
    }

    async fn count(&self, table: &str) -> i64 {
        let count = format!("SELECT CAST(count(*) AS TEXT) FROM {}", self.table(table));
        self.column(&count).await[0].parse().unwrap()
    }

    /// All rows of a table, as texts.
    async fn dump(&self, table: &str) -> Vec<String> {
        match self.is_postgres {
            true => self.column(&format!("SELECT t::TEXT FROM {} AS t ORDER BY 1", self.table(table))).await,
            false => {
                let name = self.table(table);
                let columns = format!(
                    "SELECT group_concat('quote(' || name || ')', ' || '','' || ') FROM pragma_table_info('{name}') WHERE NOT (name = 'id' AND '{table}' = 'job_errors')"
                );
                let columns = &self.column(&columns).await[0];
                self.column(&format!("SELECT {columns} FROM {name} ORDER BY 1")).await
            }
        }
    }

    /// Of each table that is copied, all rows.
    async fn dumps(&self) -> Vec<(&'static str, Vec<String>)> {
        let mut dumps = Vec::new();
        for (table, columns) in DatabaseCopy::decisions() {
            if columns.is_some() || (table == "job_errors" && !self.is_postgres) {
                dumps.push((table, self.dump(table).await));
            }
        }
        dumps
    }

    fn named(&self, sql: &str) -> String {
        let tables = DatabaseCopy::decisions();
        tables.iter().fold(sql.to_owned(), |sql, (name, _)| sql.replace(&format!("{{{name}}}"), &self.table(name)))
    }

    async fn postgres(&self) -> PgConnection {
        PgConnection::connect(&database_url()).await.unwrap()
    }

    async fn sqlite(&self) -> SqliteConnection {
        SqliteConnection::connect(&format!("sqlite:{}", self.path().display())).await.unwrap()
    }
}

/// Gives a test databases, and removes them.
async fn with<const N: usize>(kinds: [bool; N], test: impl AsyncFnOnce(&[Db; N])) {
    let clock = TestClock::new();
    let databases = kinds.map(|is_postgres| Db::new(is_postgres, &clock));
    for database in &databases {
        database.open().await.close().await;
    }
    test(&databases).await;
    for database in databases.iter().filter(|database| database.is_postgres) {
        database.sql(&format!("DROP SCHEMA \"{}\" CASCADE", database.schema)).await;
    }
}

const SQLITE: bool = false;
const POSTGRES: bool = true;

/// Every direction.
const DIRECTIONS: [[bool; 2]; 4] = [[SQLITE, POSTGRES], [POSTGRES, SQLITE], [SQLITE, SQLITE], [POSTGRES, POSTGRES]];

async fn copy(from: &Db, to: &Db) -> Result<WholeCopy, CopyError> {
    match DatabaseCopy::new(from.open().await, to.open().await).run().await? {
        CopyReport::Whole(report) => Ok(report),
        other => panic!("{other:?}"),
    }
}

async fn move_jobs(from: &Db, to: &Db) -> Result<LiveCopy, CopyError> {
    match DatabaseCopy::new(from.open().await, to.open().await).live(true).run().await? {
        CopyReport::Live(report) => Ok(report),
        other => panic!("{other:?}"),
    }
}

/// How many rows a report counts of a status or a table.
fn rows(report: &WholeCopy, name: &str) -> u64 {
    let all = report.statuses.iter().chain(&report.tables);
    all.filter(|one| one.name == name).map(|one| one.rows).sum()
}
