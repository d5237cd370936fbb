//! Real processes, and the signals that end them.

use std::{path::Path, time::Duration};

use rexecutor::{job::JobStatus, prelude::*};
use rexecutor_sqlx::SqliteBackend;
use sqlx::Row;

use super::{File, all};
use crate::process::{Process, role, say};

/// Blocks its thread until the process ends.
#[job(blocking)]
async fn blocks() {
    say("began");
    let (_sender, receiver) = std::sync::mpsc::channel::<()>();
    let _ = receiver.recv();
}

#[job]
async fn waits(context: JobContext) {
    say("began");
    say(format!("{:?}", context.stopped().await));
    std::future::pending::<()>().await;
}

/// No test of its own: what the processes of the others do.
#[test]
fn child() {
    let Some((role, path)) = role() else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let backend = SqliteBackend::open(path).await.unwrap();
        let hour = Duration::from_secs(3_600);
        let node =
            Rexecutor::builder().with_backend(backend.clone()).with_executor::<Blocks>().with_executor::<Waits>();
        let node = match role.as_str() {
            "grace is over" => node.with_shutdown_grace(Duration::ZERO).with_cancel_grace(Duration::ZERO),
            "never ends" => node.with_shutdown_grace(hour),
            "hangs afterwards" => {
                let mut running = Box::pin(node.start().await.unwrap().run_until_signal());
                // Signals are heard from here on.
                assert!(futures::poll!(&mut running).is_pending());
                say("began");
                running.await;
                say("ended");
                std::thread::park();
                return;
            }
            "returns at once" => node.with_shutdown_grace(Duration::ZERO).with_cancel_grace(hour),
            _ => panic!("no role {role:?}"),
        };
        let mut running = Box::pin(node.start().await.unwrap().run_until_signal());
        // Signals are heard from here on.
        assert!(futures::poll!(&mut running).is_pending());
        match role.as_str() {
            "returns at once" => drop(Waits::builder().enqueue_to_backend(&backend).await.unwrap()),
            _ => drop(Blocks::builder().enqueue_to_backend(&backend).await.unwrap()),
        }
        running.await;
        say("returned");
    });
    // A blocking thread keeps the runtime, and with it the process.
    drop(runtime);
    say("ended");
}

fn start(role: &str, path: &Path) -> Process {
    let mut process = Process::start("sqlite::signals::child", role, path.to_str().unwrap());
    assert_eq!(process.next().as_deref(), Some("began"));
    process
}

/// Whether anything of a node is left.
async fn nodes(file: &File) -> i64 {
    let mut connection = file.connect().await;
    sqlx::query("SELECT count(*) FROM rexecutor_nodes").fetch_one(&mut connection).await.unwrap().get(0)
}

/// Case 14: a blocking job outlived the grace, and was run by another process beside the thread that went on.
#[tokio::test]
async fn case_14_a_blocking_job_that_outlives_a_signal_ends_with_the_process_and_its_attempt_does_not_count() {
    let file = File::new();
    let mut process = start("grace is over", &file.path());
    process.signal("TERM");
    assert_eq!(process.next(), None, "neither `run_until_signal` nor the runtime's end waits for the thread");
    assert_eq!(process.end().code(), Some(128 + 15));
    let row = all(&file.open().await).await.remove(0);
    assert_eq!((row.status, row.attempt, row.errors.len()), (JobStatus::Scheduled, 0, 0));
    let ended = row.scheduled_at - row.inserted_at;
    assert!(ended >= TimeDelta::seconds(2), "it is due again when the process has ended: after {ended}");
    assert_eq!(nodes(&file).await, 0);
}

#[tokio::test]
async fn case_14_further_signals_end_a_process_that_waits_for_a_thread() {
    let file = File::new();
    let process = start("never ends", &file.path());
    assert_eq!(process.signal_until_it_ends("INT").code(), Some(128 + 2));
}

/// The second one ends the wait for jobs, which are given back; the program goes on to its end.
#[tokio::test]
async fn case_14_a_second_signal_gives_jobs_back_at_once() {
    let file = File::new();
    let mut process = start("returns at once", &file.path());
    process.signal("TERM");
    assert_eq!(process.next().as_deref(), Some("ShuttingDown"), "it has an hour to stop");
    process.signal("TERM");
    assert_eq!([process.next(), process.next()], [Some("returned".to_owned()), Some("ended".to_owned())]);
    assert!(process.end().success());
    let row = all(&file.open().await).await.remove(0);
    assert_eq!((row.status, row.attempt), (JobStatus::Scheduled, 0));
    assert_eq!(nodes(&file).await, 0);
}

/// … whatever it is doing by then.
#[tokio::test]
async fn case_14_a_program_that_hangs_after_its_node_has_left_is_ended_by_the_next_signal() {
    let file = File::new();
    let mut process = Process::start("sqlite::signals::child", "hangs afterwards", file.path().to_str().unwrap());
    assert_eq!(process.next().as_deref(), Some("began"));
    process.signal("INT");
    assert_eq!(process.next().as_deref(), Some("ended"));
    assert_eq!(process.signal_until_it_ends("INT").code(), Some(128 + 2));
}
