//! Jobs that complete themselves in a transaction on their own database.

use rexecutor_sqlx::{PgBackend, PgOptions};
use sqlx::PgPool;

use crate::support::in_schema;

completes!(sqlx::Postgres, "BEGIN", in_a_schema);
batches_in_transactions!(sqlx::Postgres, "BEGIN", in_a_schema);

async fn in_a_schema(test: impl AsyncFnOnce(PgBackend, PgPool)) {
    in_schema(async |world| {
        // By the server's clock: the job is tried again.
        let backend = PgOptions::new().schema(&world.schema).connect(&world.url).await.unwrap();
        let search = [("search_path", world.schema.as_str())];
        let options = world.url.parse::<sqlx::postgres::PgConnectOptions>().unwrap().options(search);
        let pool = PgPool::connect_with(options).await.unwrap();
        world.sql("CREATE TABLE {schema}.payments (job BIGINT)").await;
        test(backend, pool.clone()).await;
        pool.close().await;
    })
    .await;
}
