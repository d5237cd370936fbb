//! The measurement.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use crate::support::{Place, fields};

/// What lies in a folder, but for what SQLite keeps beside the file itself.
fn files(place: &Place) -> Vec<String> {
    let names = fs::read_dir(&place.folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| !name.ends_with("-wal") && !name.ends_with("-shm")).collect();
    names.sort();
    names
}

#[test]
fn a_measurement_gives_numbers_and_leaves_nothing_behind_however_it_ends() {
    for place in Place::each() {
        place.run(["enqueue", "mail"]).ends(0);
        let before = files(&place);
        let measured = place.json(["bench", "--time", "2s", "--callers", "2"]);
        let expected =
            ["enqueued_in_batches_per_second", "enqueued_one_by_one_per_second", "run_per_second", "start_delay_ms"];
        assert_eq!(fields(&measured), expected);
        assert!(expected[..3].iter().all(|rate| measured[rate].as_f64().unwrap() > 0.0), "{measured}");
        assert_eq!(fields(&measured["start_delay_ms"]), ["p50", "p95", "p99"]);
        assert!(measured["start_delay_ms"]["p50"].as_f64().is_some(), "{measured}");
        assert_eq!(files(&place), before);
        assert_eq!(place.json(["jobs", "list"])["jobs"].as_array().unwrap().len(), 1);
        assert_eq!(place.json(["nodes", "list"])["nodes"].as_array().unwrap().len(), 0);
        nothing_is_left(&place);
        // Neither does one that is ended in the middle.
        let mut bench = place.command();
        bench.args(["bench", "--time", "1h"]).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut bench = bench.spawn().unwrap();
        let mut said = String::new();
        let mut remarks = BufReader::new(bench.stderr.take().unwrap());
        remarks.read_line(&mut said).unwrap();
        assert!(said.starts_with("measuring for 1 h") || said.starts_with("measuring for 60 min"), "{said}");
        assert!(Command::new("kill").arg(bench.id().to_string()).status().unwrap().success());
        assert_eq!(bench.wait().unwrap().code(), Some(3));
        said.clear();
        remarks.read_line(&mut said).unwrap();
        assert_eq!(said, "error: interrupted\n");
        assert_eq!(files(&place), before);
        nothing_is_left(&place);
    }
}

/// No schema of a measurement: the statement fails if there is one.
fn nothing_is_left(place: &Place) {
    if !place.url.starts_with("sqlite") {
        place.sql(
            "DO $$ BEGIN IF EXISTS (SELECT FROM pg_namespace WHERE nspname LIKE 'rexecutor_scratch%') \
             THEN RAISE EXCEPTION 'a schema was left behind'; END IF; END $$",
        );
    }
}
