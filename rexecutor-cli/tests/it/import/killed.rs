//! Nothing is lost or doubled when the process is killed, wherever that is.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use rexecutor::{job::JobStatus, prelude::*};
use serde_json::Value;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::{
    all, by_old_id, jobs_of,
    old::{Old, Running},
};
use crate::support::killed_after;

/// So many more jobs, in every status, as 0.1 would have them.
fn insert(old: &Old, first: usize, count: usize) {
    let last = first + count - 1;
    let sql = format!(
        "INSERT INTO public.rexecutor_jobs (executor, data, status, attempt, attempted_at, completed_at, metadata)
         SELECT 'numbered', to_jsonb(number),
             (ARRAY['scheduled', 'executing', 'retryable', 'complete', 'cancelled', 'discarded'])[number % 6 + 1]::rexecutor_job_state,
             1, now(), now(), to_jsonb(repeat('x', number % 100))
         FROM generate_series({first}, {last}) AS series (number)"
    );
    old.place.sql(&sql);
}

#[test]
fn an_import_that_is_killed_fifty_times_comes_to_its_end() {
    const EACH: usize = 450;
    let old = Old::with(&["enqueue", "0", "0"]);
    old.place.run(["migrate", "up"]).ends(0);
    for kill in 0..50 {
        insert(&old, 1 + kill * EACH, EACH);
        let mut command = old.place.command();
        command.arg("import-0-1");
        // Three batches have two lines each: the first line is within a transaction, the second one behind it.
        assert!(killed_after(command, kill % 5), "kill {kill}");
        let both =
            old.one("SELECT (SELECT count(*) FROM rexecutor_cli.jobs) + (SELECT count(*) FROM public.rexecutor_jobs)");
        assert_eq!(both, ((kill + 1) * EACH).to_string());
    }
    old.place.json(["import-0-1"]);
    assert_eq!(old.left(), 0);
    let jobs = by_old_id(jobs_of(&old.place));
    assert_eq!(jobs.len(), 50 * EACH);
    for (id, job) in &jobs {
        assert_eq!(job.data, id.to_string());
        let expected = match id % 6 {
            0 => JobStatus::Scheduled,
            1 | 2 => JobStatus::Retryable,
            3 => JobStatus::Complete,
            4 => JobStatus::Cancelled,
            _ => JobStatus::Discarded,
        };
        assert_eq!(job.status, expected, "{job:?}");
    }
}

/// As in the old program.
#[job(name = "numbered", backoff = constant("1h"))]
async fn numbered(number: u64, State(told): State<UnboundedSender<Option<u64>>>) -> Result<(), String> {
    let _ = told.send(Some(number));
    if number.is_multiple_of(10) { Err("every tenth".to_owned()) } else { Ok(()) }
}

/// Until it has told that it moved jobs, and then it is asked to stop.
fn stopped(mut command: Command) -> Value {
    let mut child = command.arg("--verbose").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(said.any(|line| line.starts_with("moved until now: ")));
    let kill = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    said.for_each(drop);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A program of 0.1 and a node of ours run, and the old one enqueues, while it is killed fifty times.
#[test]
fn jobs_are_moved_while_both_run_through_fifty_kills() {
    const EACH: u64 = 20;
    let old = Old::with(&["enqueue", "0", "200"]);
    old.place.run(["migrate", "up"]).ends(0);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        let backend = old.place.open().await;
        let (tell_old, mut told_old) = unbounded_channel();
        let (tell_new, mut told_new) = unbounded_channel::<Option<u64>>();
        let mut running = Running::start(&old, tell_old);
        let node = Rexecutor::builder().with_backend(backend.clone()).with_state(tell_new);
        let node = node.with_max_running(4).with_executor::<Numbered>().start().await.unwrap();
        let (mut next, mut runs) = (200, BTreeMap::<u64, u32>::new());
        let live = || {
            let mut command = old.place.command();
            command.args(["import-0-1", "--live", "--json"]);
            command
        };
        for kill in 0..51 {
            running.enqueue(next, EACH);
            next += EACH;
            while let Some(number) = told_old.recv().await.unwrap() {
                *runs.entry(number).or_default() += 1;
            }
            let command = live();
            // The odd ones wait, so that there is something to move, with one line before, one within and one behind a transaction.
            match kill {
                50 => {
                    let report = tokio::task::spawn_blocking(move || stopped(command)).await.unwrap();
                    assert!(report["moved"].as_array().unwrap().iter().all(|one| one["status"] != "executing"));
                }
                kill => {
                    let is_killed =
                        tokio::task::spawn_blocking(move || killed_after(command, 1 + kill % 3)).await.unwrap();
                    assert!(is_killed, "kill {kill}");
                }
            }
        }
        tokio::task::spawn_blocking(move || running.end()).await.unwrap();
        while let Some(told) = told_old.recv().await {
            told.into_iter().for_each(|number| *runs.entry(number).or_default() += 1);
        }
        let old_runs = runs.len();
        let command = old.place.command();
        tokio::task::spawn_blocking(move || crate::support::ran({ command }.arg("import-0-1")).ends(0)).await.unwrap();
        // Until all that is due has run.
        let due: Vec<u64> = (0..next).filter(|number| number % 2 == 0).collect();
        while runs.len() < due.len() {
            *runs.entry(told_new.recv().await.unwrap().unwrap()).or_default() += 1;
        }
        node.graceful_shutdown().await;
        while let Ok(told) = told_new.try_recv() {
            *runs.entry(told.unwrap()).or_default() += 1;
        }
        assert_eq!(runs.keys().copied().collect::<Vec<_>>(), due);
        assert!(runs.values().all(|times| *times == 1), "{runs:?}");
        assert!(old_runs > 0, "the old program has run some of them");
        let jobs = by_old_id(all(&backend).await);
        assert_eq!(jobs.len() as u64, next);
        for job in jobs.values() {
            let expected = match job.data.parse::<u64>().unwrap() {
                number if number % 2 == 1 => JobStatus::Scheduled,
                number if number % 10 == 0 => JobStatus::Retryable,
                _ => JobStatus::Complete,
            };
            assert_eq!(job.status, expected, "{job:?}");
        }
        backend.close().await;
    });
    assert_eq!(old.left(), 0);
}
