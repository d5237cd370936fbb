//! What is not copied, and what to do instead.

use std::time::Duration;

use rexecutor::{
    TimeDelta,
    backend::{Backend, Enqueue, Maintain, NewJob, Node, Pause, Scope},
};
use rexecutor_sqlx::{CopyError, CopyProgress, CopyReport, DatabaseCopy};

use super::{DIRECTIONS, Db, POSTGRES, SQLITE, copy, move_jobs, rows, with};

async fn enqueue(database: &Db, jobs: usize) {
    let backend = database.open().await;
    let _ = backend.enqueue(vec![NewJob::new("mail", "1"); jobs]).await.unwrap();
    backend.close().await;
}

#[tokio::test]
async fn nodes_must_be_stopped_on_both_sides() {
    for kinds in DIRECTIONS {
        with(kinds, async |[from, to]| {
            for (database, name) in [(from, "the source"), (to, "the target")] {
                let backend = database.open().await;
                let node = backend.join(&Node::new("worker-7", Duration::from_secs(30))).await.unwrap();
                let error = copy(from, to).await.unwrap_err();
                assert!(
                    error.to_string().starts_with(&format!("a node is alive on {name}: worker-7: stop them")),
                    "{error}"
                );
                assert_eq!(error.to_string().contains("--live"), name == "the source");
                // One that has died is no member for ever.
                from.clock.advance(TimeDelta::seconds(31)).await;
                copy(from, to).await.unwrap();
                backend.leave(node).await.unwrap();
                to.sql("DELETE FROM {copies}").await;
            }
        })
        .await;
    }
}

#[tokio::test]
async fn a_target_with_other_jobs_or_a_complete_copy_is_left_alone() {
    for kinds in DIRECTIONS {
        with(kinds, async |[from, to]| {
            enqueue(from, 3).await;
            enqueue(to, 1).await;
            let before = to.dumps().await;
            let error = copy(from, to).await.unwrap_err();
            assert!(matches!(error, CopyError::OtherJobs), "{error}");
            assert!(to.dumps().await == before);
            to.sql("DELETE FROM {jobs}").await;
            copy(from, to).await.unwrap();
            let error = copy(from, to).await.unwrap_err();
            assert!(matches!(error, CopyError::CopiedAlready), "{error}");
            // From another source it is one with other jobs, or would be the same database.
            let error = copy(to, to).await.unwrap_err();
            assert!(matches!(error, CopyError::SameDatabase), "{error}");
            let error = move_jobs(from, from).await.unwrap_err();
            assert!(matches!(error, CopyError::SameDatabase), "{error}");
            assert_eq!((from.count("jobs").await, to.count("jobs").await), (3, 3));
        })
        .await;
    }
}

/// The columns that it has might be lost.
#[tokio::test]
async fn tables_of_another_version_are_not_copied() {
    with([SQLITE, POSTGRES], async |[sqlite, postgres]| {
        sqlite
            .sql(
                "INSERT INTO rexecutor_migrations (version, name, oldest_program, applied_at) VALUES (2, 'next', 1, 0)",
            )
            .await;
        for (from, to, name) in [(sqlite, postgres, "the source"), (postgres, sqlite, "the target")] {
            let error = copy(from, to).await.unwrap_err();
            let expected = format!(
                "the tables of {name} have version 2, and this program copies version 1 only: update this program"
            );
            assert_eq!(error.to_string(), expected);
        }
    })
    .await;
}

/// Until all has come, no node claims anything there.
#[tokio::test]
async fn the_target_is_paused_until_it_is_complete_and_then_as_the_source_is() {
    for kinds in DIRECTIONS {
        with(kinds, async |[from, to]| {
            enqueue(from, 2).await;
            let (source, target) = (from.open().await, to.open().await);
            let paused = async || {
                let paused = target.control().unwrap().paused().await.unwrap();
                paused.into_iter().map(|one| (one.scope, one.pause.reason)).collect::<Vec<_>>()
            };
            // Interrupted by a panic, as by any other end of the process.
            let copying = DatabaseCopy::new(source.clone(), target.clone()).on_progress(|_| panic!("killed"));
            assert!(tokio::spawn(copying.run()).await.unwrap_err().is_panic());
            let reason =
                "this is an incomplete copy of another database: run `rexecutor copy` again until it is complete";
            assert_eq!(paused().await, [(Scope::Cluster, reason.to_owned())]);
            let error = move_jobs(from, to).await.unwrap_err();
            assert!(matches!(error, CopyError::Incomplete { of_source: true }), "{error}");
            source.control().unwrap().pause(&Scope::Cluster, Pause::new("we move")).await.unwrap();
            copy(from, to).await.unwrap();
            assert_eq!(paused().await, [(Scope::Cluster, "we move".to_owned())]);
        })
        .await;
    }
}

/// A web server that was not stopped enqueues into both databases. Nothing of that is lost.
#[tokio::test]
async fn what_is_enqueued_while_it_is_copied_is_copied_and_what_is_enqueued_in_the_target_stays() {
    for kinds in DIRECTIONS {
        with(kinds, async |[from, to]| {
            enqueue(from, 2).await;
            let (source, target) = (from.open().await, to.open().await);
            let (events, mut told) = tokio::sync::mpsc::unbounded_channel();
            let (go, gone) = std::sync::mpsc::channel::<()>();
            let gone = std::sync::Mutex::new(gone);
            let copying = DatabaseCopy::new(source.clone(), target.clone()).on_progress(move |progress| {
                if matches!(progress, CopyProgress::Compared { table: "jobs", pass: 1, .. }) {
                    events.send(()).unwrap();
                    gone.lock().unwrap().recv().unwrap();
                }
            });
            let copying = std::thread::spawn(move || {
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(copying.run())
            });
            told.recv().await.unwrap();
            let _ = source.enqueue(vec![NewJob::new("late", "1"); 3]).await.unwrap();
            let own = target.enqueue(vec![NewJob::new("own", "1")]).await.unwrap()[0].id();
            go.send(()).unwrap();
            let CopyReport::Whole(report) = copying.join().unwrap().unwrap() else { panic!() };
            assert_eq!((rows(&report, "scheduled"), report.others), (5, 1));
            assert_eq!(to.count("jobs").await, 6);
            assert!(own.as_i64() > 5, "its number is none of the source's: {own}");
            // What comes after it has other numbers, too.
            let next = target.enqueue(vec![NewJob::new("own", "1")]).await.unwrap()[0].id();
            assert_eq!(next.as_i64(), own.as_i64() + 1);
        })
        .await;
    }
}

/// It says what would be done, and does nothing.
#[tokio::test]
async fn a_dry_run_changes_nothing() {
    for kinds in DIRECTIONS {
        with(kinds, async |[from, to]| {
            enqueue(from, 3).await;
            let (before, there) = (from.dumps().await, to.dumps().await);
            let (source, target) = (from.open().await, to.open().await);
            let copy = || DatabaseCopy::new(source.clone(), target.clone());
            let CopyReport::Whole(report) = copy().dry_run().await.unwrap() else { panic!() };
            assert_eq!((rows(&report, "scheduled"), report.stored), (3, 0));
            let CopyReport::Live(report) = copy().live(true).dry_run().await.unwrap() else { panic!() };
            assert_eq!((report.left.new, report.moved), (3, 0));
            assert!(from.dumps().await == before && to.dumps().await == there);
            assert_eq!((from.count("copies").await, to.count("copies").await), (0, 0));
        })
        .await;
    }
}
