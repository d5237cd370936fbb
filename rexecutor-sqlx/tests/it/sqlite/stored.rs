//! Decoding the jobs in a file.

use super::File;
use crate::stored_jobs::{stored_jobs_are_decoded, the_command_prints_and_compares_the_snapshot};

#[tokio::test]
async fn jobs_that_do_not_decode_are_found_in_a_file() {
    let file = File::new();
    let url = format!("sqlite:{}", file.path().display());
    stored_jobs_are_decoded(&file.open().await, &url, "rexecutor").await;
}

#[tokio::test]
async fn the_command_says_what_the_jobs_of_the_program_look_like() {
    the_command_prints_and_compares_the_snapshot().await;
}
