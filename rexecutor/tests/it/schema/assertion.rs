//! `assert_schema!` and its file.

use std::{fs, path::Path};

use rexecutor::{
    prelude::*,
    schema::{Snapshot, check_file},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema)]
struct Letter {
    to: String,
}

#[job(name = "schema_letter", executor = SendLetter)]
async fn letter(letter: Letter) {
    let _ = letter.to;
}

fn snapshot() -> Snapshot {
    Snapshot::from_registry().retain(|name| name == "schema_letter")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

#[test]
fn the_file_is_written_when_it_is_asked_for_and_only_then() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jobs.schema.json");
    let error = check_file(&path, &snapshot(), "").unwrap_err();
    assert!(
        error.ends_with("jobs.schema.json does not exist; write it with `UPDATE_SCHEMA=1 cargo test`, and commit it"),
        "{error}"
    );
    assert!(!path.exists());

    assert_eq!(check_file(&path, &snapshot(), "1"), Ok(()));
    assert_eq!(read(&path), format!("{}\n", snapshot()));
    assert_eq!(check_file(&path, &snapshot(), ""), Ok(()));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left behind");
    // The path is relative to the package, and an absolute one is taken as it is.
    rexecutor::assert_schema!(&path, snapshot());
}

#[test]
fn a_change_that_breaks_nothing_makes_the_file_outdated() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jobs.schema.json");
    let old = r#"{"version":1,"jobs":{}}"#;
    fs::write(&path, old).unwrap();
    let error = check_file(&path, &snapshot(), "").unwrap_err();
    assert!(
        error.contains("is not up to date; no change breaks stored jobs: write it with `UPDATE_SCHEMA=1"),
        "{error}"
    );
    assert_eq!(read(&path), old);
    check_file(&path, &snapshot(), "1").unwrap();
    check_file(&path, &snapshot(), "").unwrap();
}

#[test]
fn a_change_that_breaks_stored_jobs_is_written_only_where_it_is_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jobs.schema.json");
    let old = snapshot().to_string().replace("\"to\"", "\"address\"");
    fs::write(&path, &old).unwrap();
    for update in ["", "1"] {
        let error = check_file(&path, &snapshot(), update).unwrap_err();
        let lines: Vec<&str> = error.lines().collect();
        assert_eq!(
            lines[..2],
            [
                "stored jobs would not decode, because of one change:",
                "- job `schema_letter`, data, field `to`: it is new, and stored jobs lack it; if it was called `address`, write \
             `#[serde(alias = \"address\")]` on it, else `#[serde(default)]`",
            ]
        );
        assert!(lines[2].contains("accept this with `UPDATE_SCHEMA=breaking cargo test`"), "{error}");
        assert_eq!(read(&path), old);
    }
    check_file(&path, &snapshot(), "breaking").unwrap();
    check_file(&path, &snapshot(), "").unwrap();
}

#[test]
fn what_cannot_be_compared_fails() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jobs.schema.json");
    fs::write(&path, "<<<<<<< HEAD").unwrap();
    let error = check_file(&path, &snapshot(), "1").unwrap_err();
    assert!(error.contains("is not JSON") && error.contains("line 1"), "{error}");
    let error = check_file(&path, &Snapshot::new(), "1").unwrap_err();
    assert!(error.starts_with("no job is linked into this test") && error.contains("use my_app as _;"), "{error}");
    let error = check_file(&path, &snapshot(), "yes").unwrap_err();
    assert_eq!(error, "UPDATE_SCHEMA is `yes`; write `UPDATE_SCHEMA=1`, or `UPDATE_SCHEMA=breaking`");
    let error = check_file(&path.join("x"), &snapshot(), "").unwrap_err();
    assert!(error.starts_with("cannot read "), "{error}");
}

#[test]
#[should_panic(expected = "does not exist; write it with `UPDATE_SCHEMA=1 cargo test`")]
fn the_assertion_panics_with_what_is_to_be_done() {
    rexecutor::assert_schema!("no-such-file.json", snapshot());
}
