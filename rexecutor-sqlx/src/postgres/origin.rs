//! Noticing that the database is a copy of another one.
//!
//! A copy, as of a backup that is restored elsewhere, has the jobs of the original. Those may be running there, or done, and
//! their nodes look dead here. So a node joins only where the tables say that they are on this database.

use rexecutor::backend::{BackendError, Result};
use sqlx::{PgConnection, Row};

use super::backend::{Database, Identity};

/// A copy.
#[derive(Debug, thiserror::Error)]
#[error(
    "this database is a copy of another one, where its jobs may be running or done already: no node runs any of them here until \
     somebody has run\n{sql}"
)]
pub(super) struct Copied {
    sql: String,
}

impl Database {
    /// Which database this is; `None` where the role may not ask.
    pub(super) async fn known_identity(&self, connection: &mut PgConnection) -> Option<Identity> {
        if let Some(identity) = self.identity.get() {
            return Some(*identity);
        }
        let ask = self.query(&self.queries.announce_jobs).bind(self.queries.channel.clone()).bind(Vec::<String>::new());
        let row = self.alone(connection, async |connection| ask.fetch_one(connection).await).await.ok()?;
        let identity = (row.try_get("cluster").ok()?, row.try_get("database").ok()?);
        Some(*self.identity.get_or_init(|| identity))
    }

    /// Checks that the tables are those of this database, and says that they are where nothing says so yet.
    pub(super) async fn check_origin(
        &self,
        connection: &mut PgConnection,
        here: Option<Identity>,
    ) -> sqlx::Result<Result<(), Copied>> {
        let Some(here) = here else { return Ok(Ok(())) };
        let record = self.query(&self.queries.record_origin).bind(here.0).bind(here.1);
        record.execute(&mut *connection).await?;
        // By a statement of its own: it sees what another node has recorded meanwhile.
        let row = self.query(&self.queries.find_origin).fetch_one(connection).await?;
        let recorded: Identity = (row.try_get("cluster")?, row.try_get("database")?);
        let copied = || Copied { sql: format!("DELETE FROM {}.origin;", self.queries.schema) };
        Ok(if recorded == here { Ok(()) } else { Err(copied()) })
    }
}

impl From<Copied> for BackendError {
    fn from(copied: Copied) -> Self {
        Self::permanent("no node can join the cluster", copied)
    }
}
