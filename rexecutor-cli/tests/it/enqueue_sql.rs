//! Enqueuing without Rust, as the page of the guide shows it: from `psql`, from Python, in PostgreSQL and in SQLite.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use rexecutor::clock::{Clock, SystemClock};
use serde_json::Value;
use sqlx::postgres::PgListener;

use crate::support::{Place, Ran, ran, texts};

/// The blocks of the page in this language, of which one contains this.
fn block(language: &str, contains: &str) -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/enqueue-from-sql.md");
    let page = fs::read_to_string(page).unwrap();
    let mut blocks = page.split("\n```").skip(1).step_by(2).filter_map(|block| block.strip_prefix(language));
    blocks.find(|block| block.contains(contains)).unwrap_or_else(|| panic!("{language}: {contains}")).to_owned()
}

/// A Python that has this module: `scripts/postgres` installs that of the system.
fn python_with(module: &str) -> &'static str {
    let has = |python: &&str| {
        let tried = Command::new(python).args(["-c", &format!("import {module}")]).output();
        tried.is_ok_and(|output| output.status.success())
    };
    let found = ["python3", "/usr/bin/python3"].into_iter().find(has);
    found.unwrap_or_else(|| panic!("no Python has the module `{module}`: run the tests by `scripts/postgres`"))
}

fn python(place: &Place, program: &str) -> Ran {
    let module = if program.contains("psycopg2") { "psycopg2" } else { "sqlite3" };
    let mut python = Command::new(python_with(module));
    python.arg("-c").arg(program).env("DATABASE_URL", &place.url);
    ran(python.env("JOBS", place.folder.path().join("jobs.db")))
}

fn psql(place: &Place, sql: &str) -> Ran {
    let programs = std::env::var_os("REXECUTOR_POSTGRES_PROGRAMS").map(|folder| PathBuf::from(folder).join("psql"));
    let program = programs.filter(|program| program.exists()).unwrap_or_else(|| "psql".into());
    let mut psql = Command::new(program);
    ran(psql.args(["-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", "-d", &place.url, "-c", sql]))
}

fn of_schema(place: &Place, text: &str) -> String {
    text.replace("rexecutor.", &format!("{}.", place.schema))
}

fn jobs(place: &Place) -> Vec<Value> {
    let mut jobs = place.json(["jobs", "list"])["jobs"].as_array().unwrap().clone();
    jobs.reverse();
    jobs
}

fn id(job: &Value) -> &str {
    job["id"].as_str().unwrap()
}

#[test]
fn psql_and_python_enqueue_on_postgres_as_the_guide_says() {
    let [_, place] = Place::each();
    let answer = psql(&place, &of_schema(&place, &block("sql", "SELECT rexecutor.enqueue"))).ends(0);
    let numbers: Vec<&str> = answer.out.lines().collect();
    assert_eq!(numbers.len(), 4);
    assert_eq!(numbers[2], numbers[3], "one job for a key");
    let stored = jobs(&place);
    assert_eq!(stored.iter().map(id).collect::<Vec<_>>(), numbers[..3]);
    assert_eq!(stored[0]["data"], r#"{"to": "ada@example.com"}"#, "as it was written");
    assert_eq!((&stored[0]["max_attempts"], &stored[0]["priority"]), (&5.into(), &0.into()));
    assert_eq!((&stored[1]["max_attempts"], &stored[1]["priority"]), (&3.into(), &5.into()));
    assert_eq!(texts(&stored[1]["tags"]), ["vip"]);
    // Rust sees the same key.
    let known = place.json(["enqueue", "welcome_email", "--unique-key", "welcome-7"]);
    assert_eq!((&known["jobs"][0]["result"], id(&known["jobs"][0])), (&"existing".into(), numbers[2]));
    let new = place.json(["enqueue", "welcome_email", "--unique-key", "ä\"\\\u{1b}\u{7f}"]);
    let call = "SELECT rexecutor.enqueue('welcome_email', unique_key => E'ä\"\\\\\\x1b\\x7f')";
    assert_eq!(psql(&place, &of_schema(&place, call)).ends(0).out.trim(), id(&new["jobs"][0]));
    let said = python(&place, &of_schema(&place, &block("python", "psycopg2"))).ends(0).out;
    let last = jobs(&place).pop().unwrap();
    assert_eq!((said.trim(), texts(&last["tags"])), (format!("job {}", id(&last)).as_str(), vec!["python"]));
    place.with(async |backend| {
        // It is a job as any other.
        place.settle(backend, "welcome_email", |_| rexecutor::backend::Outcome::complete(true)).await;
    });
    assert!(jobs(&place).iter().any(|job| job["status"] == "complete"));
}

/// What wakes nodes comes with the commit.
#[test]
fn nodes_are_woken_by_a_call_on_postgres() {
    let [_, place] = Place::each();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let payload: Value = runtime.block_on(async {
        let mut listener = PgListener::connect(&place.url).await.unwrap();
        listener.listen(&format!("rexecutor:{}", place.schema)).await.unwrap();
        psql(&place, &of_schema(&place, "SELECT rexecutor.enqueue('mail'), rexecutor.enqueue('mail')")).ends(0);
        let notice = tokio::select! {
            notice = listener.recv() => notice.unwrap(),
            () = SystemClock.sleep(Duration::from_secs(60)) => panic!("nobody was told"),
        };
        serde_json::from_str(notice.payload()).unwrap()
    });
    assert_eq!(payload["executors"], serde_json::json!(["mail"]));
}

#[test]
fn python_enqueues_on_sqlite_as_the_guide_says() {
    let place = Place::sqlite();
    let said = python(&place, &block("python", "sqlite3")).ends(0).out;
    let stored = jobs(&place);
    assert_eq!(stored.len(), 2);
    assert_eq!(said, format!("job {}\npriority: not a whole number from 0 to 999\n", id(&stored[1])));
    assert_eq!(stored[0]["data"], r#"{"to": "ada@example.com"}"#);
    assert_eq!((&stored[1]["priority"], texts(&stored[1]["tags"])), (&5.into(), vec!["vip"]));
    let known = place.json(["enqueue", "welcome_email", "--unique-key", "welcome-7"]);
    assert_eq!((&known["jobs"][0]["result"], id(&known["jobs"][0])), (&"existing".into(), id(&stored[1])));
    // The other way round, with keys that take one block and several.
    for key in ["k", "ä\"\\", &"z".repeat(55), &"z".repeat(56), &"z".repeat(500)] {
        let new = place.json(["enqueue", "welcome_email", "--unique-key", key]);
        let insert = "INSERT INTO rexecutor_enqueue (executor, unique_key) VALUES ('welcome_email', KEY)";
        place.sql(&insert.replace("KEY", &format!("'{key}'")));
        assert_eq!(id(jobs(&place).last().unwrap()), id(&new["jobs"][0]), "{key}");
    }
    // Data of more than 64 KiB are marked as such, as by programs.
    place.sql("INSERT INTO rexecutor_enqueue (executor, data) VALUES ('big', json_quote(hex(zeroblob(40000))))");
    place.with(async |backend| {
        place.settle(backend, "big", |_| rexecutor::backend::Outcome::complete(true)).await;
        place.settle(backend, "welcome_email", |_| rexecutor::backend::Outcome::complete(true)).await;
    });
    assert!(jobs(&place).iter().filter(|job| job["status"] == "complete").count() > 2);
}

/// A name, and what is given in PostgreSQL and in SQLite, none of which a program could enqueue.
const WRONG: &[(&str, &str, &str)] = &[
    ("name: the name of an executor must not be empty", "''", "executor = ''"),
    ("name: the name of an executor", "repeat('x', 256)", "executor = printf('%.256c', 'x')"),
    ("name: names that begin with `limit:`", "'limit:x'", "executor = 'limit:x'"),
    ("data", "'m', '{to: 1}'", "data = '{to: 1}'"),
    ("data: ", "'m', to_json(repeat('x', 1048575))", "data = json_quote(printf('%.1048575c', 'x'))"),
    ("data: a string contains U+0000", r#"'m', '"\u0000"'"#, r#"data = '"\u0000"'"#),
    (
        "levels of JSON; the limit is 127",
        "'m', (repeat('[', 128) || repeat(']', 128))::JSON",
        "data = printf('%.128c', '[') || printf('%.128c', ']')",
    ),
    ("metadata: a string contains U+0000", r#"'m', metadata => '"\u0000"'"#, r#"metadata = '"\u0000"'"#),
    ("priority: ", "'m', priority => 1000", "priority = 1000"),
    ("priority: ", "'m', priority => -1", "priority = -1"),
    ("max_attempts: ", "'m', max_attempts => 0", "max_attempts = 0"),
    ("max_attempts: ", "'m', max_attempts => 65536", "max_attempts = 65536"),
    ("schedule_in: the delay is negative", "'m', delay => '-1 second'", "delay = -1"),
    ("schedule_in: ", "'m', delay => '365001 days'", "delay = 31536000001"),
    ("schedule_at: ", "'m', scheduled_at => '10001-01-01Z'", "scheduled_at = '10001-01-01'"),
    ("schedule_at: ", "'m', scheduled_at => '0002-01-01Z BC'", "scheduled_at = '0000-01-01'"),
    ("exclude each other", "'m', scheduled_at => now(), delay => '1 second'", "scheduled_at = '2030-01-01', delay = 1"),
    (
        "tags: ",
        "'m', tags => array_fill('x'::TEXT, ARRAY[101])",
        "tags = '[' || substr(replace(printf('%.101c', 'x'), 'x', ',\"x\"'), 2) || ']'",
    ),
    (
        "tags: a tag of too many bytes",
        "'m', tags => ARRAY[repeat('x', 256)]",
        "tags = json_array(printf('%.256c', 'x'))",
    ),
    ("tags: not a", "'m', tags => ARRAY[NULL]::TEXT[]", "tags = '[1]'"),
    ("unique: ", "'m', unique_within => '1 second'", "unique_within = 1"),
    ("unique: ", "'m', unique_key => 'k', unique_within => '0'", "unique_key = 'k', unique_within = 0"),
];

#[test]
fn what_programs_cannot_enqueue_is_refused_in_sql_too() {
    let [file, server] = Place::each();
    for (problem, call, fields) in WRONG {
        let ran = psql(&server, &of_schema(&server, &format!("SELECT rexecutor.enqueue({call})")));
        assert!(
            ran.code != 0 && (ran.err.contains(problem) || ran.err.contains("invalid input syntax")),
            "{call}: {}",
            ran.err
        );
        let mut names: Vec<(&str, &str)> =
            fields.split(", ").filter(|_| !fields.contains('(')).filter_map(|field| field.split_once(" = ")).collect();
        if names.is_empty() {
            names.extend(fields.split_once(" = "));
        }
        if names.iter().all(|(name, _)| *name != "executor") {
            names.push(("executor", "'m'"));
        }
        let (columns, values): (Vec<&str>, Vec<&str>) = names.into_iter().unzip();
        let insert = format!("INSERT INTO rexecutor_enqueue ({}) VALUES ({})", columns.join(", "), values.join(", "));
        let program =
            format!("import os, sqlite3\nsqlite3.connect(os.environ['JOBS']).execute({})", serde_json::json!(insert));
        let ran = python(&file, &program);
        assert!(ran.code != 0 && ran.err.contains(problem), "{insert}: {}{}", ran.out, ran.err);
    }
    // What looks like it, and is allowed.
    let deep = "SELECT rexecutor.enqueue('m', (repeat('[', 127) || repeat(']', 127))::JSON), \
                rexecutor.enqueue('m', (SELECT json_agg('[]'::JSON) FROM generate_series(1, 500))), \
                rexecutor.enqueue('m', to_json(repeat('[', 500))), rexecutor.enqueue('m', '\"\\\\u0000\"')";
    psql(&server, &of_schema(&server, deep)).ends(0);
    file.sql("INSERT INTO rexecutor_enqueue (executor, data) VALUES ('m', printf('%.127c', '[') || printf('%.127c', ']')), ('m', '\"\\\\u0000\"')");
    assert_eq!((jobs(&server).len(), jobs(&file).len()), (4, 2));
}

/// Of callers that come at once with one key, one enqueues.
#[test]
fn one_of_many_callers_enqueues_a_key_on_postgres() {
    let [_, place] = Place::each();
    let call = of_schema(&place, "SELECT rexecutor.enqueue('mail', unique_key => 'one')");
    let answers: Vec<String> = std::thread::scope(|scope| {
        let callers: Vec<_> = (0..8).map(|_| scope.spawn(|| psql(&place, &call).ends(0).out)).collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).collect()
    });
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(jobs(&place).len(), 1);
}
