//! Looking for jobs that no node runs.

use futures::future::BoxFuture;
use rexecutor::{
    backend::{Result, Survey, Unserved},
    job::{ExecutorName, NodeId},
};
use sqlx::Row;

use super::backend::{Database, PgBackend};

impl Survey for PgBackend {
    fn unserved<'a>(&'a self, node: NodeId, executors: &'a [ExecutorName]) -> BoxFuture<'a, Result<Vec<Unserved>>> {
        Box::pin(self.0.limited("could not look for jobs that no node runs", self.0.unserved(node, executors)))
    }
}

impl Database {
    async fn unserved(&self, node: NodeId, executors: &[ExecutorName]) -> sqlx::Result<Vec<Unserved>> {
        let names: Vec<String> = executors.iter().map(ToString::to_string).collect();
        let mut session = self.session().await?;
        let query = self.query(&self.queries.find_unserved).bind(self.now()).bind(node.0).bind(names);
        let rows = query.fetch_all(&mut *session).await?;
        session.end().await?;
        let unserved = rows.iter().map(|row| {
            let jobs = usize::try_from(row.try_get::<i64, _>("jobs")?).unwrap_or_default();
            Ok(Unserved::new(row.try_get::<String, _>("executor")?, jobs))
        });
        unserved.collect()
    }
}
