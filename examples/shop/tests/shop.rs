//! The shop on SQLite and, where `DATABASE_URL` names a server, on PostgreSQL: only the URL differs.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use example_shop::{
    Shop,
    jobs::{Charge, NightlyReport, Resize, SendWelcome},
    web,
};
use rexecutor::{Job, prelude::*};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tower::ServiceExt;

/// Runs a test on each database, with tables of its own.
async fn on_both(name: &str, test: impl AsyncFn(&Shop)) {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::open(&format!("sqlite:{}", folder.path().join("shop.db").display())).await.unwrap();
    test(&shop).await;
    shop.db.close().await;

    let Ok(server) = std::env::var("DATABASE_URL") else { return };
    let database = format!("shop_{name}_{}", std::process::id());
    let mut admin = PgConnection::connect(&server).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {database}"))).execute(&mut admin).await.unwrap();
    let shop = Shop::open(&format!("{}/{database}", server.rsplit_once('/').unwrap().0)).await.unwrap();
    test(&shop).await;
    shop.db.close().await;
    let drop = format!("DROP DATABASE {database} WITH (FORCE)");
    sqlx::raw_sql(AssertSqlSafe(drop)).execute(&mut admin).await.unwrap();
}

async fn post(shop: &Shop, path: &str, body: Value) -> StatusCode {
    let request = Request::post(path).header("content-type", "application/json").body(Body::from(body.to_string()));
    web::routes(shop.clone()).oneshot(request.unwrap()).await.unwrap().status()
}

/// Runs what is due.
async fn work(shop: &Shop) {
    shop.worker().start().await.unwrap().run_until_idle().await;
}

async fn jobs<E: Executor>(shop: &Shop) -> Vec<Job<E::Data, E::Metadata>> {
    E::query_jobs_on_backend(Where::any(), &shop.jobs).await.unwrap()
}

async fn number(shop: &Shop, query: &'static str) -> i64 {
    sqlx::query_scalar(query).fetch_one(&shop.db).await.unwrap()
}

#[tokio::test]
async fn whoever_signs_up_is_stored_once_and_greeted_once() {
    on_both("sign_up", async |shop| {
        let ada = || json!({ "email": "ada@example.com" });
        assert_eq!(post(shop, "/customers", ada()).await, StatusCode::CREATED);
        assert_eq!(post(shop, "/customers", ada()).await, StatusCode::CONFLICT);
        assert_eq!(number(shop, "SELECT count(*) FROM customers").await, 1);
        let mails = jobs::<SendWelcome>(shop).await;
        assert_eq!(mails.iter().map(|job| job.data.as_str()).collect::<Vec<_>>(), ["ada@example.com"]);
        work(shop).await;
        assert_eq!(jobs::<SendWelcome>(shop).await[0].status, JobStatus::Complete);
    })
    .await;
}

#[tokio::test]
async fn an_order_is_charged_once_and_a_declined_card_is_not_tried_again() {
    on_both("orders", async |shop| {
        let order = |id: i64, card: &str| json!({ "id": id, "card": card });
        assert_eq!(post(shop, "/orders", order(1, "4242")).await, StatusCode::ACCEPTED);
        assert_eq!(post(shop, "/orders", order(1, "4242")).await, StatusCode::OK);
        assert_eq!(post(shop, "/orders", order(2, "0000")).await, StatusCode::ACCEPTED);
        work(shop).await;
        assert_eq!(post(shop, "/orders", order(1, "4242")).await, StatusCode::OK, "it was paid");
        let charges = jobs::<Charge>(shop).await;
        assert_eq!(
            charges.iter().map(|job| job.status).collect::<Vec<_>>(),
            [JobStatus::Complete, JobStatus::Discarded]
        );
        let error = &charges[1].errors[0];
        assert_eq!((charges[1].attempt, error.error_type.as_str()), (1, "declined"));
        assert_eq!(number(shop, "SELECT id FROM orders WHERE paid = 1").await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_picture_is_halved() {
    on_both("pictures", async |shop| {
        let upload = Request::post("/pictures/cat/4").body(Body::from("abcdefghijklmnop")).unwrap();
        assert_eq!(web::routes(shop.clone()).oneshot(upload).await.unwrap().status(), StatusCode::ACCEPTED);
        work(shop).await;
        let small: String = sqlx::query_scalar("SELECT small FROM pictures").fetch_one(&shop.db).await.unwrap();
        assert_eq!(small, "acik");
        assert_eq!(jobs::<Resize>(shop).await[0].status, JobStatus::Complete);
    })
    .await;
}

#[tokio::test]
async fn a_night_is_reported_once() {
    on_both("reports", async |shop| {
        post(shop, "/customers", json!({ "email": "ada@example.com" })).await;
        for _ in 0..2 {
            let _ = NightlyReport::builder().enqueue_to_backend(&shop.jobs).await.unwrap();
        }
        work(shop).await;
        assert_eq!(number(shop, "SELECT count(*) FROM reports").await, 1);
        assert_eq!(number(shop, "SELECT customers FROM reports").await, 1);
        assert!(jobs::<NightlyReport>(shop).await.iter().all(|job| job.status == JobStatus::Complete));
    })
    .await;
    let schedule = Rexecutor::registered().into_iter().find(|job| job.name() == "nightly_report").unwrap();
    assert_eq!(schedule.crons()[0].timezone(), "Europe/London");
}

#[tokio::test]
async fn the_health_check_asks_the_database() {
    on_both("health", async |shop| {
        let ask = Request::get("/health").body(Body::empty()).unwrap();
        assert_eq!(web::routes(shop.clone()).oneshot(ask).await.unwrap().status(), StatusCode::OK);
    })
    .await;
}

/// The two programs, as they are started and stopped.
#[cfg(unix)]
#[test]
fn both_programs_stop_when_they_are_told_to() {
    use std::{
        io::{BufRead, BufReader},
        process::{Command, Stdio},
    };

    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("shop.db").display());
    for program in [env!("CARGO_BIN_EXE_web"), env!("CARGO_BIN_EXE_worker")] {
        let mut command = Command::new(program);
        command.arg(&url).env("PORT", "0").env("RUST_LOG", "info").env("NO_COLOR", "1").stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let is_up = |line: &String| line.contains("open at http://") || line.contains("the node has joined");
        assert!(lines.any(|line| is_up(&line)), "{program}");
        assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
        let rest: Vec<String> = lines.collect();
        assert!(child.wait().unwrap().success(), "{rest:?}");
    }
}
