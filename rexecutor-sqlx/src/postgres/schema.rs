//! The schema as a whole: which version its tables have, asked without creating anything, and how it is dropped.

use rexecutor::backend::Result;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row};

use super::{
    backend::PgBackend, connect::parse, connect_error::ConnectError, error::failed, migrate, options::PgOptions,
    queries::Queries, reach::connect_once,
};
use crate::common::SchemaVersion;

impl PgOptions {
    pub(super) fn queries(&self) -> Result<Queries, ConnectError> {
        Queries::new(&self.schema).map_err(|problem| ConnectError::Schema { name: self.schema.clone(), problem })
    }

    /// Which version the tables have.
    pub(crate) async fn schema_version(self, url: &str) -> Result<SchemaVersion, ConnectError> {
        let (options, queries) = (parse(url)?.disable_statement_logging(), self.queries()?);
        let mut connection = Box::pin(connect_once(&options, self.connect_timeout)).await?;
        let find = sqlx::query(AssertSqlSafe(queries.find_schema.clone())).bind(&self.schema);
        let place = find.fetch_one(&mut connection).await.map_err(ConnectError::new)?;
        let known = i64::from(migrate::KNOWN);
        let mut version = SchemaVersion { found: 0, oldest_program: 0, known };
        if place.try_get("has_migrations").map_err(ConnectError::new)? {
            let find = sqlx::query(AssertSqlSafe(queries.find_version.clone()));
            let row = find.fetch_one(&mut connection).await.map_err(ConnectError::new)?;
            let number = |column| row.try_get::<i32, _>(column).map(i64::from).map_err(ConnectError::new);
            (version.found, version.oldest_program) = (number("version")?, number("oldest_program")?);
        }
        connection.close().await.map_err(ConnectError::new)?;
        Ok(version)
    }

    /// The statements that bring tables of this version up to date, in one transaction.
    pub(crate) fn migration_script(&self, from: i64) -> Result<String, ConnectError> {
        Ok(migrate::script(&self.queries()?, from))
    }
}

impl PgBackend {
    /// Drops the schema, with all that is in it.
    pub(crate) async fn drop_tables(&self) -> Result<()> {
        let _waiting = self.0.connections.release_all();
        let drop_it = self.0.query(&self.0.queries.drop_schema).execute(&self.0.pool);
        drop_it.await.map(drop).map_err(failed("could not drop the schema"))
    }
}
