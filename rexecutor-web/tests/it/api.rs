//! The same as JSON.

use axum::http::StatusCode;
use rexecutor::backend::NewJob;

use crate::support::World;

const MARKED: [(&str, &str); 1] = [("x-requested-with", "a program")];

#[tokio::test]
async fn the_same_as_on_the_pages_is_given_as_json() {
    let world = World::new();
    world.node("n", &["mail"]).await;
    let id = world.enqueue(NewJob::new("mail", "1")).await;
    world.discarded("mail", "oops", "it broke").await;
    let jobs = world.get("viewer", "/api/jobs?limit=1").await.json();
    assert_eq!((jobs["jobs"][0]["id"].as_str(), jobs["jobs"].as_array().unwrap().len()), (Some("2"), 1));
    let next = jobs["next"].as_str().unwrap();
    let second = world.get("viewer", &format!("/api/jobs?limit=1&after={next}")).await.json();
    assert_eq!((second["jobs"][0]["id"].as_str(), second["next"].is_null()), (Some(id.to_string().as_str()), true));
    let overview = world.get("viewer", "/api/overview").await.json();
    assert_eq!(overview["counts"]["discarded"]["count"], 1);
    assert!(overview["attention"][0]["what"].as_str().unwrap().contains("were discarded"));
    assert_eq!(world.get("viewer", "/api/executors").await.json()["executors"][0]["due"]["count"], 1);
    assert_eq!(world.get("viewer", "/api/nodes").await.json()["nodes"][0]["label"], "n");
    assert_eq!(world.get("viewer", "/api/dead").await.json()["groups"][0]["jobs"], 1);
    assert_eq!(world.get("viewer", "/api/schedules").await.json()["schedules"].as_array().unwrap().len(), 0);
    let missing = world.get("viewer", "/api/jobs/77").await;
    assert_eq!((missing.status, missing.json()["error"].is_string()), (StatusCode::NOT_FOUND, true));
    assert_eq!(world.get("viewer", "/api/no").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn changes_of_programs_need_a_header_that_no_form_can_send() {
    let world = World::new();
    let id = world.enqueue(NewJob::new("mail", "1")).await;
    let cancel = format!("/api/jobs/{id}/cancel");
    assert_eq!(world.call("operator", &cancel, "{}", &[]).await.status, StatusCode::BAD_REQUEST);
    let crossing = [MARKED[0], ("sec-fetch-site", "cross-site")];
    assert_eq!(world.call("operator", &cancel, "{}", &crossing).await.status, StatusCode::BAD_REQUEST);
    let done = world.call("operator", &cancel, r#"{"reason":"late"}"#, &MARKED).await;
    assert_eq!((done.status, done.json()["done"].as_str()), (StatusCode::OK, Some("cancel")));
    assert_eq!(world.call("operator", &cancel, "{}", &MARKED).await.status, StatusCode::CONFLICT);
    assert!(world.call("operator", &cancel, r#"{"reson":"typo"}"#, &MARKED).await.status.is_client_error());
    let pause = world.call("operator", "/api/executors/pause", r#"{"executor":"mail","reason":"x"}"#, &MARKED).await;
    assert_eq!(pause.status, StatusCode::OK);
    let resume = world.call("operator", "/api/executors/resume", r#"{"executor":"mail"}"#, &MARKED).await.json();
    assert_eq!(resume["was_paused"], true);
    assert_eq!(world.changes.lock().unwrap().len(), 4);
}
