//! Waiting for jobs of other processes.

use super::File;
use crate::outputs_of_others::told_by_another_process;

#[tokio::test]
async fn case_15_1_the_end_of_a_job_in_another_process_is_told() {
    let file = File::new();
    told_by_another_process(&file.open().await, &file.open().await).await;
}
