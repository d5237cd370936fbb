//! What the role may do: checked when a backend connects, because a node that may not would try for ever.

use rexecutor::backend::BackendError;
use sqlx::{PgConnection, Row};

use super::{
    backend::{Database, PgBackend},
    connect_error::ConnectError,
    options::PgOptions,
    queries::Queries,
};

/// Checks what enqueuing needs, and notes what only nodes need: a program that only enqueues may have a role that can do no
/// more.
pub(super) async fn check(database: &Database) -> Result<(), ConnectError> {
    let mut transaction = database.begin_free().await.map_err(ConnectError::new)?;
    let query = database.query(&database.queries.find_missing_grants).bind(&database.options.schema);
    let rows = query.fetch_all(&mut *transaction).await.map_err(ConnectError::new)?;
    transaction.commit().await.map_err(ConnectError::new)?;
    let missing = rows.iter().map(|row| Ok((row.try_get("statement")?, row.try_get("enqueues")?)));
    let missing = missing.collect::<sqlx::Result<Vec<(String, bool)>>>().map_err(ConnectError::new)?;
    let sql = missing.iter().map(|(statement, _)| statement.as_str()).collect::<Vec<_>>().join("\n");
    match missing.iter().any(|(_, enqueues)| *enqueues) {
        true => Err(ConnectError::MissingGrants { sql }),
        false => {
            if !missing.is_empty() {
                let _ = database.missing_grants.set(sql);
            }
            Ok(())
        }
    }
}

impl PgBackend {
    /// Why the role of this backend cannot work on jobs.
    pub(super) fn missing_grants(&self) -> Option<BackendError> {
        let sql = self.0.missing_grants.get()?;
        Some(BackendError::message(format!(
            "the role may enqueue jobs, but not run them: let an administrator run\n{sql}"
        )))
    }
}

impl PgOptions {
    /// Has no more connections than the server gives, with a warning if these are fewer than was asked for: a pool that asks
    /// for more waits until its time is over.
    pub(super) async fn fit(mut self, connection: &mut PgConnection) -> Result<Self, ConnectError> {
        // A pooler has limits of its own.
        if self.transaction_pooling {
            return Ok(self);
        }
        let limit = sqlx::query_scalar(Queries::CONNECTION_LIMIT).fetch_optional(connection);
        let allowed: Option<i32> = limit.await.map_err(ConnectError::new)?.flatten();
        let Some(allowed) = allowed.and_then(|allowed| u32::try_from(allowed).ok()) else { return Ok(self) };
        if allowed < 3 && self.listens() {
            tracing::warn!(
                allowed,
                "so few connections are allowed that nodes poll, instead of listening on one of them"
            );
            self.notifications = false;
        }
        // One listens, and one keeps the nodes members.
        let most = allowed.saturating_sub(1 + u32::from(self.listens())).max(1);
        if most < self.max_connections {
            tracing::warn!(
                allowed,
                max_connections = most,
                configured = self.max_connections,
                "the role, the database or the server takes fewer connections than `PgOptions::max_connections`: the pool \
                 is made smaller"
            );
            self.max_connections = most;
        }
        Ok(self)
    }
}
