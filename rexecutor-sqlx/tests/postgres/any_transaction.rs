//! Enqueuing in transactions of the application's, where both are of whichever database the address names.

use rexecutor::{
    backend::{Backend, Deadline, Due, EnqueueIn, Enqueued, Filter, Headers, Inspect, JobRow, NewJob, Unique},
    job::{
        JobId, JobStatus,
        uniqueness_criteria::{Replace, Resolution, Statuses, UniqueKey},
    },
    prelude::*,
};
use rexecutor_sqlx::{AnyBackend, connect};
use sqlx::{AnyPool, AssertSqlSafe, Connection, PgConnection, any::install_default_drivers};

use crate::support::{database_url, fresh_name};

#[job(unique(by = data, on_conflict = replace(priority, tags)))]
async fn greet(_name: String) {}

/// Both databases, one after the other: each with its address and a pool of the application's.
async fn on_both(test: impl AsyncFn(AnyBackend, AnyPool)) {
    install_default_drivers();
    let open = async |url: &str| (connect(url).await.unwrap(), AnyPool::connect(url).await.unwrap());
    let folder = tempfile::tempdir().unwrap();
    let (backend, pool) = open(&format!("sqlite:{}", folder.path().join("jobs.db").display())).await;
    test(backend.clone(), pool.clone()).await;
    pool.close().await;
    backend.close().await;

    let (url, name) = (database_url(), fresh_name("rexecutor_any_transaction"));
    let mut admin = PgConnection::connect(&url).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut admin).await.unwrap();
    let (before, _) = url.rsplit_once('/').unwrap();
    let (backend, pool) = open(&format!("{before}/{name}")).await;
    test(backend, pool.clone()).await;
    pool.close().await;
    let drop = AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)"));
    sqlx::raw_sql(drop).execute(&mut admin).await.unwrap();
}

async fn rows(backend: &AnyBackend) -> Vec<JobRow> {
    backend.query(&Filter::All(Vec::new()), 100).await.unwrap()
}

async fn row(backend: &AnyBackend, id: JobId) -> JobRow {
    backend.query(&Filter::IdIn(vec![id]), 1).await.unwrap().remove(0)
}

#[tokio::test]
async fn there_is_a_job_if_and_only_if_the_transaction_of_either_database_commits() {
    on_both(async |backend, pool| {
        sqlx::query("CREATE TABLE customers (name TEXT)").execute(&pool).await.unwrap();
        for (name, commits) in [("Ada", true), ("Bob", false)] {
            let mut transaction = pool.begin().await.unwrap();
            let insert = sqlx::query("INSERT INTO customers (name) VALUES ($1)").bind(name);
            insert.execute(&mut *transaction).await.unwrap();
            let _ = Greet::builder().with_data(name.to_owned()).enqueue_in(&backend, &mut transaction).await.unwrap();
            match commits {
                true => transaction.commit().await.unwrap(),
                false => transaction.rollback().await.unwrap(),
            }
        }
        let names: Vec<String> = sqlx::query_scalar("SELECT name FROM customers").fetch_all(&pool).await.unwrap();
        assert_eq!(names, ["Ada"]);
        assert_eq!(rows(&backend).await.into_iter().map(|row| row.data).collect::<Vec<_>>(), [r#""Ada""#]);
    })
    .await;
}

#[tokio::test]
async fn all_of_a_job_is_stored_as_in_a_call_of_its_own() {
    let now = rexecutor_testing::TestClock::START;
    let mut headers = Headers::default();
    headers.set("traceparent", "00-1-2-01");
    let jobs = || {
        vec![
            NewJob::new("plain", "1"),
            NewJob::new("all", r#"{"a":"ü 'x' \"y\""}"#)
                .with_metadata(Some("[1]".to_owned()))
                .with_max_attempts(7)
                .with_priority(9)
                .with_tags(vec!["a b".to_owned(), "c".to_owned()])
                .with_due(Due::At(now + TimeDelta::microseconds(123_456_789)))
                .with_headers(headers.clone())
                .with_group_key("g".to_owned())
                .with_deadline(Deadline::At(now + TimeDelta::days(1))),
            NewJob::new("blocked", "3").with_blocked(true).with_due(Due::At(now)),
            NewJob::new("later", "4").with_due(Due::In(TimeDelta::days(3))),
        ]
    };
    on_both(async |backend, pool| {
        let mut transaction = pool.begin().await.unwrap();
        let within = backend.enqueue_in(&mut transaction, jobs()).await.unwrap();
        transaction.commit().await.unwrap();
        let alone = rexecutor::backend::Enqueue::enqueue(&backend, jobs()).await.unwrap();
        for (within, alone) in within.iter().zip(&alone) {
            assert!(matches!(within, Enqueued::Inserted(_)));
            let (mut within, alone) = (row(&backend, within.id()).await, row(&backend, alone.id()).await);
            // Times that count from the present differ by what passed between the two.
            let present = (alone.inserted_at - within.inserted_at, alone.scheduled_at - within.scheduled_at);
            if alone.executor.as_str() == "later" || alone.executor.as_str() == "plain" {
                assert!((present.0 - present.1).num_milliseconds().abs() < 1, "{present:?}");
                within.scheduled_at = alone.scheduled_at;
            }
            (within.id, within.inserted_at) = (alone.id, alone.inserted_at);
            assert_eq!(within, alone);
        }
    })
    .await;
}

#[tokio::test]
async fn unique_jobs_are_decided_on_as_in_a_call_of_their_own() {
    on_both(async |backend, pool| {
        let greet = |name: &str| Greet::builder().with_data(name.to_owned());
        let mut transaction = pool.begin().await.unwrap();
        let first = greet("Ada").enqueue_in(&backend, &mut transaction).await.unwrap();
        let second = greet("Ada").with_priority(3).with_tags(["vip"]);
        let second = second.enqueue_in(&backend, &mut transaction).await.unwrap();
        let other = greet("Bob").enqueue_in(&backend, &mut transaction).await.unwrap();
        transaction.commit().await.unwrap();
        assert_eq!((*first, *second), (Enqueued::Inserted(first.id()), Enqueued::Replaced(first.id())));
        assert!(matches!(*other, Enqueued::Inserted(_)));
        let stored = row(&backend, first.id()).await;
        assert_eq!((stored.priority, stored.tags), (3, vec!["vip".to_owned()]));
        assert!(greet("Ada").enqueue_to_backend(&backend).await.unwrap().is_duplicate());

        let everything = Replace::data().and_metadata().and_max_attempts().and_scheduled_at();
        let unique = |resolution| {
            Unique::new(UniqueKey([7; 16]), Statuses::of(&[JobStatus::Scheduled])).with_on_conflict(resolution)
        };
        let job = |data: &str, resolution| NewJob::new("once", data).with_unique(unique(resolution));
        let at = rexecutor_testing::TestClock::START + TimeDelta::microseconds(1);
        let jobs = vec![
            job("1", Resolution::Ignore),
            job("2", Resolution::Ignore),
            job("3", Resolution::Replace(everything))
                .with_metadata(Some("[3]".to_owned()))
                .with_max_attempts(3)
                .with_due(Due::At(at)),
        ];
        let mut transaction = pool.begin().await.unwrap();
        let answers = backend.enqueue_in(&mut transaction, jobs).await.unwrap();
        transaction.commit().await.unwrap();
        let id = answers[0].id();
        assert_eq!(answers, [Enqueued::Inserted(id), Enqueued::Existing(id), Enqueued::Replaced(id)]);
        let stored = row(&backend, id).await;
        assert_eq!((stored.data.as_str(), stored.metadata.as_deref(), stored.max_attempts), ("3", Some("[3]"), 3));
        assert_eq!((stored.scheduled_at, stored.status), (at, JobStatus::Scheduled));
    })
    .await;
}

#[job(debounce(within = "5s", key = |data| data.0))]
async fn index(_data: (u32, String)) {}

#[job(throttle = "1m")]
async fn digest() {}

/// Case 18.8: in a transaction the last call and the first one win as elsewhere, and a rollback undoes that.
#[tokio::test]
async fn case_18_8_windows_are_decided_on_in_a_transaction() {
    on_both(async |backend, pool| {
        let call = |text: &str| Index::builder().with_data((1, text.to_owned()));
        let mut ids = Vec::new();
        for (text, commits) in [("a", true), ("b", true), ("c", false)] {
            let mut transaction = pool.begin().await.unwrap();
            let answer = call(text).enqueue_in(&backend, &mut transaction).await.unwrap();
            ids.push(answer.id());
            let again = Digest::builder().enqueue_in(&backend, &mut transaction).await.unwrap();
            assert_eq!((answer.is_duplicate(), again.is_duplicate()), (text != "a", text != "a"));
            match commits {
                true => transaction.commit().await.unwrap(),
                false => transaction.rollback().await.unwrap(),
            }
        }
        assert!(ids.iter().all(|id| *id == ids[0]));
        let stored = row(&backend, ids[0]).await;
        assert_eq!(stored.data, "[1,\"b\"]");
        let wait = stored.scheduled_at - stored.inserted_at;
        assert!(wait >= TimeDelta::seconds(5) && wait <= TimeDelta::seconds(50), "{wait}");
        assert_eq!(rows(&backend).await.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_transaction_on_another_database_is_refused_before_anything_is_written() {
    install_default_drivers();
    let folder = tempfile::tempdir().unwrap();
    let urls = ["a.db", "b.db"].map(|name| format!("sqlite:{}", folder.path().join(name).display()));
    let [backend, _other] = [connect(&urls[0]).await.unwrap(), connect(&urls[1]).await.unwrap()];
    let refused = async |pool: AnyPool, backend: &AnyBackend| {
        let mut transaction = pool.begin().await.unwrap();
        let error = backend.enqueue_in(&mut transaction, vec![NewJob::new("a", "1")]).await.unwrap_err();
        transaction.commit().await.unwrap();
        assert!(error.to_string().contains("begin it on") && !error.is_transient(), "{error}");
    };
    refused(AnyPool::connect(&urls[1]).await.unwrap(), &backend).await;
    refused(AnyPool::connect(&database_url()).await.unwrap(), &backend).await;
    let postgres: AnyBackend =
        rexecutor_sqlx::PgOptions::new().schema(fresh_name("refused")).connect(&database_url()).await.unwrap().into();
    refused(AnyPool::connect(&urls[0]).await.unwrap(), &postgres).await;
    assert!(postgres.name().contains("Pg") || postgres.survey().is_some());

    // The types of the databases themselves are taken, too.
    let pool = sqlx::SqlitePool::connect(&urls[0]).await.unwrap();
    let mut transaction = pool.begin().await.unwrap();
    let stored = backend.enqueue_in(&mut transaction, vec![NewJob::new("a", "1")]).await.unwrap();
    assert!(postgres.enqueue_in(&mut transaction, vec![NewJob::new("a", "1")]).await.is_err());
    transaction.commit().await.unwrap();
    assert_eq!(rows(&backend).await[0].id, stored[0].id());
}
