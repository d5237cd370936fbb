//! Everything holds when another crate of the program turns on `arbitrary_precision` and `preserve_order` of `serde_json`.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

#[path = "../../rexecutor/tests/it/schema/pairs/mod.rs"]
mod pairs;
#[path = "../../rexecutor/tests/it/same_rows.rs"]
mod same_rows;

use rexecutor::backend::memory::InMemoryBackend;
use rexecutor_sqlx::SqliteOptions;
use rexecutor_testing::{TestClock, conformance::With};

rexecutor_testing::conformance!(memory, |clock: TestClock| async move { InMemoryBackend::new().with_clock(clock) });

rexecutor_testing::conformance!(sqlite, |clock: TestClock| async move {
    let folder = tempfile::tempdir().unwrap();
    With(SqliteOptions::new().clock(clock).open(folder.path().join("jobs.db")).await.unwrap(), folder)
});

#[test]
fn case_29_the_features_are_on() {
    let value: serde_json::Value = serde_json::from_str(r#"{"b":1.10,"a":2}"#).unwrap();
    assert_eq!(value.to_string(), r#"{"b":1.10,"a":2}"#);
}
