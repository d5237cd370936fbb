//! Every workload runs, at sizes that take no time, and says what it should; the database is left as it was.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;

const TINY: [&str; 11] =
    ["--quick", "--jobs", "30", "--history", "40", "--seconds", "0.1", "--rate", "200", "--nodes", "2"];

fn benches(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_benches")).args(arguments).output().unwrap()
}

#[track_caller]
fn text(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Runs all workloads; returns the measures of each, with their values.
#[track_caller]
fn measure_all(backend: &str, runs: usize) -> BTreeMap<String, BTreeMap<String, f64>> {
    let output =
        text(&benches(&[&["all", "--backend", backend, "--runs", &runs.to_string(), "--json"], &TINY[..]].concat()));
    let mut workloads: BTreeMap<String, BTreeMap<String, f64>> = BTreeMap::new();
    for line in output.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let [workload, case, measure] = ["workload", "case", "measure"].map(|name| line[name].as_str().unwrap());
        let [least, median, most] = ["min", "median", "max"].map(|name| line[name].as_f64().unwrap());
        assert!(0.0 <= least && least <= median && median <= most, "{line}");
        assert!(median > 0.0 || measure != "jobs/s", "{line}");
        assert_eq!(line["runs"], runs, "{line}");
        assert!(line["machine"]["cores"].as_u64().unwrap() > 0, "{line}");
        workloads.entry(workload.to_owned()).or_default().insert(format!("{case}: {measure}"), median);
    }
    workloads
}

const EVERYWHERE: [&str; 16] = [
    "dashboard",
    "drain",
    "drain-unkept",
    "enqueue",
    "enqueue-bulk",
    "enqueue-concurrent",
    "executors",
    "flows",
    "grown",
    "idle",
    "latency",
    "limits",
    "prune",
    "retry-storm",
    "steady",
    "unique",
];

const IN_DATABASES: [&str; 3] = ["limit", "nodes", "pinned"];

#[track_caller]
fn check_names(measured: &BTreeMap<String, BTreeMap<String, f64>>, expected: &[&str]) {
    let measured: BTreeSet<&str> = measured.keys().map(String::as_str).collect();
    assert_eq!(measured, expected.iter().copied().collect());
}

#[test]
fn every_workload_runs_in_memory() {
    let measured = measure_all("memory", 2);
    check_names(&measured, &EVERYWHERE);
    assert_eq!(measured["latency"].len(), 4);
    for case in ["cluster_concurrency = 100", "a shared limit of 100", "1,000 keys", "100,000 keys", "1,000 lines"] {
        assert!(measured["limits"].contains_key(&format!("{case} to plain: ratio")), "{case}");
    }
    assert!(measured["dashboard"].contains_key("dead letters: max ms"));
    assert!(measured["dashboard"].contains_key("with viewers to without: ratio"));
    assert!(measured["limits"].contains_key("a flood of one key: p95 ms"));
}

#[test]
fn every_workload_runs_on_sqlite_and_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let measured = measure_all(&format!("sqlite:{}", folder.path().display()), 1);
    check_names(&measured, &[&EVERYWHERE[..], &IN_DATABASES].concat());
    assert_eq!(measured["latency"].len(), 8, "from two processes");
    assert!(measured["nodes"].contains_key("2 processes to 1: ratio"));
    assert_eq!(folder.path().read_dir().unwrap().count(), 0);
}

#[test]
fn every_workload_runs_on_postgres_and_leaves_no_schema() {
    let Ok(url) = std::env::var("DATABASE_URL") else {
        eprintln!("left out: DATABASE_URL is not set");
        return;
    };
    let measured = measure_all(&url, 1);
    check_names(&measured, &[&EVERYWHERE[..], &IN_DATABASES].concat());
    for (workload, measures) in &measured {
        assert!(measures.keys().any(|measure| measure.ends_with(": dead rows")), "{workload}");
    }
    for measure in [": WAL bytes/job", ": commits/job"] {
        assert!(measured["drain"][measure] > 0.0, "{measure}");
    }
    assert!(measured["idle"].contains_key(": statements/s"));
    assert!(measured["limits"].contains_key("1,000 jobs at 10 a second: statements/s"));
    assert!(measured["limits"].contains_key("1,000 lines to plain, 2 processes: ratio"));
    let schemas = tokio::runtime::Runtime::new().unwrap().block_on(async {
        let mut connection = <sqlx::PgConnection as sqlx::Connection>::connect(&url).await.unwrap();
        let sql = "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'rexecutor_bench_%'";
        sqlx::query_scalar::<_, String>(sql).fetch_all(&mut connection).await.unwrap()
    });
    assert_eq!(schemas, [""; 0]);
}

#[test]
fn a_chart_is_drawn_of_what_was_measured() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("results.jsonl");
    let measured = benches(&["enqueue", "--jobs", "5", "--runs", "1", "--json"]);
    std::fs::write(&file, text(&measured)).unwrap();
    let chart = |file: &Path, more: &[&str]| benches(&[&["chart", file.to_str().unwrap()], more].concat());
    let svg = text(&chart(&file, &["--title", "Enqueuing"]));
    assert!(svg.starts_with("<svg") && svg.contains("Enqueuing") && svg.matches("<rect").count() == 1, "{svg}");
    let refused = chart(&file, &["--measure", "furlongs"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("there are: jobs/s"));
    let missing = chart(&folder.path().join("none"), &[]);
    assert!(!missing.status.success() && String::from_utf8_lossy(&missing.stderr).starts_with("error: "));
}

#[test]
fn bad_arguments_are_answered_in_words() {
    for (arguments, message) in [
        (&["drain", "--backend", "mysql://db"][..], "it must be `memory`, `sqlite`, `sqlite:FOLDER` or `postgres://…`"),
        (&["drain", "--backend", "sqlite:/no/such/folder"], "there is no folder `/no/such/folder`"),
        (&["drain", "--backend", "postgres://127.0.0.1:1/none"], "refused"),
        (&["drain", "--jobs", "0"], "it must be at least 1"),
        (&["drain", "--seconds", "soon"], "it must be a number of seconds"),
        (&["dran"], "drain"),
        (&["nodes", "--backend", "memory"], "processes do not share memory"),
        (&[], "WORKLOAD"),
    ] {
        let output = benches(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            !output.status.success() && said.contains("error: ") && said.contains(message),
            "{arguments:?}: {said}"
        );
    }
}
