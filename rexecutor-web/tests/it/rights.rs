//! Who is let in, and who may change what. Handlers decide, whatever the pages show.

use axum::http::StatusCode;
use rexecutor::{backend::NewJob, job::JobStatus};

use crate::support::{PAGES, World};

#[tokio::test]
async fn nobody_gets_in_without_a_decision() {
    let world = World::under("/q");
    let id = world.enqueue(NewJob::new("mail", "1")).await;
    let all = PAGES.map(str::to_owned).into_iter();
    let all = all.chain([format!("/jobs/{id}"), "/events".to_owned(), "/no/such".to_owned()]);
    let api = ["overview", "jobs", "executors", "schedules", "nodes", "dead", "no"].map(|name| format!("/api/{name}"));
    for path in all.chain(api).chain([format!("/api/jobs/{id}")]) {
        assert_eq!(world.get("", &path).await.status, StatusCode::UNAUTHORIZED, "{path}");
        let forbidden = world.get("nobody", &path).await;
        assert_eq!(forbidden.status, StatusCode::FORBIDDEN, "{path}");
        assert!(!forbidden.text.contains("mail"), "{path}");
    }
    for path in ["/jobs/bulk", "/executors", "/schedules", "/dead", &format!("/jobs/{id}")] {
        assert_eq!(world.post_plainly("", path, &[], &[]).await.status, StatusCode::UNAUTHORIZED, "{path}");
    }
}

#[tokio::test]
async fn a_viewer_sees_no_button_and_changes_nothing() {
    let world = World::new();
    let id = world.enqueue(NewJob::new("mail", "1")).await;
    for path in PAGES.map(str::to_owned).into_iter().chain([format!("/jobs/{id}")]) {
        let page = world.get("viewer", &path).await.text;
        assert!(!page.contains("name=\"action\"") && !page.contains("name=\"token\""), "{path}");
    }
    // Their token can be computed by nobody, but a role is not a secret: so it is asked for in the handler.
    let token = world.token("operator").await;
    let fields = [("token", token.as_str()), ("action", "cancel")];
    assert_eq!(world.post_plainly("viewer", &format!("/jobs/{id}"), &fields, &[]).await.status, StatusCode::FORBIDDEN);
    let marked = [("x-requested-with", "test")];
    for (path, body) in [
        (format!("/api/jobs/{id}/cancel"), "{}"),
        ("/api/executors/pause".to_owned(), r#"{"executor":"mail","reason":"x"}"#),
        ("/api/executors/pause".to_owned(), r#"{"reason":"x"}"#),
        ("/api/schedules/trigger".to_owned(), r#"{"name":"x"}"#),
    ] {
        assert_eq!(world.call("viewer", &path, body, &marked).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    let job = world.get("viewer", &format!("/api/jobs/{id}")).await.json();
    assert_eq!(job["status"], JobStatus::Scheduled.as_str());
}

#[tokio::test]
async fn an_operator_does_not_delete_and_does_not_pause_the_cluster() {
    let world = World::new();
    world.discarded("mail", "oops", "it broke").await;
    let delete = [("action", "delete"), ("sure", "1"), ("executor", "mail")];
    assert_eq!(world.post("operator", "/dead", &delete).await.status, StatusCode::FORBIDDEN);
    let pause = [("action", "pause"), ("cluster", "1"), ("reason", "x")];
    assert_eq!(world.post("operator", "/executors", &pause).await.status, StatusCode::FORBIDDEN);
    assert_eq!(world.post("admin", "/executors", &pause).await.status, StatusCode::SEE_OTHER);
    assert!(world.get("viewer", "/executors").await.text.contains("The whole cluster is paused by admin"));
    assert_eq!(world.post("admin", "/dead", &delete).await.location(), "/?done=delete.1.0");
    assert_eq!(world.get("admin", "/api/dead").await.json()["groups"].as_array().unwrap().len(), 0);
}

#[tokio::test]
async fn who_sees_some_executors_finds_and_changes_nothing_of_the_others() {
    let world = World::new();
    let (mine, other) =
        (world.enqueue(NewJob::new("mail", "1")).await, world.enqueue(NewJob::new("secret", "1")).await);
    world.discarded("secret", "leak", "a secret error").await;
    world.node("n", &["mail", "secret"]).await;
    for path in PAGES.into_iter().chain([
        "/jobs?q=executor:secret",
        "/api/overview",
        "/api/jobs",
        "/api/executors",
        "/api/nodes",
        "/api/dead",
    ]) {
        let text = world.get("mail-operator", path).await.text;
        let text = text.replace("executor:secret", "").replace("executor%3Asecret", "");
        assert!(!text.contains("secret"), "{path}: {text}");
    }
    assert_eq!(world.get("mail-operator", &format!("/jobs/{mine}")).await.status, StatusCode::OK);
    for path in [format!("/jobs/{other}"), format!("/api/jobs/{other}")] {
        assert_eq!(world.get("mail-operator", &path).await.status, StatusCode::NOT_FOUND);
    }
    let cancel = [("action", "cancel")];
    assert_eq!(world.post("mail-operator", &format!("/jobs/{other}"), &cancel).await.status, StatusCode::NOT_FOUND);
    let pause = [("action", "pause"), ("executor", "secret"), ("reason", "x")];
    assert_eq!(world.post("mail-operator", "/executors", &pause).await.status, StatusCode::NOT_FOUND);
    let both = [("action", "cancel"), ("id", &mine.to_string()), ("id", &other.to_string())];
    assert_eq!(world.post("mail-operator", "/jobs/bulk", &both).await.location(), "/?done=cancel.1.0");
    let all = [("action", "retry"), ("all", "1"), ("sure", "1"), ("q", "secret")];
    assert_eq!(world.post("mail-operator", "/jobs/bulk", &all).await.location(), "/?done=retry.0.0");
    let statuses = ["mail", "secret"].map(|name| format!("/api/jobs?q=executor:{name}&order=oldest"));
    assert_eq!(world.get("admin", &statuses[0]).await.json()["jobs"][0]["status"], "cancelled");
    assert_eq!(world.get("admin", &statuses[1]).await.json()["jobs"][0]["status"], "scheduled");
}
