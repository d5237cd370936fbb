//! Examining a database: see [`Doctor`](crate::Doctor).

mod catalog;
mod columns;
mod compare;
mod server;
mod text;

use std::time::Duration;

use rexecutor::clock::Clock;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, Row, postgres::PgRow};

use self::{catalog::Catalog, text::Scratch};
use super::{
    connect::parse, connect_error::ConnectError, migrate, options::PgOptions, queries::Queries, reach::connect_once,
};
use crate::doctor::{Finding, Repair};

/// What is examined.
struct Patient<'a> {
    connection: PgConnection,
    queries: &'a Queries,
    /// The schema's name as it is, without quotes.
    schema: &'a str,
    findings: Vec<Finding>,
}

/// What creates the tables, or brings them up to date.
const MIGRATE: &str = "rexecutor migrate up";

impl PgOptions {
    /// What is not as this version made it.
    pub(crate) async fn examine(
        self,
        url: &str,
        clock: &dyn Clock,
        longest: Duration,
    ) -> Result<Vec<Finding>, ConnectError> {
        let (options, queries) = (parse(url)?.disable_statement_logging(), self.queries()?);
        let connection = Box::pin(connect_once(&options, self.connect_timeout)).await?;
        let mut patient = Patient { connection, queries: &queries, schema: &self.schema, findings: Vec::new() };
        patient.examine(clock, longest).await?;
        let Patient { connection, findings, .. } = patient;
        connection.close().await.map_err(ConnectError::new)?;
        Ok(findings)
    }
}

impl Patient<'_> {
    async fn examine(&mut self, clock: &dyn Clock, longest: Duration) -> Result<(), ConnectError> {
        let Some(place) = self.place().await? else { return Ok(()) };
        self.rights().await.map_err(ConnectError::new)?;
        // What the role may not read is told of already.
        let is_allowed = self.findings.is_empty();
        let version = match place.has_migrations && is_allowed {
            true => Some(self.version().await.map_err(ConnectError::new)?),
            false => None,
        };
        let known = migrate::KNOWN;
        let problem = |what: String, repair: Repair| Finding::problem("version", what, Some(repair));
        match version {
            Some((_, oldest)) if oldest > known => {
                let what = format!("the tables need programs that know version {oldest}, and this one knows {known}");
                self.findings.push(problem(what, Repair::Command("cargo install rexecutor-cli".to_owned())));
            }
            // Tables of a newer version have what this one does not know of.
            Some((found, _)) if found > known => {}
            Some((found, _)) if found > 0 && found < known => {
                let what = format!("the tables have version {found}, and this program knows {known}");
                self.findings.push(problem(what, Repair::Command(MIGRATE.to_owned())));
            }
            _ => {
                self.tables().await?;
                if version.is_none_or(|(found, _)| found == 0) && is_allowed {
                    let what = "nothing says which version the tables have";
                    self.findings.push(Finding::mend("version", what, migrate::record(self.queries)));
                }
            }
        }
        if is_allowed && !self.findings.iter().any(|finding| ["table", "column", "version"].contains(&finding.check)) {
            self.numbers().await.map_err(ConnectError::new)?;
            self.origin().await.map_err(ConnectError::new)?;
            self.limits().await.map_err(ConnectError::new)?;
            self.stored_clock().await.map_err(ConnectError::new)?;
        }
        self.clock(clock).await.map_err(ConnectError::new)?;
        self.settings().await.map_err(ConnectError::new)?;
        self.holders(longest).await.map_err(ConnectError::new)
    }

    /// Whether there is anything to examine.
    async fn place(&mut self) -> Result<Option<Place>, ConnectError> {
        let find = sqlx::query(AssertSqlSafe(self.queries.find_schema.clone())).bind(self.schema.to_owned());
        let row = find.fetch_one(&mut self.connection).await.map_err(ConnectError::new)?;
        let flag = |column: &str| row.try_get::<bool, _>(column).map_err(ConnectError::new);
        let encoding: String = row.try_get("encoding").map_err(ConnectError::new)?;
        if flag("is_read_only")? {
            let remedy: Option<String> = row.try_get("read_only_remedy").map_err(ConnectError::new)?;
            let what = match &remedy {
                Some(_) => "the database is read-only by default: no job can be stored or run",
                None => "the server is a standby, which takes no writes: no job can be stored or run",
            };
            self.findings.push(Finding::problem("read_only", what, remedy.map(writing)));
            return Ok(None);
        }
        if !matches!(encoding.as_str(), "UTF8" | "SQL_ASCII") {
            let what = format!("the database is encoded in {encoding}, which cannot store every text");
            let repair = Repair::Command("createdb --encoding UTF8 --template template0 jobs".to_owned());
            self.findings.push(Finding::problem("encoding", what, Some(repair)));
        }
        let (has_migrations, has_jobs) = (flag("has_migrations")?, flag("has_jobs")?);
        if !has_migrations && !has_jobs {
            let what = format!("there are no tables in the schema `{}`", self.schema);
            self.findings.push(Finding::problem("table", what, Some(Repair::Command(MIGRATE.to_owned()))));
            return Ok(None);
        }
        Ok(Some(Place { has_migrations }))
    }

    /// What the role may not do, and what row security hides from it.
    async fn rights(&mut self) -> sqlx::Result<()> {
        for row in self.all(&self.queries.find_missing_grants, self.schema.to_owned()).await? {
            let statement: String = row.try_get("statement")?;
            let what = match statement.starts_with("CREATE POLICY") {
                true => "row security hides every row from the role",
                false => "the role lacks rights",
            };
            let check = if statement.starts_with("CREATE POLICY") { "row_security" } else { "rights" };
            self.findings.push(Finding::mend(check, what, statement));
        }
        Ok(())
    }

    async fn version(&mut self) -> sqlx::Result<(i32, i32)> {
        let find = sqlx::query(AssertSqlSafe(self.queries.find_version.clone()));
        let row = find.fetch_one(&mut self.connection).await?;
        Ok((row.try_get("version")?, row.try_get("oldest_program")?))
    }

    /// Compares the tables with those that the migrations make.
    async fn tables(&mut self) -> Result<(), ConnectError> {
        sqlx::raw_sql("BEGIN; SET LOCAL search_path = ''")
            .execute(&mut self.connection)
            .await
            .map_err(ConnectError::new)?;
        let compared = self.compared().await;
        sqlx::raw_sql("ROLLBACK").execute(&mut self.connection).await.map_err(ConnectError::new)?;
        self.findings.extend(compared.map_err(ConnectError::new)?);
        Ok(())
    }

    async fn compared(&mut self) -> sqlx::Result<Vec<Finding>> {
        let found = Catalog::read(&mut self.connection, self.queries, self.schema).await?;
        let scratch = match Scratch::make(&mut self.connection, self.queries, self.schema).await? {
            Ok(scratch) => scratch,
            Err(remedy) => {
                let what = "the tables were not compared: the role may make neither a schema nor temporary tables to compare with";
                return Ok(vec![Finding::mend("rights", what, remedy)]);
            }
        };
        let mut expected = Catalog::read(&mut self.connection, self.queries, &scratch.name).await?;
        for (name, relation) in &mut expected.relations {
            relation.is_unlogged = scratch.unlogged.contains(name);
        }
        expected.rename(|text| scratch.renamed(text, &self.queries.schema, self.schema));
        Ok(compare::compare(&expected, &found, &self.queries.schema, scratch.is_temporary))
    }

    async fn all<'q, T>(&mut self, sql: &std::sync::Arc<str>, value: T) -> sqlx::Result<Vec<PgRow>>
    where
        T: sqlx::Encode<'q, sqlx::Postgres> + sqlx::Type<sqlx::Postgres> + 'q,
    {
        sqlx::query(AssertSqlSafe(sql.clone())).bind(value).fetch_all(&mut self.connection).await
    }
}

/// The same in a session that may write.
fn writing(sql: String) -> Repair {
    Repair::Sql(format!("SET default_transaction_read_only = off;\n{sql}"))
}

struct Place {
    has_migrations: bool,
}
