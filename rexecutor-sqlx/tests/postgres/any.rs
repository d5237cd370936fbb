//! One program on either database: only the address differs.

use std::time::Duration;

use rexecutor::{
    backend::{Control, Pause, Scope, control},
    prelude::*,
};
use rexecutor_sqlx::{AnyBackend, UrlError, connect};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::sync::mpsc;

use crate::support::{database_url, fresh_name};

struct Greet;

#[async_trait::async_trait]
impl Executor for Greet {
    type Data = String;
    type Metadata = ();
    const NAME: &'static str = "greet";

    async fn execute(job: Job<String, ()>) -> ExecutionResult {
        let _ = job.context().state::<mpsc::UnboundedSender<String>>().unwrap().send(job.data);
        ExecutionResult::Done
    }
}

async fn greets(url: &str) {
    let backend: AnyBackend = connect(url).await.unwrap();
    backend.ping(Duration::from_secs(60)).await.unwrap();
    let (greeted, mut names) = mpsc::unbounded_channel::<String>();
    let node = Rexecutor::builder().with_backend(backend.clone()).with_state(greeted);
    let node = node.with_executor::<Greet>().start().await.unwrap();
    let _ = Greet::builder().with_data("Ada".to_owned()).enqueue_to_backend(&backend).await.unwrap();
    assert_eq!(names.recv().await.unwrap(), "Ada");
    // What a backend may lack is forwarded, too.
    let control: &dyn Control = control(&backend).unwrap();
    control.pause(&Scope::Executor("greet".into()), Pause::new("no names")).await.unwrap();
    assert_eq!(control.paused().await.unwrap().len(), 1);
    assert!(node.backend().instance() == rexecutor::backend::Backend::instance(&backend.clone()));
    node.graceful_shutdown().await;
    drop(node);
    backend.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_04_one_program_runs_on_the_database_that_its_address_names() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("my jobs.db");
    greets(&format!("sqlite://{}", file.display().to_string().replace(' ', "%20"))).await;
    assert!(file.exists());
    greets("sqlite::memory:").await;

    let (url, name) = (database_url(), fresh_name("rexecutor_any"));
    let mut admin = PgConnection::connect(&url).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut admin).await.unwrap();
    let (before, _) = url.rsplit_once('/').unwrap();
    greets(&format!("{before}/{name}")).await;
    let drop = AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)"));
    sqlx::raw_sql(drop).execute(&mut admin).await.unwrap();
}

#[tokio::test]
async fn case_04_a_wrong_address_is_answered_with_those_that_exist() {
    for (url, parts) in [
        ("mysql://localhost/x", ["`mysql:` is no database", "`sqlite:jobs.db`", "`postgres://"]),
        ("jobs.db", ["does not say of which database", "`sqlite::memory:`", "`postgres://"]),
        ("sqlite:", ["names no file", "`sqlite:jobs.db`", "not valid"]),
        ("sqlite://", ["names no file", "`sqlite:jobs.db`", "not valid"]),
        ("sqlite:jobs.db?mode=ro", ["`?mode=ro` is not supported", "`SqliteOptions`", "not valid"]),
        ("sqlite:no/such/folder/jobs.db", ["no/such/folder/jobs.db", "does not exist", "create it"]),
        ("postgres://127.0.0.1:1/x", ["no PostgreSQL server", "127.0.0.1:1", "check the host"]),
    ] {
        let error: UrlError = connect(url).await.unwrap_err();
        for part in parts {
            assert!(error.to_string().contains(part), "{url}: {part}: {error}");
        }
        assert_eq!(error.is_transient(), url.starts_with("postgres"), "{url}");
    }
}
