//! `rexecutor copy`: what it says, what goes on in the new database, and that it may be killed at any moment.

mod goes_on;
mod killed;

use std::{fs, process::Command};

use rexecutor::backend::{Filter, Inspect, JobRow};
use rexecutor_sqlx::AnyBackend;
use serde_json::json;

use crate::support::{Place, command, fields, ran};

/// Every direction.
fn directions() -> [[Place; 2]; 4] {
    let pair = |one: usize, other: usize| {
        let [mut first, mut second] = [Place::bare(), Place::bare()].map(|places| places.map(Some));
        let pair = [first[one].take().unwrap(), second[other].take().unwrap()];
        pair[0].run(["migrate", "up"]).ends(0);
        pair
    };
    [pair(0, 1), pair(1, 0), pair(0, 0), pair(1, 1)]
}

/// The command that copies from one to the other.
fn copy(from: &Place, to: &Place) -> Command {
    let mut command = command();
    command.args(["copy", "--from", &from.url, "--to", &to.url]);
    for (option, place) in [("--from-schema", from), ("--to-schema", to)] {
        if place.url.starts_with("postgres") {
            command.args([option, &place.schema]);
        }
    }
    command
}

async fn all(backend: &AnyBackend) -> Vec<JobRow> {
    backend.query(&Filter::All(vec![]), usize::MAX).await.unwrap()
}

#[test]
fn it_says_what_it_has_copied_and_what_it_would() {
    for [from, to] in directions() {
        from.dead("print", &["no paper", "no ink"]);
        from.run(["enqueue", "mail", "--in", "1h"]).ends(0);
        from.run(["schedules", "add", "x", "--executor", "mail", "--every", "1h"]).ends(0);
        let would = ran(copy(&from, &to).arg("--dry-run")).ends(0);
        assert!(
            would.out.starts_with(
                "STATUS     JOBS\ndiscarded     2\nscheduled     1\n(all)         3\n\nit would copy 3 jobs and "
            ),
            "{}",
            would.out
        );
        // It has not even made the tables.
        assert_ne!(to.run(["migrate", "status"]).code, 0);
        let copied = ran(copy(&from, &to).arg("--json")).ends(0);
        assert_eq!(copied.err, "");
        let copied = copied.json();
        let expected = ["clock_ahead_ms", "dry_run", "from", "live", "others", "statuses", "stored", "tables", "to"];
        assert_eq!(fields(&copied), expected);
        assert_eq!((&copied["live"], &copied["dry_run"], &copied["others"]), (&json!(false), &json!(false), &json!(0)));
        let [first, second] = [0, 1].map(|place| copied["statuses"][place].clone());
        assert_eq!(fields(&first), ["digest", "jobs", "status"]);
        assert_eq!(
            (&first["status"], &first["jobs"], &second["status"], &second["jobs"]),
            (&json!("discarded"), &json!(2), &json!("scheduled"), &json!(1))
        );
        assert_eq!(first["digest"].as_str().unwrap().len(), 32);
        assert_eq!(fields(&copied["tables"][0]), ["digest", "rows", "table"]);
        let entries =
            copied["tables"].as_array().unwrap().iter().find(|one| one["table"] == "schedule_entries").unwrap();
        assert_eq!(entries["rows"], 1);
        let jobs = |place: &Place| place.with(async |backend| all(backend).await);
        assert_eq!(jobs(&from), jobs(&to));
        let again = ran(&mut copy(&from, &to)).ends(3);
        assert!(again.err.contains("the target is a complete copy of the source already"), "{}", again.err);
        from.run(["enqueue", "mail"]).ends(0);
        let would = ran(copy(&from, &to).args(["--live", "--dry-run"])).ends(0);
        assert!(
            would.out.contains("it would move 1 job to ")
                && would.out.contains("\nleft in the source: 1 copied as a whole before\n"),
            "{}",
            would.out
        );
        let moved = ran(copy(&from, &to).args(["--live", "--json"])).ends(0).json();
        assert_eq!(fields(&moved), ["clock_ahead_ms", "dry_run", "from", "left", "live", "moved", "renumbered", "to"]);
        // It keeps its number, which nobody has been given there yet.
        let counts = (&moved["moved"], &moved["left"]["copied"], &moved["renumbered"]);
        assert_eq!(counts, (&json!(1), &json!(1), &json!([])));
        to.run(["enqueue", "mail"]).ends(0);
        from.run(["enqueue", "mail"]).ends(0);
        let moved = ran(copy(&from, &to).args(["--live", "--json"])).ends(0).json();
        assert_eq!(moved["renumbered"], json!([{ "from": "5", "to": "6" }]));
        from.run(["enqueue", "mail"]).ends(0);
        let moved = ran(copy(&from, &to).arg("--live")).ends(0);
        assert!(
            moved.out.starts_with("moved 1 job to ") && moved.out.contains(", under a new number\n"),
            "{}",
            moved.out
        );
        assert_eq!(jobs(&to).len(), 7);
    }
}

#[test]
fn it_asks_before_a_production_database_is_written_to() {
    let [from, to] = [Place::sqlite(), Place::sqlite()];
    from.run(["enqueue", "mail"]).ends(0);
    let config = from.folder.path().join("config.toml");
    let text = format!(
        "[contexts.new]\ndatabase = \"{}\"\nproduction = true\n[contexts.old]\ndatabase = \"{}\"\n",
        to.url, from.url
    );
    fs::write(&config, text).unwrap();
    let copy = |arguments: &[&str]| {
        let mut command = command();
        ran(command.arg("--config").arg(&config).args(["copy", "--from", "old", "--to", "new"]).args(arguments))
    };
    let refused = copy(&[]).ends(5);
    assert!(
        refused.err.contains("new (sqlite:") && refused.err.contains("copy jobs into it: give `--yes`"),
        "{}",
        refused.err
    );
    copy(&["--dry-run"]).ends(0);
    copy(&["--yes"]).ends(0);
    let swapped =
        ran(command().arg("--config").arg(&config).args(["copy", "--from", "new", "--to", "old", "--live"])).ends(5);
    assert!(swapped.err.contains("move jobs that wait out of it"), "{}", swapped.err);
}

#[test]
fn what_is_wrong_with_it_is_told_without_a_password() {
    let place = Place::sqlite();
    for (arguments, code, said) in [
        (
            vec!["--from", "sqlite:none.db", "--to", &place.url],
            4,
            "the source sqlite:none.db has no jobs to copy: there is no database of rexecutor there\nhint: look at its path",
        ),
        (
            vec!["--from", &place.url, "--from-schema", "shop", "--to", "sqlite:other.db"],
            2,
            "--from-schema is given, and sqlite:",
        ),
        (
            vec!["--from", &place.url, "--to", "sqlite:other.db", "--to-schema", "shop"],
            2,
            "--to-schema is given, and sqlite:other.db has no schemas: only PostgreSQL has",
        ),
        (vec!["--from", &place.url, "--to", "sqlite::memory:"], 2, "a database in memory is gone with this command"),
        (vec!["--from", &place.url, "--to", "nothing"], 2, "there is no context `nothing`"),
        (vec!["--from", &place.url], 2, "--to"),
        (vec!["--to", &place.url], 2, "no database is named"),
        (vec!["--from", &place.url, "--to", &place.url], 3, "the source and the target are the same database"),
        (
            vec!["--from", &place.url, "--to", "postgres://me:s3cret@127.0.0.1:1/shop"],
            4,
            "no PostgreSQL server answers",
        ),
        (
            vec!["--from", "postgres://me:s3cret@127.0.0.1:1/shop", "--to", &place.url],
            4,
            "no PostgreSQL server answers",
        ),
    ] {
        let ran = ran(command().current_dir(&place.folder).arg("copy").args(&arguments)).ends(code);
        assert!(ran.err.contains(said), "{arguments:?}: {}", ran.err);
        assert!(!ran.err.contains("s3cret"), "{}", ran.err);
    }
    // Without `--from` it is the database that every command takes.
    let other = format!("sqlite:{}", place.folder.path().join("other.db").display());
    place.run(["enqueue", "mail"]).ends(0);
    let copied = place.run(["copy", "--to", &other]).ends(0);
    assert!(copied.out.contains("1 job and 1 row of other tables are in sqlite:"), "{}", copied.out);
}
