//! `rexecutor import-0-1`, on tables that programs of the published rexecutor 0.1.1 have made.

mod killed;
mod old;

use std::{cell::Cell, collections::BTreeMap};

use chrono::{DateTime, Utc};
use rexecutor::{
    backend::{Filter, Inspect, JobRow},
    job::{ErrorType, JobStatus},
    prelude::*,
};
use rexecutor_sqlx::{AnyBackend, Import01};
use serde_json::{Value, json};
use tokio::sync::mpsc::unbounded_channel;

use self::old::{Old, Running};
use crate::{
    docs::check_page,
    support::{Place, command, fields, ran},
};

/// All of ours.
fn jobs_of(place: &Place) -> Vec<JobRow> {
    place.with(async |backend| all(backend).await)
}

async fn all(backend: &AnyBackend) -> Vec<JobRow> {
    backend.query(&Filter::All(vec![]), usize::MAX).await.unwrap()
}

/// Jobs by their numbers in 0.1.
fn by_old_id(jobs: Vec<JobRow>) -> BTreeMap<i32, JobRow> {
    let count = jobs.len();
    let id = |job: &JobRow| job.extras.headers.get(Import01::OLD_ID).unwrap().parse::<i32>().unwrap();
    let jobs: BTreeMap<i32, JobRow> = jobs.into_iter().map(|job| (id(&job), job)).collect();
    assert_eq!(jobs.len(), count, "none came twice");
    jobs
}

fn counted(list: &Value) -> u64 {
    list.as_array().unwrap().iter().map(|one| one["jobs"].as_u64().unwrap()).sum()
}

/// What 0.1 knows of its jobs' times: microseconds since 1970.
fn times(old: &Old) -> BTreeMap<i32, [Option<i64>; 4]> {
    let columns = ["inserted_at", "scheduled_at", "attempted_at", "coalesce(completed_at, cancelled_at, discarded_at)"];
    let micros = columns.map(|column| format!("(extract(EPOCH FROM {column}) * 1000000)::BIGINT")).join(", ");
    let listed = old.one(&format!("SELECT json_object_agg(id, json_build_array({micros})) FROM public.rexecutor_jobs"));
    serde_json::from_str(&listed).unwrap()
}

#[job(name = "mail", backoff = constant("1h"))]
async fn mail(letter: Value) {
    assert!(letter["to"].is_string());
}

#[job(name = "report")]
async fn report(number: Option<u32>) {
    assert!(number.is_none_or(|number| number == 7));
}

#[test]
fn every_job_comes_as_it_was_and_those_that_wait_run() {
    let old = Old::with(&["fill"]);
    let place = &old.place;
    let (count, times) = (old.left(), times(&old));
    let unique = "SELECT string_agg(data::TEXT, ' ') FROM public.rexecutor_jobs WHERE executor = 'report' AND uniqueness_key IS NOT NULL";
    assert_eq!(old.one(unique), "7");
    // Nothing is made for a dry run.
    let refused = place.run(["import-0-1", "--dry-run"]).ends(4);
    assert!(refused.err.contains("`rexecutor migrate up` creates the tables"), "{}", refused.err);
    place.run(["migrate", "up"]).ends(0);
    let would = place.json(["import-0-1", "--dry-run"]);
    let expected = ["drop", "dry_run", "left", "live", "moved", "refused", "refused_jobs", "schema"];
    assert_eq!(fields(&would), expected);
    assert_eq!((counted(&would["moved"]), counted(&would["left"]), old.left()), (count, count, count));
    assert_eq!((&would["drop"], &would["dry_run"]), (&Value::Null, &json!(true)));
    assert_eq!(jobs_of(place).len(), 0);
    let moved = place.json(["import-0-1"]);
    assert_eq!(moved["moved"], would["moved"]);
    assert_eq!((counted(&moved["left"]), &moved["refused"], old.left()), (0, &json!([]), 0));
    let jobs = by_old_id(jobs_of(place));
    assert_eq!(jobs.len() as u64, count);
    let ids: Vec<i64> = jobs.values().map(|job| job.id.into()).collect();
    assert!(ids.is_sorted(), "the new numbers are in the order of the old ones: {ids:?}");
    for (id, job) in &jobs {
        let micros = |at: Option<DateTime<Utc>>| at.map(|at| at.timestamp_micros());
        let [inserted_at, scheduled_at, attempted_at, finished_at] = times[id];
        assert_eq!((micros(Some(job.inserted_at)), micros(job.attempted_at)), (inserted_at, attempted_at), "{job:?}");
        // Of those that ran when the program died the end is that of the import.
        if job.errors.iter().all(|error| error.error_type != ErrorType::NodeLost) {
            assert_eq!((micros(Some(job.scheduled_at)), micros(job.finished_at())), (scheduled_at, finished_at));
        }
    }
    check(&jobs);
    place.with(async |backend| {
        let node = Rexecutor::builder().with_backend(backend.clone()).with_executor::<Mail>().with_executor::<Report>();
        node.start().await.unwrap().run_until_idle().await;
    });
    let complete = by_old_id(jobs_of(place)).into_values();
    let complete = complete.filter(|job| job.status == JobStatus::Complete && job.executor.as_str() != "tick");
    let complete: Vec<String> = complete.map(|job| job.data).collect();
    assert_eq!(complete.len(), 4, "{complete:?}");
    assert!(complete[1].contains("\"died\""), "{complete:?}");
    // What is printed then is right.
    old.place.sql(moved["drop"].as_str().unwrap());
    assert_eq!(old.one("SELECT to_regclass('public.rexecutor_jobs')"), "");
    assert_eq!(old.one("SELECT count(*) FROM pg_type WHERE typname = 'rexecutor_job_state'"), "0");
    assert_eq!(old.one("SELECT count(*) FROM pg_proc WHERE proname = 'rexecutor_new_job_notify'"), "0");
    let gone = place.run(["import-0-1"]).ends(3);
    assert!(gone.err.contains("there is no table `public.rexecutor_jobs` in this database"), "{}", gone.err);
}

/// Each job of the old program, by whom its letter is to.
fn check(jobs: &BTreeMap<i32, JobRow>) {
    let letter = |to: &str| {
        let to = format!("\"to\": \"{to}\"");
        jobs.values().find(|job| job.data.contains(&to)).unwrap_or_else(|| panic!("{to}: {jobs:?}"))
    };
    let state = |to: &str| {
        let job = letter(to);
        let errors: Vec<(u16, &str)> =
            job.errors.iter().map(|error| (error.attempt, error.error_type.as_str())).collect();
        (job.status, job.attempt, job.max_attempts, errors)
    };
    let ada = letter("ada");
    assert_eq!((ada.status, ada.attempt, ada.priority), (JobStatus::Complete, 1, 3));
    assert_eq!(
        (ada.metadata.as_deref(), &ada.tags[..]),
        (Some("\"by hand\""), &["vip".to_owned(), "new".to_owned()][..])
    );
    assert_eq!(state("retried"), (JobStatus::Retryable, 1, 5, vec![(1, "no_paper")]));
    assert_eq!(letter("retried").errors[0].details, "no \"paper\"");
    assert_eq!(letter("retried").metadata, None);
    assert_eq!(state("discarded"), (JobStatus::Discarded, 1, 1, vec![(1, "no_paper")]));
    assert_eq!(state("panicked"), (JobStatus::Retryable, 1, 5, vec![(1, "panic")]));
    assert_eq!(state("late"), (JobStatus::Retryable, 1, 5, vec![(1, "timeout")]));
    assert_eq!(state("cancelled"), (JobStatus::Cancelled, 1, 5, vec![]));
    assert_eq!(letter("cancelled").extras.cancel_reason.as_deref(), Some("she has left"));
    assert_eq!(state("snoozed"), (JobStatus::Scheduled, 0, 5, vec![]));
    assert_eq!(state("later"), (JobStatus::Scheduled, 0, 5, vec![]));
    assert_eq!(state("died"), (JobStatus::Retryable, 1, 5, vec![(1, "node_lost")]));
    assert_eq!(state("died for good"), (JobStatus::Discarded, 1, 1, vec![(1, "node_lost")]));
    let reports: Vec<_> = jobs.values().filter(|job| job.executor.as_str() == "report").collect();
    let told = reports.iter().map(|job| (&*job.data, job.priority, job.max_attempts, job.unique_key));
    assert_eq!(told.collect::<Vec<_>>(), [("7", 1, 3, None), ("null", 0, 3, None)]);
    let ticks: Vec<_> = jobs.values().filter(|job| job.executor.as_str() == "tick").collect();
    assert!(!ticks.is_empty() && ticks.iter().all(|job| job.status == JobStatus::Complete), "{ticks:?}");
}

#[test]
fn what_cannot_be_moved_stays_and_is_listed() {
    let old = Old::with(&["enqueue", "1", "30"]);
    let (place, table) = (&old.place, "UPDATE public.rexecutor_jobs SET");
    place.sql(&format!("{table} priority = 5000 WHERE id = 1; {table} errors = ARRAY['[]'::JSONB] WHERE id = 2"));
    place.sql(&format!("{table} tags = ARRAY[repeat('x', 256)] WHERE id >= 9"));
    place.run(["migrate", "up"]).ends(0);
    let would = ran(place.command().args(["import-0-1", "--dry-run", "--json"])).ends(3).json();
    let moved = ran(place.command().args(["import-0-1", "--json"])).ends(3).json();
    assert_eq!(moved["refused"], would["refused"]);
    assert_eq!((counted(&moved["moved"]), &moved["refused_jobs"], counted(&moved["left"])), (6, &json!(24), 24));
    let refused = &moved["refused"][0];
    let expected =
        json!({ "id": "1", "executor": "numbered", "status": "scheduled", "why": "priority: 5000; the limit is 999" });
    assert_eq!(*refused, expected);
    assert!(moved["refused"][1]["why"].as_str().unwrap().starts_with("errors: "), "{moved}");
    let told = place.run(["import-0-1"]).ends(3).out;
    for said in [
        "moved 0 jobs out of public.rexecutor_jobs\n\n24 jobs were refused:\n",
        " 1  scheduled  numbered  priority: 5000; the limit is 999\n",
        "… and 4 jobs\n\n24 jobs left in it:\n",
    ] {
        assert!(told.contains(said), "{said}: {told}");
    }
    place.sql(&format!("{table} priority = 999, errors = '{{}}', tags = '{{}}'"));
    // Data of a number are shorter than this, and those of a larger one are not.
    let moved = ran(place.command().args(["import-0-1", "--json", "--max-data-bytes", "1"])).ends(3).json();
    assert_eq!(
        (counted(&moved["moved"]), moved["refused"][0]["why"].clone()),
        (3, json!("data: 2 bytes as JSON; the limit is 1"))
    );
    place.sql(&format!("{table} status = 'complete', completed_at = now() WHERE id > 29"));
    let moved = place.json(["import-0-1", "--skip-finished"]);
    assert_eq!(
        (counted(&moved["moved"]), &moved["left"]),
        (20, &json!([{ "executor": "numbered", "status": "complete", "jobs": 1 }]))
    );
    assert!(place.run(["import-0-1"]).ends(0).out.contains("moved 1 job out of"));
    assert_eq!(by_old_id(jobs_of(place)).len(), 30);
}

#[test]
fn a_table_that_is_not_that_of_0_1_1_is_left_alone() {
    let old = Old::with(&["enqueue", "1", "1"]);
    let place = &old.place;
    place.sql("ALTER TABLE public.rexecutor_jobs ADD COLUMN tenant TEXT");
    let refused = place.run(["import-0-1"]).ends(3).err;
    assert!(refused.contains("has a column `tenant`, which would be lost"), "{refused}");
    // Wherever it was moved to.
    place.sql("ALTER TABLE public.rexecutor_jobs DROP COLUMN tenant; CREATE SCHEMA \"o\"\"ld\"");
    place.sql("ALTER TABLE public.rexecutor_jobs SET SCHEMA \"o\"\"ld\"; ALTER TYPE public.rexecutor_job_state SET SCHEMA \"o\"\"ld\"");
    let moved = place.json(["import-0-1", "--from-schema", "o\"ld"]);
    assert_eq!(counted(&moved["moved"]), 1);
    assert!(moved["drop"].as_str().unwrap().starts_with("DROP TABLE \"o\"\"ld\".rexecutor_jobs;"), "{moved}");
    let sqlite = ran(command().args(["--database", "sqlite:jobs.db", "import-0-1"])).ends(2).err;
    assert!(sqlite.contains("is no PostgreSQL database, and rexecutor 0.1 kept jobs in PostgreSQL alone"), "{sqlite}");
}

#[test]
fn programs_of_0_1_must_be_stopped_or_only_what_waits_is_moved() {
    let old = Old::with(&["enqueue", "1", "3"]);
    let place = &old.place;
    let (told, mut said) = unbounded_channel();
    let mut running = Running::start(&old, told);
    running.enqueue(10, 10);
    // It has begun to listen, and runs those that are due.
    let mut seen = Vec::new();
    while seen.len() < 7 {
        seen.push(said.blocking_recv().unwrap());
    }
    let refused = place.run(["import-0-1"]).ends(3).err;
    let expected = "a program of rexecutor 0.1 is connected: process ";
    assert!(refused.contains(expected) && refused.contains("`--live`"), "{refused}");
    assert_eq!(old.left(), 13);
    // Who may not see it cannot tell.
    let role = format!("rexecutor_blind_{}", std::process::id());
    place.sql(&format!(
        "CREATE ROLE {role}; GRANT CREATE ON DATABASE {} TO {role}",
        old.one("SELECT current_database()")
    ));
    place.sql(&format!("GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}"));
    let more = if place.url.contains('?') { '&' } else { '?' };
    let blind = format!("{}{more}options=-c%20role%3D{role}", place.url);
    let as_blind = |arguments: &[&str]| {
        ran(command().env("DATABASE_URL", &blind).args(["--schema", "blind", "import-0-1"]).args(arguments))
    };
    let hidden = as_blind(&[]).ends(3).err;
    assert!(hidden.contains("this role may not see what ") && hidden.contains("`--stopped`"), "{hidden}");
    let moved = as_blind(&["--stopped", "--dry-run", "--json"]).ends(0).json();
    assert_eq!(counted(&moved["moved"]), 13);
    place.sql(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
    // The odd ones wait for an hour.
    let moved = place.json(["import-0-1", "--live", "--once"]);
    let statuses: Vec<&str> =
        moved["moved"].as_array().unwrap().iter().map(|one| one["status"].as_str().unwrap()).collect();
    assert!(statuses.iter().all(|status| ["scheduled", "retryable"].contains(status)), "{moved}");
    assert!(counted(&moved["moved"]) >= 7 && moved["drop"] == Value::Null, "{moved}");
    running.end();
    place.json(["import-0-1"]);
    let jobs = by_old_id(jobs_of(place));
    let count = |status| jobs.values().filter(|job| job.status == status).count();
    let counts = [JobStatus::Scheduled, JobStatus::Retryable, JobStatus::Complete].map(count);
    assert_eq!((jobs.len(), counts), (13, [7, 1, 5]));
}

#[test]
fn the_page_of_the_guide_prints_what_it_shows() {
    let old = Old::with(&["fill"]);
    old.place.sql("UPDATE public.rexecutor_jobs SET priority = 1000 WHERE executor = 'report' AND data = '7'");
    let commands = Cell::new(0);
    check_page("import-0-1.md", 4, |command| {
        command.env("DATABASE_URL", &old.place.url);
        commands.set(commands.get() + 1);
        // As the page says before the last one.
        if commands.get() == 4 {
            old.place.sql("UPDATE rexecutor_jobs SET priority = 999 WHERE priority > 999");
        }
    });
    old.place.sql("DROP SCHEMA rexecutor CASCADE");
}
