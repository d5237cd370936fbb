//! Workflows and batches.

use rexecutor::backend::{Backend, NewJob, Task, flows::StoredFlow};

use crate::support::{Place, fields};

fn task(name: &str, after: &[&str]) -> NewJob {
    NewJob::new("mail", "1").with_task(Task::new(name).with_after(after.iter().copied(), true))
}

#[test]
fn a_workflow_is_shown_cancelled_and_retried() {
    for place in Place::each() {
        let id = place.with(async |backend| {
            let jobs = vec![task("charge", &[]), task("ship", &["charge"])];
            backend.flows().unwrap().create(StoredFlow::workflow("order 7"), jobs).await.unwrap().id
        });
        let id = id.to_string();
        let listed = place.run(["flows", "list", "--open"]).ends(0).out;
        assert!(listed.contains("workflow  open") && listed.contains("0/2") && listed.contains("order 7"), "{listed}");
        assert_eq!(place.run(["flows", "list", "--ended"]).ends(0).out, "no workflow or batch\n");
        let json = place.json(["flows", "list"]);
        assert_eq!((fields(&json), &json["flows"][0]["id"]), (vec!["flows", "next", "now"], &id.as_str().into()));
        let known = ["cancelled", "counts", "created_at", "finished_at", "id", "is_least", "is_open", "kind", "name"];
        assert_eq!((fields(&json["flows"][0]), &json["flows"][0]["is_open"]), (known.to_vec(), &true.into()));
        let shown = place.run(["flows", "show", &id]).ends(0).out;
        assert!(shown.contains("0 of 2 (0 %)"), "{shown}");
        assert!(shown.ends_with("order 7\n  · charge\n  · ship  after charge\n"), "{shown}");
        let json = place.json(["flows", "show", &id]);
        let known = ["cancelled", "counts", "created_at", "finished_at", "id", "kind", "name", "tasks"];
        assert_eq!((fields(&json), &json["kind"]), (known.to_vec(), &"workflow".into()));
        assert_eq!(fields(&json["tasks"][1]), ["after", "executor", "job", "name", "run_when", "state"]);
        assert_eq!(json["tasks"][1]["after"][0], json["tasks"][0]["job"]);
        let drawn = place.run(["flows", "show", &id, "--mermaid"]).ends(0).out;
        assert!(drawn.starts_with("flowchart LR\n") && drawn.contains("t0 --> t1"), "{drawn}");

        assert_eq!(place.run(["flows", "cancel", &id]).ends(0).out, "cancelled 2 jobs\n");
        let shown = place.run(["flows", "show", &id]).ends(0).out;
        assert!(shown.contains("cancelled by ann") && shown.contains("✗ ship"), "{shown}");
        assert_eq!(place.json(["flows", "retry", &id])["jobs"], 2);
        assert_eq!(place.run(["flows", "retry", &id]).ends(0).out, "no task of it has failed\n");
        let none = place.run(["flows", "show", "999"]).ends(3);
        assert!(none.err.contains("there is no workflow or batch 999"), "{}", none.err);
        let batch = place.with(async |backend| {
            let jobs = vec![NewJob::new("mail", "1")];
            backend.flows().unwrap().create(StoredFlow::batch("album"), jobs).await.unwrap().id
        });
        let shown = place.run(["flows", "show", &batch.to_string()]).ends(0).out;
        assert!(shown.starts_with("batch ") && shown.ends_with("album\n"), "{shown}");
        let late = place.run(["flows", "cancel", "999"]).ends(3);
        assert!(late.err.contains("there is no batch or workflow 999"), "{}", late.err);
    }
}
