//! Decoding the jobs in a database.

use crate::{stored_jobs::stored_jobs_are_decoded, support::in_schema};

#[tokio::test]
async fn jobs_that_do_not_decode_are_found_in_a_database() {
    in_schema(async |world| stored_jobs_are_decoded(&world.backend, &world.url, &world.schema).await).await;
}
