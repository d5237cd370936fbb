//! The suite that every backend passes, on a file and in memory.

use rexecutor_sqlx::SqliteOptions;
use rexecutor_testing::{TestClock, conformance::With};

rexecutor_testing::conformance!(in_memory, |clock: TestClock| async move {
    SqliteOptions::new().clock(clock).open_in_memory().await.unwrap()
});

rexecutor_testing::conformance!(in_a_file, |clock: TestClock| async move {
    let folder = tempfile::tempdir().unwrap();
    With(SqliteOptions::new().clock(clock).open(folder.path().join("jobs.db")).await.unwrap(), folder)
});
