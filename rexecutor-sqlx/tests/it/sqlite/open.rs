//! Opening files that cannot be used, and files that can.

use std::{fs, os::unix::fs::PermissionsExt, time::Duration};

use rexecutor::{
    backend::Enqueue,
    clock::{Clock, SystemClock},
};
use rexecutor_sqlx::{OpenError, SqliteBackend, SqliteOptions};
use sqlx::Connection;

use super::{File, all, claim, enqueue_one, job, join};

#[track_caller]
fn check(error: &OpenError, path: &std::path::Path, parts: &[&str]) {
    let message = error.to_string();
    for word in [&*path.to_string_lossy()].iter().chain(parts) {
        assert!(message.contains(word), "{message:?} does not say {word:?}");
    }
}

#[tokio::test]
async fn a_folder_that_does_not_exist_is_named() {
    let file = File::new();
    let path = file.folder.path().join("missing/jobs.db");
    let error = SqliteBackend::open(&path).await.unwrap_err();
    assert!(matches!(error, OpenError::NoFolder { .. }), "{error:?}");
    check(&error, &path, &["folder", "create it"]);
}

#[tokio::test]
async fn a_folder_in_the_file_s_place_is_named() {
    let file = File::new();
    let error = SqliteBackend::open(file.folder.path()).await.unwrap_err();
    assert!(matches!(error, OpenError::IsFolder { .. }), "{error:?}");
    check(&error, file.folder.path(), &["is a folder"]);
}

#[tokio::test]
async fn a_file_that_is_no_database_is_left_as_it_is() {
    let file = File::new();
    let text =
        "This is a letter and no database, and it is long enough to have a whole header of a hundred bytes, or so.";
    fs::write(file.path(), text).unwrap();
    let error = SqliteBackend::open(file.path()).await.unwrap_err();
    assert!(matches!(error, OpenError::NotADatabase { .. }), "{error:?}");
    check(&error, &file.path(), &["not an SQLite database"]);
    assert_eq!(fs::read_to_string(file.path()).unwrap(), text);
}

#[tokio::test]
async fn a_read_only_file_is_refused_when_it_is_opened_and_not_with_the_first_job() {
    let file = File::new();
    file.open().await.close().await;
    fs::set_permissions(file.path(), fs::Permissions::from_mode(0o444)).unwrap();
    let error = file_error(&file).await;
    assert!(matches!(error, OpenError::ReadOnly { .. }), "{error:?}");
    check(&error, &file.path(), &["cannot be written to", "write access"]);
}

#[tokio::test]
async fn tables_of_a_newer_release_are_left_alone() {
    let file = File::new();
    file.open().await.close().await;
    let mut connection = file.connect().await;
    let newer =
        "INSERT INTO rexecutor_migrations (version, name, oldest_program, applied_at) VALUES (7, 'future', 7, 0)";
    sqlx::query(newer).execute(&mut connection).await.unwrap();
    let error = file_error(&file).await;
    assert!(matches!(error, OpenError::TooNew { found: 7, known: 1, .. }), "{error:?}");
    check(&error, &file.path(), &["version 7", "this one knows 1", "update rexecutor-sqlx"]);
}

async fn file_error(file: &File) -> OpenError {
    SqliteBackend::open(file.path()).await.unwrap_err()
}

#[tokio::test]
async fn a_file_that_stays_locked_is_an_error_after_the_timeout_and_not_a_hang() {
    let file = File::new();
    file.open().await.close().await;
    let mut other = file.connect().await;
    let lock = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let options = SqliteOptions::new().busy_timeout(Duration::from_millis(20));
    let error = options.clone().open(file.path()).await.unwrap_err();
    assert!(matches!(error, OpenError::Busy { .. }), "{error:?}");
    check(&error, &file.path(), &["locked by another process"]);
    lock.rollback().await.unwrap();
    options.open(file.path()).await.unwrap();
}

/// Two processes that start at once both find, or make, the tables.
#[tokio::test(flavor = "multi_thread")]
async fn many_can_open_a_new_file_at_once() {
    let file = File::new();
    let open = (0..8).map(|_| {
        let path = file.path();
        tokio::spawn(async move { SqliteBackend::open(path).await.map(drop) })
    });
    for opened in open.collect::<Vec<_>>() {
        opened.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn trap_35_the_application_s_own_migrations_are_not_touched() {
    let file = File::new();
    let mut connection = SqliteConnectionOfApplication::create(&file).await;
    file.open().await.close().await;
    let tables: Vec<String> = sqlx::query_scalar("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        .fetch_all(&mut connection.0)
        .await
        .unwrap();
    let (own, others): (Vec<_>, Vec<_>) = tables.into_iter().partition(|table| table.starts_with("rexecutor_"));
    assert_eq!(own.len(), 29, "{own:?}");
    assert_eq!(others, ["_sqlx_migrations", "sqlite_sequence"]);
    let versions: Vec<i64> =
        sqlx::query_scalar("SELECT version FROM _sqlx_migrations").fetch_all(&mut connection.0).await.unwrap();
    assert_eq!(versions, [99]);
}

struct SqliteConnectionOfApplication(sqlx::SqliteConnection);

impl SqliteConnectionOfApplication {
    async fn create(file: &File) -> Self {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file.path()).create_if_missing(true);
        let mut connection = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
        let own = "CREATE TABLE _sqlx_migrations (version BIGINT); INSERT INTO _sqlx_migrations VALUES (99)";
        sqlx::raw_sql(own).execute(&mut connection).await.unwrap();
        Self(connection)
    }
}

/// A program may enqueue from a runtime that has neither timers nor I/O, and from one that ends before the next begins.
#[test]
fn it_works_on_runtimes_without_timers_and_outlives_them() {
    let file = File::new();
    let runtime = || tokio::runtime::Builder::new_current_thread().build().unwrap();
    let backend = runtime().block_on(file.open());
    let enqueued = runtime().block_on(enqueue_one(&backend, job("mail")));
    assert_eq!(runtime().block_on(all(&backend))[0].id, enqueued.id());
}

#[tokio::test]
async fn closing_frees_the_file() {
    let file = File::new();
    let backend = file.open().await;
    let _ = enqueue_one(&backend, job("mail")).await;
    assert_eq!(all(&backend).await.len(), 1);
    assert!(open_files(&file) > 0);
    backend.close().await;
    assert_eq!(open_files(&file), 0);
    let left: Vec<_> = fs::read_dir(file.folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["jobs.db"], "the log is merged into the file");
}

/// The log is far too short here for SQLite to do it by itself.
#[tokio::test]
async fn what_was_written_goes_to_the_file_beside_the_writes_and_closing_waits_for_it() {
    let file = File::new();
    let backend = file.open().await;
    let size = || fs::metadata(file.path()).unwrap().len();
    let before = size();
    let node = join(&backend).await;
    let _ = backend.enqueue((0..5_000).map(|_| job("mail")).collect()).await.unwrap();
    assert_eq!(claim(&backend, node, "mail", 5_000).await.jobs.len(), 5_000);
    // Nothing tells when, so look until it has.
    let has_grown = async {
        while size() < before + 100_000 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        () = has_grown => {}
        () = SystemClock.sleep(Duration::from_secs(60)) => panic!("the file has not grown"),
    }
    backend.close().await;
    assert_eq!(open_files(&file), 0);
}

#[tokio::test]
async fn dropping_frees_the_file_and_ends_the_thread() {
    let file = File::new();
    let backend = file.open().await;
    assert_eq!(all(&backend).await.len(), 0);
    drop(backend);
    // The thread ends by itself; nothing tells when, so look until it has.
    while open_files(&file) > 0 {
        tokio::task::yield_now().await;
    }
}

/// How many descriptors this process has on the files in the folder.
pub(super) fn open_files(file: &File) -> usize {
    let folder = file.folder.path().canonicalize().unwrap();
    let descriptors = fs::read_dir("/proc/self/fd").unwrap();
    let targets = descriptors.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    targets.filter(|target| target.starts_with(&folder)).count()
}

#[tokio::test]
async fn a_path_that_looks_like_an_uri_is_a_path() {
    let file = File::new();
    let path = file.folder.path().join("file:a?mode=memory#b%20.db");
    SqliteBackend::open(&path).await.unwrap().close().await;
    assert!(path.is_file());
}

#[tokio::test]
async fn case_04_a_ping_says_whether_the_writer_gets_its_turn() {
    let file = File::new();
    let hour = Duration::from_secs(3_600);
    let backend = SqliteOptions::new().busy_timeout(hour).open(file.path()).await.unwrap();
    backend.ping(hour).await.unwrap();
    let mut other = file.connect().await;
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    let waiting = tokio::spawn({
        let backend = backend.clone();
        async move { enqueue_one(&backend, job("mail")).await }
    });
    // As soon as the writer waits for the other one's lock, a ping has no answer.
    while backend.ping(Duration::from_millis(50)).await.is_ok() {}
    let error = backend.ping(Duration::from_millis(50)).await.unwrap_err();
    assert!(format!("{error:?}").contains("no answer within 50ms") && error.is_transient(), "{error:?}");
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    waiting.await.unwrap();
    backend.ping(hour).await.unwrap();
}

#[tokio::test]
async fn case_03_debug_of_an_error_is_its_sentence() {
    let file = File::new();
    let path = file.path().join("jobs.db");
    let error = SqliteBackend::open(&path).await.unwrap_err();
    assert!(format!("{error:?}").starts_with(&error.to_string()), "{error:?}");
    let error = rexecutor_sqlx::connect(format!("sqlite:{}", path.display())).await.unwrap_err();
    assert!(format!("{error:?}").starts_with("the folder of `"), "{error:?}");
}
