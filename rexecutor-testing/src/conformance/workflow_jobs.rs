//! The jobs of workflows: skipped by hand, cancelled together, kept for as long as they are asked for, and many of them.

use rexecutor::{
    backend::{
        AmendError, Enqueued, NewJob, Outcome, Task,
        flows::{FlowError, GraphError},
    },
    job::JobStatus,
    workflows::RunWhen,
};

use super::{
    harness::{COMPLETE, Harness, failure, job},
    workflow::{task, task_when},
};

/// One that has not begun, with what comes after it.
pub async fn case_15_6_a_task_is_skipped_by_hand(t: &Harness) {
    let tasks =
        vec![task("a", &[]), task("b", &["a"]), task("c", &["b"]), task_when("d", &["b", "a"], RunWhen::NoneFailed)];
    let flow = t.workflow(tasks).await;
    let skip = async |name: &str| t.batches().skip_task(flow.id, name.to_owned(), "not needed".to_owned()).await;
    skip("b").await.expect("it can be skipped");
    assert_eq!(flow.states().await, "aw bs cs db");
    assert_eq!(flow.reason("b").await.as_deref(), Some("not needed"));
    t.batches().skip_task(flow.id, "b".to_owned(), "again".to_owned()).await.expect("it is skipped");
    assert_eq!(flow.reason("b").await.as_deref(), Some("not needed"), "the first reason stands");
    let unknown = skip("nobody").await;
    assert!(matches!(&unknown, Err(FlowError::NoTask(_, name)) if name == "nobody"), "{unknown:?}");
    let run = flow.take(&["a"]).await;
    assert!(matches!(skip("a").await, Err(FlowError::Begun(..))), "it runs");
    t.end(&[run["a"].clone()], &COMPLETE).await;
    flow.run("d", COMPLETE).await;
    let end = t.state(flow.id).await.flow.end().cloned().expect("it has ended");
    assert_eq!((end.counts.complete, end.counts.cancelled, end.counts.skipped), (2, 2, 2));
    let over = skip("d").await.expect_err("it is over").to_string();
    assert_eq!(over, format!("workflow {} has finished: there is nothing to cancel or to skip any more", flow.id));
    let cancel = t.batches().cancel_flow(flow.id, "enough".to_owned()).await.expect_err("it is over").to_string();
    assert_eq!(cancel, over);
    // A rerun of one that was skipped is no skipped one.
    t.backend.rerun(&"mail".into(), flow.jobs["b"]).await.expect("it can be rerun");
    let row = flow.rows().await.into_iter().find(|row| row.name == "b").expect("it is there");
    assert_eq!((row.status, row.is_skipped), (Some(JobStatus::Scheduled), false));
}

/// It would run before those that it comes after. Any other blocked job is.
pub async fn case_15_6_a_task_that_waits_is_not_released_by_hand(t: &Harness) {
    let flow = t.workflow(vec![task("a", &[]), task("b", &["a"])]).await;
    let refused = t.backend.release(&"mail".into(), flow.jobs["b"]).await.expect_err("it waits for a");
    let is_it = matches!(&refused, AmendError::WaitsForTasks { id, task, workflow }
        if *id == flow.jobs["b"] && task == "b" && *workflow == flow.id);
    assert!(is_it, "{refused}");
    assert_eq!(flow.states().await, "aw bb");
    flow.run("a", COMPLETE).await;
    assert_eq!(flow.states().await, "ac bw");
    flow.run("b", COMPLETE).await;
    let refused = t.backend.release(&"mail".into(), flow.jobs["b"]).await;
    assert!(matches!(refused, Err(AmendError::Refused { verb: "released", .. })), "{refused:?}");
}

/// By a task that is tried again after it has added them; what is not the same is refused.
pub async fn case_15_6_the_same_tasks_are_added_once(t: &Harness) {
    let flow = t.workflow(vec![task("a", &[]), task("b", &["a"])]).await;
    let runs = flow.take(&["a"]).await;
    let added = || vec![task("c", &["b", "a"]), task("d", &[]), task("e", &["d"])];
    let add = async |jobs: Vec<NewJob>| t.batches().add(flow.id, jobs).await;
    let first: Vec<Enqueued> = add(added()).await.expect("tasks can be added");
    assert!(first.iter().all(|answer| !answer.is_duplicate()));
    let existing: Vec<Enqueued> = first.iter().map(|answer| Enqueued::Existing(answer.id())).collect();
    assert_eq!(add(added()).await.expect("they are there"), existing);
    t.end(&[runs["a"].clone()], &COMPLETE).await;
    let runs = flow.take(&["b", "d"]).await;
    t.end(&[runs["d"].clone()], &COMPLETE).await;
    // Also once they have ended, and with others that come after them, in any order.
    let more = vec![task("f", &["e", "g"]), task("e", &["d"]), task("g", &[]), task("d", &[])];
    let answers = add(more).await.expect("tasks can be added");
    assert_eq!((answers[1], answers[3]), (existing[2], existing[1]));
    assert!(!answers[0].is_duplicate() && !answers[2].is_duplicate());
    assert_eq!(flow.states().await, "ac br cb dc ew fb gw");
    let rows = flow.rows().await;
    let row = rows.iter().find(|row| row.name == "f").expect("it is there");
    assert_eq!(row.after, [answers[1].id(), answers[2].id()]);

    let other_data = NewJob::new("mail", "\"another\"").with_task(Task::new("d"));
    let others = [
        other_data,
        job("other").with_task(Task::new("d")),
        task("d", &["a"]),
        task("c", &["a", "b"]),
        task("c", &["b"]),
        task_when("e", &["d"], RunWhen::AllEnded),
    ];
    for other in others {
        let name = other.extras.task.as_ref().map(|task| task.name.clone()).unwrap_or_default();
        let refused = flow.refused(vec![task("h", &[]), other]).await;
        assert_eq!(refused.to_string(), GraphError::TakenName(name).to_string());
    }
    assert_eq!(flow.rows().await.len(), 7, "nothing was stored");
    // Of one that was deleted it is known what it comes after.
    t.backend.delete(&"mail".into(), existing[1].id()).await.expect("it can be deleted");
    assert_eq!(add(vec![task("d", &[])]).await.expect("it was there"), [existing[1]]);
}

/// By hand, since it had failed: what was cancelled because of that runs by a retry, once the rerun has succeeded.
pub async fn case_15_6_a_retry_takes_what_is_cancelled_behind_a_job_that_was_rerun(t: &Harness) {
    let discard = || Outcome::discard(failure("it broke"));
    let failed = async || {
        let flow = t.workflow(vec![task("a", &[]), task("b", &["a"]), task("c", &["b"]), task("d", &["c"])]).await;
        flow.run("a", COMPLETE).await;
        flow.run("b", discard()).await;
        t.backend.rerun(&"mail".into(), flow.jobs["b"]).await.expect("it can be rerun");
        flow
    };
    let flow = failed().await;
    flow.run("b", COMPLETE).await;
    assert_eq!(flow.states().await, "ac bc cx dx", "a rerun alone changes nothing behind it");
    assert_eq!(t.batches().retry_tasks(flow.id).await.expect("it can be retried"), 2);
    assert_eq!(flow.states().await, "ac bc cw db");
    flow.run("c", COMPLETE).await;
    flow.run("d", COMPLETE).await;
    assert!(flow.has_ended().await);

    // While it runs, which is not run twice.
    let flow = failed().await;
    let runs = flow.take(&["b"]).await;
    assert_eq!(t.batches().retry_tasks(flow.id).await.expect("it can be retried"), 2);
    assert_eq!(flow.states().await, "ac br cb db");
    t.end(&[runs["b"].clone()], &discard()).await;
    assert_eq!(flow.states().await, "ac bd cx dx", "it has failed once more");
    assert_eq!(t.batches().retry_tasks(flow.id).await.expect("it can be retried"), 3);
    flow.run("b", COMPLETE).await;
    flow.run("c", COMPLETE).await;
    flow.run("d", COMPLETE).await;
    assert!(flow.has_ended().await);

    // A new task behind it goes by what it has come to, if those behind it were told that.
    let mut flow = failed().await;
    flow.run("b", COMPLETE).await;
    assert_eq!(t.batches().retry_tasks(flow.id).await.expect("it can be retried"), 2);
    flow.add(vec![task("e", &["b"])]).await;
    assert!(flow.states().await.ends_with("ew"));
}

/// What waits ends at once, what undoes things too.
pub async fn case_15_6_a_workflow_is_cancelled_as_a_whole(t: &Harness) {
    let tasks = vec![task("a", &[]), task("b", &["a"]), task_when("c", &["a"], RunWhen::AnyFailed), task("d", &[])];
    let flow = t.workflow(tasks).await;
    let runs = flow.take(&["a", "d"]).await;
    t.end(&[runs["d"].clone()], &COMPLETE).await;
    assert_eq!(t.batches().cancel_flow(flow.id, "enough".to_owned()).await.expect("it can be cancelled"), 3);
    assert_eq!(flow.states().await, "ar bx cx dc");
    let retried = t.batches().retry_tasks(flow.id).await;
    assert!(matches!(retried, Err(FlowError::Stopping(_))), "{retried:?}");
    let skipped = t.batches().skip_task(flow.id, "a".to_owned(), "why".to_owned()).await;
    assert!(matches!(skipped, Err(FlowError::Stopping(_))), "{skipped:?}");
    t.end(&[runs["a"].clone()], &COMPLETE).await;
    assert_eq!(flow.states().await, "ax bx cx dc");
    assert!(flow.has_ended().await);
    // A retry begins where it was cancelled.
    assert_eq!(t.batches().retry_tasks(flow.id).await.expect("it can be retried"), 3);
    assert_eq!(flow.states().await, "aw bb cb dc");
    flow.run("a", COMPLETE).await;
    assert_eq!(flow.states().await, "ac bw cs dc");
}

/// What those behind it ask for is there until the end, and no longer.
pub async fn case_15_6_what_is_not_kept_is_kept_until_the_end(t: &Harness) {
    let flow = t.workflow(vec![task("a", &[]), task("b", &["a"])]).await;
    flow.run("a", Outcome::complete(false)).await;
    assert_eq!(flow.states().await, "ac bw");
    flow.run("b", Outcome::complete(false)).await;
    let state = t.state(flow.id).await;
    assert_eq!(state.flow.end().map(|end| end.counts.complete), Some(2));
    assert!(t.all().await.is_empty(), "they were kept for the workflow alone");
    let rows = flow.rows().await;
    assert!(rows.iter().all(|row| row.result() == Some(rexecutor::workflows::TaskResult::Succeeded)), "{rows:?}");
    t.wait(8 * 24 * 60 * 60).await;
    t.sweep().await;
    assert_eq!(t.batches().find(flow.id).await.expect("it can be asked"), None);
    assert!(flow.rows().await.is_empty(), "its tasks go with it");
}

/// A job that was deleted by hand has ended, and what it gave is gone.
pub async fn case_15_6_a_task_whose_job_was_deleted_has_ended(t: &Harness) {
    let flow = t.workflow(vec![task("a", &[]), task("b", &["a"]), task("c", &["a", "b"])]).await;
    flow.run("a", Outcome::complete_with("1")).await;
    t.backend.delete(&"mail".into(), flow.jobs["a"]).await.expect("it can be deleted");
    flow.run("b", Outcome::complete_with("2")).await;
    let given: Vec<Option<String>> = flow.upstream("c").await.into_iter().map(|task| task.output).collect();
    assert_eq!(given, [None, Some("2".to_owned())]);
    flow.run("c", COMPLETE).await;
    assert!(flow.has_ended().await);
}

/// From one to many and back; and a long chain whose first link breaks.
pub async fn case_15_6_thousands_of_tasks(t: &Harness) {
    const WIDE: usize = 1_500;
    let names: Vec<String> = (0..WIDE).map(|place| format!("w{place}")).collect();
    let all: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut tasks = vec![task("first", &[]), task("last", &all)];
    tasks.extend(all.iter().map(|name| task(name, &["first"])));
    let flow = t.workflow(tasks).await;
    flow.run("first", COMPLETE).await;
    let mut left = WIDE;
    while left > 0 {
        let runs = t.take(700).await;
        assert!(!runs.is_empty() && runs.iter().all(|run| run.id != flow.jobs["last"]));
        left -= runs.len();
        t.end(&runs, &Outcome::complete_with("7")).await;
    }
    let upstream = flow.upstream("last").await;
    assert!(upstream.len() == WIDE && upstream.iter().zip(&all).all(|(task, name)| task.name == **name));
    flow.run("last", COMPLETE).await;
    assert!(flow.has_ended().await);
    let page = t.batches().tasks(flow.id, Some(flow.jobs["last"]), 10).await.expect("a page can be read");
    assert_eq!((page.len(), page[0].after.clone()), (10, vec![flow.jobs["first"]]));

    const LONG: usize = 250;
    let chain: Vec<NewJob> = (0..LONG)
        .map(|place| match place {
            0 => task("c0", &[]),
            place => task(&format!("c{place}"), &[&format!("c{}", place - 1)]),
        })
        .collect();
    let flow = t.workflow(chain).await;
    flow.run("c0", Outcome::discard(failure("it broke"))).await;
    assert_eq!(t.state(flow.id).await.flow.end().map(|end| end.counts.cancelled), Some(LONG as u64 - 1));
    let last = flow.reason(&format!("c{}", LONG - 1)).await;
    assert_eq!(last, Some(format!("the task `c{}` before it has failed", LONG - 2)));
}

/// A sweep ends, whatever flow ends beside it with tasks of which nobody was told.
pub async fn case_15_6_sweeps_end_while_workflows_are_cancelled(t: &Harness) {
    const WORKFLOWS: usize = 25;
    let mut flows = Vec::new();
    for _ in 0..WORKFLOWS {
        flows.push(t.workflow(vec![task("a", &[]), task("b", &["a"]), task("c", &[])]).await);
    }
    let runs = t.take(2 * WORKFLOWS).await;
    assert_eq!(runs.len(), 2 * WORKFLOWS);
    let mut calls = Vec::new();
    for flow in &flows {
        let (own, id) = (t.clone(), flow.id);
        calls.push(tokio::spawn(async move {
            let _ = own.batches().cancel_flow(id, "enough".to_owned()).await;
            own.sweep().await;
        }));
        for run in runs.iter().filter(|run| run.extras.flow == Some(id)) {
            let (own, run) = (t.clone(), run.clone());
            calls.push(tokio::spawn(async move {
                // The node does not know what it is part of.
                assert!(own.settle(&run, COMPLETE).await);
                own.sweep().await;
            }));
        }
    }
    for call in futures::future::join_all(calls).await {
        call.expect("no call panics");
    }
    t.sweep().await;
    for flow in &flows {
        assert!(flow.has_ended().await);
    }
}
