//! What `rexecutor doctor` finds in an SQLite file.

use std::{fs, process::Command};

use sqlx::Connection;

use super::{check, doctor, found_and_repaired, repair, with_jobs};
use crate::{server::is_root, support::Place};

#[test]
fn what_is_missing_or_changed_on_sqlite_is_found_and_repaired() {
    let place = with_jobs(Place::sqlite());
    let index = "CREATE INDEX rexecutor_aside_tag ON rexecutor_aside (tag, due_at)";
    let aside = |columns: &str| {
        format!(
            "DROP TABLE rexecutor_aside; CREATE TABLE rexecutor_aside ({columns}) STRICT; {index}; INSERT INTO rexecutor_aside (job, tag, due_at) VALUES (1, 'vip', 5)"
        )
    };
    let plain_jobs = "CREATE TEMP TABLE kept AS SELECT * FROM rexecutor_job_errors; DROP TABLE rexecutor_job_errors; \
                      CREATE TABLE rexecutor_job_errors AS SELECT * FROM kept";
    for (breaking, kind, level, what) in [
        ("DROP TABLE rexecutor_progress", "table", "problem", "`rexecutor_progress` is missing"),
        ("DROP TABLE rexecutor_aside", "table", "problem", "`rexecutor_aside` is missing"),
        ("DROP TABLE rexecutor_flows", "table", "problem", "`rexecutor_flows` is missing"),
        ("ALTER TABLE rexecutor_set_limits DROP COLUMN set_by", "column", "problem", "`set_by` of"),
        ("ALTER TABLE rexecutor_nodes DROP COLUMN label", "column", "problem", "is lost"),
        (
            &aside("job INTEGER PRIMARY KEY, tag TEXT NOT NULL, due_at TEXT NOT NULL"),
            "column",
            "problem",
            "due_at TEXT",
        ),
        (&aside("job INTEGER PRIMARY KEY, tag TEXT, due_at INTEGER NOT NULL"), "column", "problem", "`tag TEXT`"),
        (
            &aside("job INTEGER PRIMARY KEY, tag TEXT NOT NULL DEFAULT 'x', due_at INTEGER NOT NULL"),
            "column",
            "problem",
            "DEFAULT 'x'",
        ),
        (&aside("job INTEGER, tag TEXT NOT NULL, due_at INTEGER NOT NULL"), "column", "problem", "PRIMARY KEY"),
        (
            &aside("job INTEGER PRIMARY KEY, tag TEXT NOT NULL, due_at INTEGER NOT NULL, mine TEXT, UNIQUE (tag)"),
            "column",
            "problem",
            "UNIQUE (tag)",
        ),
        (plain_jobs, "column", "problem", "STRICT"),
        ("DROP INDEX rexecutor_jobs_ready", "index", "problem", "is missing"),
        (
            "DROP INDEX rexecutor_jobs_ready; CREATE INDEX rexecutor_jobs_ready ON rexecutor_jobs (executor)",
            "index",
            "problem",
            "another one",
        ),
        ("CREATE INDEX mine ON rexecutor_jobs (data)", "index", "notice", "not of rexecutor"),
        ("DROP VIEW rexecutor_enqueue", "view", "problem", "is missing"),
        ("DROP TRIGGER rexecutor_enqueue_insert", "trigger", "problem", "is missing"),
        ("DROP TRIGGER rexecutor_flows_tasks", "trigger", "problem", "is missing"),
        (
            "CREATE TRIGGER mine AFTER UPDATE ON rexecutor_jobs BEGIN SELECT 1; END",
            "trigger",
            "notice",
            "not of rexecutor",
        ),
        ("PRAGMA journal_mode = DELETE", "journal", "notice", "kept as `delete`"),
        (
            "PRAGMA journal_mode = DELETE; PRAGMA page_size = 512; VACUUM; PRAGMA journal_mode = WAL",
            "pages",
            "notice",
            "512 bytes",
        ),
        ("PRAGMA default_cache_size = 10", "cache", "notice", "page cache of 40 KiB"),
        (
            "CREATE TABLE mine (x); INSERT INTO mine VALUES (zeroblob(9000000)); DROP TABLE mine",
            "pages",
            "notice",
            "are free",
        ),
        (
            "PRAGMA foreign_keys = OFF; INSERT INTO rexecutor_job_errors (job, attempt, error_type, details, recorded_at) VALUES (777, 1, 'x', 'x', 1)",
            "references",
            "notice",
            "are gone",
        ),
        (
            "INSERT INTO rexecutor_jobs (executor, data, max_attempts, priority, scheduled_at, inserted_at) VALUES ('mail', '1', 1, 0, 1, 4102444800000000)",
            "clock",
            "problem",
            "was set back",
        ),
        (
            "CREATE TEMP TABLE kept AS SELECT * FROM sqlite_schema WHERE name = 'rexecutor_aside_tag'; PRAGMA writable_schema = ON; DELETE FROM sqlite_schema WHERE name = 'rexecutor_aside_tag'; PRAGMA writable_schema = RESET; INSERT INTO rexecutor_aside VALUES (50, 'a', 1), (51, 'b', 1); PRAGMA writable_schema = ON; INSERT INTO sqlite_schema SELECT * FROM kept; PRAGMA writable_schema = RESET",
            "integrity",
            "problem",
            "`rexecutor_aside_tag`",
        ),
    ] {
        check(&place, breaking, kind, level, what);
    }
    // The numbers of jobs go on where they were.
    let last = place.json(["enqueue", "mail"])["jobs"][0]["id"].as_str().unwrap().to_owned();
    place.sql(&format!(
        "DELETE FROM rexecutor_jobs WHERE id = {last}; ALTER TABLE rexecutor_jobs DROP COLUMN max_attempts"
    ));
    let (_, findings) = doctor(&place, &[]);
    findings.iter().for_each(|finding| repair(&place, finding));
    let next = place.json(["enqueue", "mail"])["jobs"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(next.parse::<u64>().unwrap(), last.parse::<u64>().unwrap() + 1);
    assert_eq!(place.json(["jobs", "list", "executor:print"])["jobs"].as_array().unwrap().len(), 1, "rows are kept");
}

#[test]
fn a_file_that_cannot_be_written_to_or_is_damaged_is_found() {
    let place = with_jobs(Place::sqlite());
    let path = place.folder.path().join("jobs.db");
    let chmod = |path: &std::path::Path, mode: &str| {
        assert!(Command::new("chmod").arg(mode).arg(path).status().unwrap().success());
    };
    chmod(&path, "a-w");
    found_and_repaired(&place, "chmod a-w", "permissions", "problem", "cannot be written to");
    chmod(place.folder.path(), "a-w");
    found_and_repaired(&place, "chmod a-w", "permissions", "problem", "the folder");
    // The log is there while somebody has it open.
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let open = runtime.block_on(async {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path).pragma("wal_autocheckpoint", "0");
        let mut open = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
        sqlx::raw_sql("CREATE TABLE mine (x); INSERT INTO mine VALUES (1)").execute(&mut open).await.unwrap();
        open
    });
    if is_root() {
        assert!(
            Command::new("chown")
                .arg("65534:65534")
                .arg(path.with_file_name("jobs.db-wal"))
                .status()
                .unwrap()
                .success()
        );
        found_and_repaired(&place, "chown", "permissions", "problem", "another user");
    }
    let open = runtime.block_on(async {
        let mut open = open;
        let fill = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 70) \
                    INSERT INTO mine SELECT randomblob(1048576) FROM n";
        sqlx::raw_sql(fill).execute(&mut open).await.unwrap();
        open
    });
    found_and_repaired(&place, "a long log", "journal", "notice", "MiB");
    runtime.block_on(open.close()).unwrap();
    // From the middle of the file on it is something else.
    place.sql("DROP TABLE mine; VACUUM");
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 3 * 4096].fill(0x5a);
    fs::write(&path, bytes).unwrap();
    let (code, findings) = doctor(&place, &[]);
    let damage =
        findings.iter().find(|finding| finding["check"] == "integrity").unwrap_or_else(|| panic!("{findings:#?}"));
    assert!(code == 1 && damage["command"].as_str().unwrap().contains(".recover"), "{findings:#?}");
    fs::write(&path, "no database, and long enough that nobody takes it for an empty one").unwrap();
    assert!(place.run(["doctor"]).ends(4).err.contains("is not an SQLite database"));
}
