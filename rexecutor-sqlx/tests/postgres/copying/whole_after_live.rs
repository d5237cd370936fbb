//! A whole copy between databases that jobs were moved between, and one that is resumed late.

use rexecutor::backend::{Backend, Enqueue, NewJob, Scope};
use rexecutor_sqlx::{CopyError, DatabaseCopy};

use super::{DIRECTIONS, Db, copy, move_jobs, rows, with};

async fn enqueue(database: &Db, executor: &'static str) {
    let backend = database.open().await;
    let _ = backend.enqueue(vec![NewJob::new(executor, "1")]).await.unwrap();
    backend.close().await;
}

async fn is_paused(database: &Db) -> bool {
    let backend = database.open().await;
    let paused = backend.control().unwrap().paused().await.unwrap();
    backend.close().await;
    paused.iter().any(|one| one.scope == Scope::Cluster)
}

/// Starts a copy that ends after its first step, as a process that is killed.
async fn is_killed(copying: DatabaseCopy) {
    assert!(tokio::spawn(copying.on_progress(|_| panic!("killed")).run()).await.unwrap_err().is_panic());
}

#[tokio::test]
async fn all_is_copied_to_where_jobs_were_moved_to_and_back_again() {
    for kinds in DIRECTIONS {
        with(kinds, async |[from, to]| {
            enqueue(from, "w").await;
            enqueue(from, "x").await;
            enqueue(to, "y").await;
            move_jobs(from, to).await.unwrap();
            move_jobs(to, from).await.unwrap();
            assert_eq!((from.count("jobs").await, to.count("jobs").await), (3, 0));
            let report = copy(from, to).await.unwrap();
            assert_eq!((rows(&report, "scheduled"), report.others), (3, 0));
            assert!(!is_paused(to).await);
            let error = copy(from, to).await.unwrap_err();
            assert!(matches!(error, CopyError::CopiedAlready), "{error}");
            // What is enqueued later is moved, as after any whole copy.
            enqueue(from, "z").await;
            assert_eq!(move_jobs(from, to).await.unwrap().moved, 1);
            assert_eq!((from.count("jobs").await, to.count("jobs").await), (3, 4));
        })
        .await;
    }
}

/// It is an incomplete copy as any other: paused, and resumed by the same call.
#[tokio::test]
async fn it_is_resumed_there_too() {
    for kinds in DIRECTIONS {
        with(kinds, async |[from, to]| {
            enqueue(from, "x").await;
            move_jobs(from, to).await.unwrap();
            move_jobs(to, from).await.unwrap();
            is_killed(DatabaseCopy::new(from.open().await, to.open().await)).await;
            assert!(is_paused(to).await);
            let error = move_jobs(from, to).await.unwrap_err();
            assert!(matches!(error, CopyError::Incomplete { of_source: true }), "{error}");
            assert_eq!(rows(&copy(from, to).await.unwrap(), "scheduled"), 1);
            assert!(!is_paused(to).await);
        })
        .await;
    }
}

/// The source has run for weeks since the first call, and has given out more numbers than the target has kept for it.
#[tokio::test]
async fn a_copy_that_is_resumed_late_has_room_for_all_that_came_since() {
    for kinds in DIRECTIONS {
        with(kinds, async |[from, to]| {
            enqueue(from, "x").await;
            is_killed(DatabaseCopy::new(from.open().await, to.open().await)).await;
            let last = match from.is_postgres {
                true => format!("SELECT setval('\"{}\".jobs_id_seq', 900000)", from.schema),
                false => "UPDATE sqlite_sequence SET seq = 900000 WHERE name = 'rexecutor_jobs'".to_owned(),
            };
            from.sql(&last).await;
            enqueue(from, "y").await;
            let report = copy(from, to).await.unwrap();
            assert_eq!((rows(&report, "scheduled"), report.others), (2, 0));
            // The numbers follow those of the source.
            let target = to.open().await;
            let next = target.enqueue(vec![NewJob::new("z", "1")]).await.unwrap()[0].id();
            assert_eq!(next.as_i64(), 900_002);
            target.close().await;
        })
        .await;
    }
}

/// Those jobs would stay behind, and nobody would be told.
#[tokio::test]
async fn a_target_whose_jobs_are_on_their_way_back_is_refused() {
    for kinds in DIRECTIONS {
        with(kinds, async |[from, to]| {
            enqueue(to, "y").await;
            is_killed(DatabaseCopy::new(to.open().await, from.open().await).live(true)).await;
            let error = copy(from, to).await.unwrap_err();
            let told = "a job of the target is on its way to another database: run that copy again, with `--live`, so that it arrives";
            assert_eq!(error.to_string(), told);
            move_jobs(to, from).await.unwrap();
            assert_eq!(rows(&copy(from, to).await.unwrap(), "scheduled"), 1);
        })
        .await;
    }
}
