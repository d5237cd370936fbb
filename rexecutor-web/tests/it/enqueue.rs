//! Enqueuing by a program.

use axum::http::StatusCode;
use rexecutor::{
    backend::{Enqueue, NewJob, memory::InMemoryBackend},
    job::uniqueness_criteria::UniquenessCriteria,
};
use rexecutor_web::{Access, Role, bearer};
use tower::ServiceExt;

use crate::support::World;

const MARKED: [(&str, &str); 1] = [("x-requested-with", "a program")];

#[tokio::test]
async fn a_program_enqueues_what_is_stored_as_it_was_written() {
    let world = World::new();
    let body = r#"{"executor":"mail","data":{"b":1.50,"a":[]},"priority":3,"max_attempts":1,"tags":["vip"],"metadata":7,"delay":60.5}"#;
    let answer = world.call("operator", "/api/enqueue", body, &MARKED).await;
    assert_eq!((answer.status, answer.text.as_str()), (StatusCode::CREATED, r#"{"id":"1","result":"inserted"}"#));
    let job = world.get("viewer", "/api/jobs/1").await.json();
    assert_eq!((&job["priority"], &job["max_attempts"], &job["tags"][0]), (&3.into(), &1.into(), &"vip".into()));
    let stored = rexecutor::backend::Inspect::query(&*world.backend, &rexecutor::backend::Filter::All(vec![]), 9).await;
    let stored = stored.unwrap().pop().unwrap();
    assert_eq!((stored.data.as_str(), stored.metadata.as_deref()), (r#"{"b":1.50,"a":[]}"#, Some("7")));
    assert_eq!((stored.scheduled_at - stored.inserted_at).num_milliseconds(), 60_500);
    assert_eq!(world.changes.lock().unwrap()[0].action, "enqueue");
}

/// It sees the job of a Rust program that has the same key, and the other way round.
#[tokio::test]
async fn one_job_is_enqueued_for_a_key() {
    let world = World::new();
    let unique = UniquenessCriteria::by_key("welcome-7").and_executor().encode("mail", "1");
    let id = world.enqueue(NewJob::new("mail", "1").with_unique(unique.clone())).await;
    let body = r#"{"executor":"mail","unique_key":"welcome-7"}"#;
    let answer = world.call("operator", "/api/enqueue", body, &MARKED).await;
    assert_eq!((answer.status, answer.json()["result"].as_str()), (StatusCode::OK, Some("existing")));
    assert_eq!(answer.json()["id"], id.to_string());
    let again = world.backend.enqueue(vec![NewJob::new("mail", "2").with_unique(unique)]).await.unwrap();
    assert!(again[0].is_duplicate());
}

#[tokio::test]
async fn what_cannot_be_enqueued_is_refused_with_the_reason() {
    let world = World::new();
    for (body, reason) in [
        (r#"{"executor":""}"#, "must not be empty"),
        (r#"{"executor":"mail","priority":1000}"#, "the limit is 999"),
        (r#"{"executor":"mail","max_attempts":0}"#, "the least is 1"),
        (r#"{"executor":"mail","delay":-1}"#, "negative"),
        (r#"{"executor":"mail","delay":1e300}"#, "no number of seconds"),
        (r#"{"executor":"mail","data":"\u0000"}"#, "U+0000"),
        (r#"{"executor":"mail","unique_within":5}"#, "needs a `unique_key`"),
        (r#"{"executor":"mail","delay":1,"scheduled_at":"2030-01-01T00:00:00Z"}"#, "exclude each other"),
    ] {
        let answer = world.call("operator", "/api/enqueue", body, &MARKED).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
        assert!(answer.json()["error"].as_str().unwrap().contains(reason), "{body}: {}", answer.text);
    }
    let typo = world.call("operator", "/api/enqueue", r#"{"executor":"mail","dta":1}"#, &MARKED).await;
    assert!(typo.status.is_client_error() && typo.text.contains("dta"), "{}", typo.text);
    let mail = r#"{"executor":"mail"}"#;
    assert_eq!(world.call("viewer", "/api/enqueue", mail, &MARKED).await.status, StatusCode::FORBIDDEN);
    assert_eq!(world.call("", "/api/enqueue", mail, &MARKED).await.status, StatusCode::UNAUTHORIZED);
    let other = r#"{"executor":"report"}"#;
    assert_eq!(world.call("mail-operator", "/api/enqueue", other, &MARKED).await.status, StatusCode::NOT_FOUND);
    // A form of another site can send neither the header nor a token.
    assert_eq!(world.call("operator", "/api/enqueue", mail, &[]).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(world.call("mail-operator", "/api/enqueue", mail, &MARKED).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_token_lets_a_program_in() {
    let shop = Access::new("the shop", Role::Operator).only(["mail"]);
    let router = rexecutor_web::router(InMemoryBackend::new(), bearer([("s3cret", shop)]));
    let call = async |header: Option<&str>, executor: &str| {
        let request = axum::http::Request::post("/api/enqueue").header("content-type", "application/json");
        let request = header.map_or(request, |header| {
            axum::http::Request::post("/api/enqueue")
                .header("content-type", "application/json")
                .header("authorization", header)
        });
        let body = axum::body::Body::from(format!(r#"{{"executor":"{executor}"}}"#));
        router.clone().oneshot(request.body(body).unwrap()).await.unwrap().status()
    };
    assert_eq!(call(Some("Bearer s3cret"), "mail").await, StatusCode::CREATED);
    assert_eq!(call(Some("Bearer s3cret"), "report").await, StatusCode::NOT_FOUND);
    for wrong in ["Bearer s3cre", "Bearer s3cret2", "Bearer ", "Basic s3cret"] {
        let status = call(Some(wrong), "mail").await;
        assert!([StatusCode::UNAUTHORIZED, StatusCode::BAD_REQUEST].contains(&status), "{wrong}: {status}");
    }
    assert_eq!(call(None, "mail").await, StatusCode::BAD_REQUEST);
}
