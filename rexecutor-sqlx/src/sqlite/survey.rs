//! Looking for jobs that no node runs.

use futures::future::BoxFuture;
use rexecutor::{
    backend::{Result, Survey, Unserved},
    job::{ExecutorName, NodeId},
};
use sqlx::Row;

use super::{backend::SqliteBackend, core::Commit, queries, row::micros, script::json, work::Work};

impl Survey for SqliteBackend {
    fn unserved<'a>(&'a self, node: NodeId, executors: &'a [ExecutorName]) -> BoxFuture<'a, Result<Vec<Unserved>>> {
        let names: Vec<String> = executors.iter().map(ToString::to_string).collect();
        let step = async move |work: &mut Work<'_>| {
            let store = sqlx::query(queries::store_executors()).bind(node.0).bind(json(&names)?);
            store.execute(&mut *work.conn).await?;
            let find = sqlx::query(queries::find_unserved()).bind(micros(work.now)).bind(node.0);
            let rows = find.fetch_all(&mut *work.conn).await?;
            let unserved = rows.iter().map(|row| {
                let jobs = usize::try_from(row.try_get::<i64, _>("jobs")?).unwrap_or_default();
                Ok(Unserved::new(row.try_get::<String, _>("executor")?, jobs))
            });
            unserved.collect()
        };
        Box::pin(self.0.writer.write(Commit::Progress, step))
    }
}
