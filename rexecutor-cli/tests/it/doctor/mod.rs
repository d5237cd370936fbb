//! `rexecutor doctor`: each of its findings, and that what it prints repairs it.

mod postgres;
mod sqlite;

use std::process::Command;

use rexecutor::Rexecutor;
use serde_json::Value;

use crate::support::{Place, Ran, fields, ran};

/// What the doctor says, with its exit code.
fn doctor(place: &Place, arguments: &[&str]) -> (i32, Vec<Value>) {
    said(ran(place.command().args(["--json", "doctor"]).args(arguments)))
}

fn said(ran: Ran) -> (i32, Vec<Value>) {
    let code = ran.code;
    let mut answer = ran.json();
    assert_eq!(fields(&answer), ["findings", "status"]);
    assert_eq!(answer["status"] == "ok", code == 0, "{answer}");
    let findings: Vec<Value> = serde_json::from_value(answer["findings"].take()).unwrap();
    for finding in &findings {
        assert_eq!(fields(finding), ["check", "command", "level", "sql", "what"]);
    }
    (code, findings)
}

/// Runs what repairs a finding, as a person would.
fn repair(place: &Place, finding: &Value) {
    match (finding["sql"].as_str(), finding["command"].as_str()) {
        (Some(sql), None) => place.sql_each(&statements(place, sql)),
        (None, Some(command)) => shell(place, command),
        _ => panic!("nothing repairs {finding}"),
    }
}

fn shell(place: &Place, command: &str) {
    // `rexecutor` is the one that is tested.
    let binary = std::path::Path::new(env!("CARGO_BIN_EXE_rexecutor")).parent().unwrap().to_owned();
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(command).env("PATH", path).env("DATABASE_URL", &place.url).current_dir(&place.folder);
    ran(&mut shell).ends(0);
}

/// One by one, as `psql` sends them: some cannot be part of a transaction.
fn statements(place: &Place, sql: &str) -> Vec<String> {
    if place.url.starts_with("sqlite") {
        return vec![sql.to_owned()];
    }
    let (mut all, mut one) = (Vec::new(), String::new());
    for line in sql.lines() {
        one.push_str(line);
        one.push('\n');
        if line.ends_with(';') && one.matches("$function$").count() % 2 == 0 {
            all.push(std::mem::take(&mut one));
        }
    }
    assert_eq!(one, "", "{sql}");
    all
}

/// Breaks something in a database that has jobs, finds it, and repairs it.
#[track_caller]
fn check(place: &Place, breaking: &str, check: &str, level: &str, what: &str) {
    place.sql(&breaking.replace("{s}", &place.schema));
    found_and_repaired(place, breaking, check, level, what);
}

#[track_caller]
fn found_and_repaired(place: &Place, breaking: &str, check: &str, level: &str, what: &str) {
    let (code, findings) = doctor(place, &[]);
    let is_meant = |finding: &&Value| {
        finding["check"] == check && finding["level"] == level && finding["what"].as_str().unwrap().contains(what)
    };
    assert!(findings.iter().any(|finding| is_meant(&finding)), "{breaking}: {findings:#?}");
    let is_problem = findings.iter().any(|finding| finding["level"] == "problem");
    assert_eq!(code, i32::from(is_problem), "{breaking}: {findings:#?}");
    findings.iter().for_each(|finding| repair(place, finding));
    let (code, findings) = doctor(place, &["--strict"]);
    assert_eq!((code, &findings[..]), (0, &[][..]), "{breaking}");
    // It is as good as new.
    place.run(["enqueue", "mail", "1"]).ends(0);
    place.run(["jobs", "list"]).ends(0);
}

fn with_jobs(place: Place) -> Place {
    place.dead("print", &["no"]);
    place.run(["enqueue", "mail", "{\"to\":\"ada\"}", "--tag", "vip", "--unique-key", "k"]).ends(0);
    place
}

#[test]
fn a_database_as_it_should_be_has_nothing_to_find() {
    for place in Place::each() {
        let place = with_jobs(place);
        assert_eq!(place.run(["doctor", "--strict"]).ends(0).out, "ok\n");
        assert_eq!(place.run(["doctor", "--sql", "--strict"]).ends(0).out, "");
    }
}

#[test]
fn tables_that_are_not_there_are_to_be_migrated() {
    let [file, server] = Place::bare();
    file.sql("CREATE TABLE mine (x)");
    for place in [file, server] {
        let (code, findings) = doctor(&place, &[]);
        assert_eq!((code, &findings[0]["check"]), (1, &"table".into()), "{findings:#?}");
        assert_eq!(findings[0]["command"], "rexecutor migrate up");
        place.run(["migrate", "up"]).ends(0);
        assert_eq!(doctor(&place, &["--strict"]), (0, vec![]));
    }
    // No file is no finding: it is the address that is wrong.
    let [file, _] = Place::bare();
    assert!(file.run(["doctor"]).ends(4).err.contains("there is no file"));
}

#[test]
fn tables_of_a_newer_program_are_not_compared_and_those_of_an_older_one_are_to_be_migrated() {
    for place in Place::each() {
        let is_file = place.url.starts_with("sqlite");
        let table = if is_file { "rexecutor_migrations".to_owned() } else { format!("{}.migrations", place.schema) };
        let jobs = if is_file { "rexecutor_jobs".to_owned() } else { format!("{}.jobs", place.schema) };
        let (columns, applied) = if is_file { (", applied_at", ", 0") } else { ("", "") };
        let insert = |oldest: u8| {
            format!(
                "INSERT INTO {table} (version, name, oldest_program{columns}) VALUES (2, 'next', {oldest}{applied})"
            )
        };
        place.sql(&insert(1));
        place.sql(&format!("ALTER TABLE {jobs} ADD COLUMN next TEXT"));
        assert_eq!(doctor(&place, &["--strict"]), (0, vec![]));
        place.sql(&format!("DELETE FROM {table} WHERE version = 2"));
        place.sql(&insert(2));
        let (code, findings) = doctor(&place, &[]);
        assert_eq!((code, &findings[0]["check"]), (1, &"version".into()), "{findings:#?}");
        assert!(findings[0]["what"].as_str().unwrap().contains("need programs that know version 2"));
        place.sql(&format!("DELETE FROM {table}"));
        found_and_repaired(&place, "no version", "version", "problem", "nothing says which version");
        place.sql(&format!("DROP TABLE {table}"));
        found_and_repaired(&place, "no versions", "table", "problem", "migrations");
    }
}

#[rexecutor::job]
async fn known() {}

#[test]
fn names_that_no_living_node_knows_are_listed() {
    for place in Place::each() {
        place.run(["enqueue", "lost", "--in", "1h"]).ends(0);
        place.run(["enqueue", "known", "--in", "1h"]).ends(0);
        assert_eq!(doctor(&place, &["--strict"]), (0, vec![]), "nobody runs anything");
        place.with(async |backend| {
            let node =
                Rexecutor::builder().with_backend(backend.clone()).with_executor::<Known>().start().await.unwrap();
            // It says which executors it runs soon after it has joined.
            let has_said = || !place.json(["nodes", "list"])["nodes"][0]["executors"].is_null();
            assert!((0..200).any(|_| has_said()));
            let (code, findings) = doctor(&place, &[]);
            assert_eq!((code, findings.len(), &findings[0]["check"]), (0, 1, &"name".into()), "{findings:#?}");
            let what = findings[0]["what"].as_str().unwrap();
            assert!(what.contains("1 jobs wait for `lost`") && what.contains("aliases = [\"lost\"]"), "{what}");
            assert_eq!(doctor(&place, &["--strict"]).0, 1);
            repair(&place, &findings[0]);
            assert_eq!(doctor(&place, &["--strict"]), (0, vec![]));
            node.graceful_shutdown().await;
        });
    }
}
