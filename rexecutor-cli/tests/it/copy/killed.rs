//! Nothing is lost or doubled when the process is killed, wherever that is.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use rexecutor::{
    backend::{Enqueue, NewJob},
    job::JobStatus,
    prelude::*,
};
use rexecutor_sqlx::AnyBackend;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::{all, copy, directions};
use crate::support::{Place, killed_after, ran};

/// Jobs of every status, some with a lot of data, and rows of other tables.
fn fill(place: &Place) {
    let padding = "x".repeat(200);
    place.with(async |backend| {
        let jobs: Vec<NewJob> = (0..1_500)
            .map(|number: usize| {
                NewJob::new("mail", format!("[{number}, \"{padding}\"]")).with_tags(vec![number.to_string()])
            })
            .collect();
        for jobs in jobs.chunks(500) {
            let _ = backend.enqueue(jobs.to_vec()).await.unwrap();
        }
    });
    let (jobs, steps, history) = match place.url.starts_with("sqlite") {
        true => ("rexecutor_jobs".to_owned(), "rexecutor_steps".to_owned(), "rexecutor_history".to_owned()),
        false => {
            (format!("{}.jobs", place.schema), format!("{}.steps", place.schema), format!("{}.history", place.schema))
        }
    };
    let (at, list, of) = match place.url.starts_with("sqlite") {
        true => ("inserted_at", "'[1]'", "CAST(id AS TEXT)"),
        false => ("inserted_at", "'{1}'", "id::TEXT"),
    };
    place.sql_each(&[
        format!("UPDATE {jobs} SET status = 'complete', finished_at = {at}, output = '{{}}' WHERE id % 3 = 0"),
        format!("UPDATE {jobs} SET status = 'discarded', finished_at = {at} WHERE id % 7 = 1"),
        format!("INSERT INTO {steps} (job, kind, name, place, output) SELECT id, 'run', 'a', 0, '1' FROM {jobs} WHERE id % 2 = 0"),
        format!("INSERT INTO {history} (step, at, executor, ended, runs, run, wait) SELECT 'minute', {at}, {of}, 'complete', 1, {list}, {list} FROM {jobs} WHERE id % 4 = 0"),
    ]);
}

#[test]
fn a_copy_that_is_killed_fifty_times_comes_to_its_end() {
    let [forth, back, ..] = directions();
    for [from, to] in [forth, back] {
        fill(&from);
        // How many lines it has to say.
        let spare = Place::bare().into_iter().next().unwrap();
        let whole = ran(copy(&from, &spare).arg("--verbose")).ends(0);
        let lines = whole.err.lines().count();
        assert!(lines > 40, "{}", whole.err);
        for kill in 0..50 {
            assert!(killed_after(copy(&from, &to), 1 + kill * lines / 51), "kill {kill} of {lines} lines");
        }
        let copied = ran(copy(&from, &to).arg("--json")).ends(0).json();
        let jobs = |place: &Place| place.with(async |backend| all(backend).await);
        let (before, after) = (jobs(&from), jobs(&to));
        assert_eq!((before.len(), after.len()), (1_500, 1_500));
        assert!(before == after);
        let counted: u64 = copied["statuses"].as_array().unwrap().iter().map(|one| one["jobs"].as_u64().unwrap()).sum();
        assert_eq!(counted, 1_500);
        for (table, rows) in [("steps", 750), ("history", 375)] {
            let found = copied["tables"].as_array().unwrap().iter().find(|one| one["table"] == table).unwrap();
            assert_eq!(found["rows"], rows);
        }
        assert_eq!(to.json(["nodes", "list"])["nodes"].as_array().unwrap().len(), 0);
        let cluster = to.json(["executors", "list"]);
        assert_eq!(cluster["paused"], serde_json::Value::Null, "{cluster}");
    }
}

/// How often each job ran, by its data; and whom every run is told to.
#[derive(Debug, Clone)]
struct Tally(Arc<Mutex<BTreeMap<u64, u32>>>, UnboundedSender<u64>);

/// Of ten one fails, and is retried in hours.
#[job(name = "copy_counted", max_attempts = 3, backoff = constant("2h"))]
async fn counted(number: u64, State(tally): State<Tally>) -> Result<(), String> {
    *tally.0.lock().unwrap().entry(number).or_default() += 1;
    let _ = tally.1.send(number);
    if number.is_multiple_of(10) { Err("every tenth".to_owned()) } else { Ok(()) }
}

/// So many more, of which every second one is due in hours.
async fn enqueue(backend: &AnyBackend, next: &mut u64, count: u64) {
    let jobs = (*next..*next + count).map(|number| {
        let job = Counted::builder().with_data(number);
        let job = if number % 2 == 1 { job.schedule_in(TimeDelta::hours(3)) } else { job };
        job.encode().unwrap()
    });
    let _ = backend.enqueue(jobs.collect()).await.unwrap();
    *next += count;
}

/// Nodes run on both sides, and jobs are enqueued on both, while it is killed fifty times.
fn live([from, to]: [Place; 2]) {
    to.run(["migrate", "up"]).ends(0);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let (sender, mut told) = unbounded_channel();
        let (source, target, tally) = (from.open().await, to.open().await, Tally(Arc::default(), sender));
        let (mut next, mut kills, mut calls) = (0, 0, 0);
        enqueue(&source, &mut next, 600).await;
        let node = |backend: &AnyBackend| {
            let node = Rexecutor::builder().with_backend(backend.clone()).with_state(tally.clone());
            node.with_max_running(4).with_executor::<Counted>().start()
        };
        let nodes = [node(&source).await.unwrap(), node(&target).await.unwrap()];
        while kills < 50 {
            enqueue(&source, &mut next, 220).await;
            enqueue(&target, &mut next, 10).await;
            let mut command = copy(&from, &to);
            command.arg("--live");
            let lines = 1 + calls % 11;
            kills += u32::from(tokio::task::spawn_blocking(move || killed_after(command, lines)).await.unwrap());
            calls += 1;
            assert!(calls < 200, "{kills} kills");
        }
        let moved = ran(copy(&from, &to).args(["--live", "--json"])).ends(0).json();
        assert_eq!(moved["left"]["awaited"], 0);
        // Until all that is due has run.
        let due: Vec<u64> = (0..next).filter(|number| number % 2 == 0).collect();
        while tally.0.lock().unwrap().len() < due.len() {
            told.recv().await.unwrap();
        }
        for node in nodes {
            node.graceful_shutdown().await;
        }
        // What has failed since waits there, too.
        ran(copy(&from, &to).arg("--live")).ends(0);
        let ran = tally.0.lock().unwrap().clone();
        assert_eq!(ran.keys().copied().collect::<Vec<_>>(), due);
        assert!(ran.values().all(|times| *times == 1), "{ran:?}");
        let mut places = BTreeMap::<u64, Vec<(&str, JobStatus)>>::new();
        for (name, backend) in [("source", &source), ("target", &target)] {
            for job in all(backend).await {
                places.entry(job.data.parse().unwrap()).or_default().push((name, job.status));
            }
        }
        assert_eq!(places.len(), usize::try_from(next).unwrap());
        for (number, places) in &places {
            let expected = match number {
                number if number % 2 == 1 => JobStatus::Scheduled,
                number if number % 10 == 0 => JobStatus::Retryable,
                _ => JobStatus::Complete,
            };
            assert!(places.len() == 1 && places[0].1 == expected, "{number}: {places:?}");
            // What waits has been moved.
            assert!(expected == JobStatus::Complete || places[0].0 == "target", "{number}: {places:?}");
        }
        assert!(places.values().filter(|places| places[0].0 == "target").count() > usize::try_from(next).unwrap() / 2);
        source.close().await;
        target.close().await;
    });
}

#[test]
fn jobs_are_moved_from_sqlite_to_postgres_through_fifty_kills() {
    let [pair, ..] = directions();
    live(pair);
}

#[test]
fn jobs_are_moved_from_postgres_to_sqlite_through_fifty_kills() {
    let [_, pair, ..] = directions();
    live(pair);
}
