//! The page of a workflow, and what can be done there.

use axum::http::StatusCode;
use rexecutor::{
    backend::{Backend, Flows, NewJob, Outcome, Settle, Settlement, Task, flows::StoredFlow},
    job::{FlowId, JobStatus},
    workflows::RunWhen,
};

use crate::support::World;

fn task(executor: &'static str, name: &str, after: &[&str]) -> NewJob {
    NewJob::new(executor, "1").with_task(Task::new(name).with_after(after.iter().copied(), true))
}

fn flows(world: &World) -> &dyn Flows {
    Backend::flows(&*world.backend).unwrap()
}

async fn workflow(world: &World, jobs: Vec<NewJob>) -> FlowId {
    flows(world).create(StoredFlow::workflow("order 7"), jobs).await.unwrap().id
}

#[tokio::test]
async fn a_workflow_is_drawn_with_links_to_its_jobs() {
    let world = World::under("/admin");
    let undo = Task::new("undo").with_after(["charge"], true).with_run_when(RunWhen::AnyFailed);
    let jobs =
        vec![task("mail", "charge", &[]), task("mail", "ship", &["charge"]), NewJob::new("mail", "1").with_task(undo)];
    let id = workflow(&world, jobs).await;
    let page = world.get("viewer", &format!("/workflows/{id}")).await;
    assert_eq!(page.status, StatusCode::OK);
    for says in ["order 7", "workflow #1", "<svg ", "· charge", "href=\"/admin/jobs/2\"", "0 of 3"] {
        assert!(page.text.contains(says), "{says}: {}", page.text);
    }
    for never in ["http://", "https://", " style=", "Cancel all"] {
        assert!(!page.text.contains(never), "{never}");
    }
    let job = world.get("viewer", "/jobs/2").await.text;
    assert!(job.contains("href=\"/admin/workflows/1\"") && job.contains("ship of workflow 1"), "{job}");
    assert!(job.contains("comes after `charge` (job 1)"), "{job}");
    assert_eq!(world.get("viewer", "/workflows/9").await.status, StatusCode::NOT_FOUND);
    assert_eq!(world.get("viewer", "/workflows/nine").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn tasks_that_were_skipped_are_counted_apart_from_those_that_were_cancelled() {
    let world = World::new();
    let undo = Task::new("undo").with_after(["charge"], true).with_run_when(RunWhen::AnyFailed);
    let id = workflow(&world, vec![task("mail", "charge", &[]), NewJob::new("mail", "1").with_task(undo)]).await;
    let node = world.node("worker", &["mail"]).await;
    let run = world.claim(node, "mail").await;
    let end = Settlement::new(run.id, run.lease, Outcome::complete(true)).with_flow_of(&run);
    world.backend.settle([end].into()).await.unwrap();
    let page = world.get("viewer", &format!("/workflows/{id}")).await.text;
    assert!(page.contains("<dt>skipped</dt><dd>1</dd>") && !page.contains("<dt>cancelled</dt>"), "{page}");
}

#[tokio::test]
async fn a_workflow_is_cancelled_and_retried_by_those_who_may() {
    let world = World::new();
    let id = workflow(&world, vec![task("mail", "a", &[]), task("mail", "b", &["a"])]).await;
    let path = format!("/workflows/{id}");
    let cancel = [("action", "cancel"), ("reason", "enough"), ("back", path.as_str())];
    assert!(!world.get("viewer", &path).await.text.contains("<form class=\"actions\""));
    assert_eq!(world.post_plainly("viewer", &path, &cancel, &[]).await.status, StatusCode::FORBIDDEN);
    let answer = world.post("operator", &path, &cancel).await;
    assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, "/workflows/1?done=cancel.2.0"));
    let rows = flows(&world).tasks(id, None, 9).await.unwrap();
    assert!(rows.iter().all(|row| row.status == Some(JobStatus::Cancelled)));
    let page = world.get("operator", &path).await.text;
    assert!(page.contains("enough (cancelled by operator)") && page.contains("Retry what failed"), "{page}");
    let answer = world.post("operator", &path, &[("action", "retry"), ("back", &path)]).await;
    assert_eq!(answer.location(), "/workflows/1?done=retry.2.0");
    assert_eq!(world.post("operator", &path, &[("action", "dance")]).await.status, StatusCode::BAD_REQUEST);
    let changes = world.changes.lock().unwrap();
    let told: Vec<_> = changes.iter().map(|change| (change.by.as_str(), change.action)).collect();
    assert_eq!(told, [("operator", "cancel"), ("operator", "retry")]);
}

#[tokio::test]
async fn tasks_of_executors_that_they_may_not_see_are_left_out() {
    let world = World::new();
    let id = workflow(&world, vec![task("mail", "seen", &[]), task("secret", "confidential", &["seen"])]).await;
    let path = format!("/workflows/{id}");
    let page = world.get("mail-operator", &path).await.text;
    assert!(page.contains("seen") && !page.contains("confidential") && page.contains("are left out"), "{page}");
    assert_eq!(world.post("mail-operator", &path, &[("action", "cancel")]).await.status, StatusCode::FORBIDDEN);
    let id = workflow(&world, vec![task("secret", "confidential", &[])]).await;
    assert_eq!(world.get("mail-operator", &format!("/workflows/{id}")).await.status, StatusCode::NOT_FOUND);
    let batch = flows(&world).create(StoredFlow::batch("all"), vec![NewJob::new("secret", "1")]).await.unwrap().id;
    assert_eq!(world.get("mail-operator", &format!("/workflows/{batch}")).await.status, StatusCode::NOT_FOUND);
    assert!(world.get("viewer", &format!("/workflows/{batch}")).await.text.contains("batch #3"));
}

#[tokio::test]
async fn flows_are_listed_with_how_they_stand() {
    use rexecutor::backend::flows::StoredFlow;

    let world = World::new();
    assert!(world.get("viewer", "/flows").await.text.contains("No workflow or batch."));
    let flows = world.backend.flows().unwrap();
    for nth in 0..60 {
        let jobs = if nth == 0 { Vec::new() } else { vec![NewJob::new("mail", "1"), NewJob::new("mail", "2")] };
        flows.create(StoredFlow::batch(format!("<b>{nth}</b>")), jobs).await.unwrap();
    }
    let rows = |text: &str| text.matches("href=\"/workflows/").count();
    let first = world.get("viewer", "/flows").await.text;
    assert!(rows(&first) == 50 && first.contains("&lt;b&gt;59&lt;/b&gt;") && first.contains("0 of 2"), "{first}");
    let next = first.split("rel=\"next\" href=\"").nth(1).unwrap().split('"').next().unwrap().replace("&amp;", "&");
    let second = world.get("viewer", &next).await.text;
    assert!(rows(&second) == 10 && second.contains("First page") && !second.contains("rel=\"next\""));
    assert_eq!(rows(&world.get("viewer", "/flows?status=open&limit=100").await.text), 59);
    assert_eq!(rows(&world.get("viewer", "/flows?status=ended").await.text), 1);
    for query in ["status=done", "before=x", "limit=x"] {
        assert_eq!(world.get("viewer", &format!("/flows?{query}")).await.status, StatusCode::BAD_REQUEST, "{query}");
    }
    let json = world.get("viewer", "/api/flows?limit=1").await.json();
    assert_eq!((&json["flows"][0]["id"], &json["next"]), (&"60".into(), &"60".into()));
    assert_eq!((&json["flows"][0]["counts"]["scheduled"], &json["flows"][0]["is_least"]), (&2.into(), &false.into()));
    // Nobody knows here whose jobs a flow has.
    for path in ["/flows", "/api/flows"] {
        assert_eq!(world.get("mail-operator", path).await.status, StatusCode::FORBIDDEN, "{path}");
    }
}
