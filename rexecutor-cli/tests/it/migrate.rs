//! The tables.

use crate::support::{Place, fields, ran};

#[test]
fn tables_are_created_once_and_a_gate_tells() {
    for place in Place::bare() {
        let before = place.run(["migrate", "status"]);
        // There may be no file yet.
        assert!([1, 4].contains(&before.code), "{}{}", before.out, before.err);
        let waited = place.run(["migrate", "wait", "--timeout", "0s"]).ends(1);
        assert!(waited.err.contains("not up to date in time"), "{}", waited.err);
        for _ in 0..2 {
            let up = place.run(["migrate", "up"]).ends(0);
            assert_eq!(up.out, "the tables are up to date: version 1\n");
        }
        let status = place.json(["migrate", "status"]);
        assert_eq!(fields(&status), ["found", "is_current", "known", "oldest_program"]);
        assert_eq!((&status["found"], &status["is_current"]), (&1.into(), &true.into()));
        place.run(["migrate", "wait"]).ends(0);
    }
}

#[test]
fn what_is_printed_creates_the_same_tables() {
    for place in Place::bare() {
        let sql = place.run(["migrate", "sql", "--from", "0"]).ends(0).out;
        place.sql(&sql);
        place.run(["migrate", "status"]).ends(0);
        place.run(["enqueue", "mail", "1"]).ends(0);
        place.dead("print", &["no"]);
        assert_eq!(place.json(["jobs", "list"])["jobs"].as_array().unwrap().len(), 2);
        let rest = place.json(["migrate", "sql"]);
        assert_eq!((fields(&rest), &rest["from"], &rest["sql"]), (vec!["from", "sql"], &1.into(), &"".into()));
        let rest = place.run(["migrate", "sql"]).ends(0);
        assert_eq!((rest.out.as_str(), rest.err.as_str()), ("", "the tables have version 1: nothing is left to run\n"));
    }
}

/// One step of a deploy migrates while another waits for that.
#[test]
fn a_deploy_waits_for_the_tables() {
    for place in Place::bare() {
        let waiting = place.command().args(["migrate", "wait", "--timeout", "60s"]).spawn().unwrap();
        place.run(["migrate", "up"]).ends(0);
        assert!(waiting.wait_with_output().unwrap().status.success());
    }
}

#[test]
fn tables_of_a_newer_program_are_told_of_and_left_alone() {
    for place in Place::each() {
        let table = if place.url.starts_with("sqlite") {
            "rexecutor_migrations".to_owned()
        } else {
            format!("{}.migrations", place.schema)
        };
        let columns = if place.url.starts_with("sqlite") {
            "(version, name, oldest_program, applied_at)"
        } else {
            "(version, name, oldest_program)"
        };
        let applied = if place.url.starts_with("sqlite") { ", 0" } else { "" };
        // One that older programs can work with.
        place.sql(&format!("INSERT INTO {table} {columns} VALUES (2, 'next', 1{applied})"));
        assert_eq!(place.json(["migrate", "status"])["found"], 2);
        place.run(["stats"]).ends(0);
        place.sql(&format!("INSERT INTO {table} {columns} VALUES (3, 'after', 3{applied})"));
        let status = ran(place.command().args(["migrate", "status"])).ends(1);
        assert!(status.out.contains("too new for this command"), "{}", status.out);
        place.run(["migrate", "up"]).ends(4);
        place.run(["stats"]).ends(4);
    }
}
