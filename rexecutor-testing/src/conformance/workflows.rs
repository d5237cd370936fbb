//! Workflows: which tasks are released, skipped and cancelled as those before them end.

use std::sync::Arc;

use chrono::TimeDelta;
use rexecutor::{
    backend::{
        Backend, Deadline, JobRow, Outcome, Settlement,
        flows::{FlowError, GraphError, StoredFlow},
    },
    job::FlowId,
    workflows::{RunWhen, TaskResult},
};

use super::{
    harness::{COMPLETE, Harness, failure, retry},
    workflow::{task, task_when},
};

fn discard() -> Outcome {
    Outcome::discard(failure("it broke"))
}

/// Each task once those before it have succeeded, with what they gave, in the order in which it named them.
pub async fn case_15_6_a_diamond_runs_in_its_order(t: &Harness) {
    let flow = t.workflow(vec![task("d", &["c", "b"]), task("a", &[]), task("b", &["a"]), task("c", &["a"])]).await;
    assert_eq!(flow.states().await, "aw bb cb db");
    t.wait(5).await;
    flow.run("a", Outcome::complete_with("\"from a\"")).await;
    assert_eq!(flow.states().await, "ac bw cw db");
    assert_eq!(t.row(flow.jobs["b"]).await.scheduled_at, t.now(), "it is due once it is released");
    let mut runs = flow.take(&["b", "c"]).await;
    let b = runs.remove("b").expect("it runs");
    t.end(&[b], &Outcome::complete_with("2")).await;
    t.sweep().await;
    assert_eq!(flow.states().await, "ac bc cr db");
    let c = runs.remove("c").expect("it runs");
    t.end(&[c], &COMPLETE).await;
    assert_eq!(flow.states().await, "ac bc cc dw");
    let given = flow.upstream("d").await;
    let given: Vec<_> = given.iter().map(|task| (&*task.name, task.result, task.output.as_deref())).collect();
    assert_eq!(given, [("c", Some(TaskResult::Succeeded), None), ("b", Some(TaskResult::Succeeded), Some("2"))]);
    assert!(flow.upstream("a").await.is_empty());
    let found = t.batches().find_task(flow.id, "a".to_owned()).await.expect("it can be read").expect("it is there");
    assert_eq!((found.job, found.output.as_deref()), (flow.jobs["a"], Some("\"from a\"")));
    assert_eq!(t.batches().find_task(flow.id, "e".to_owned()).await.expect("it can be asked"), None);
    assert!(!flow.has_ended().await);
    flow.run("d", COMPLETE).await;
    assert!(flow.has_ended().await);
    let row = flow.rows().await.into_iter().find(|row| row.name == "d").expect("it is there");
    assert_eq!(row.after, [flow.jobs["c"], flow.jobs["b"]]);
}

/// By how its only predecessor ends, and by the last of two.
pub async fn case_15_6_each_rule_says_what_becomes_of_a_task(t: &Harness) {
    let ends = [COMPLETE, discard(), Outcome::cancel("no"), Outcome::skip("nothing to do")];
    let expected = [
        (RunWhen::AllSucceeded, ["w", "x", "x", "s"]),
        (RunWhen::NoneFailed, ["w", "x", "x", "s"]),
        (RunWhen::AllEnded, ["w", "w", "w", "w"]),
        (RunWhen::AnyFailed, ["s", "w", "w", "s"]),
    ];
    for (run_when, expected) in expected {
        for (end, expected) in ends.iter().zip(expected) {
            let flow = t.workflow(vec![task("a", &[]), task_when("b", &["a"], run_when)]).await;
            flow.run("a", end.clone()).await;
            let states = flow.states().await;
            assert!(states.ends_with(&format!("b{expected}")), "{run_when:?} after {end:?}: {states}");
            if expected == "w" {
                flow.run("b", COMPLETE).await;
            }
            assert!(flow.has_ended().await, "{run_when:?} after {end:?}");
        }
    }
    // Where branches meet of which one is skipped.
    let flow = t
        .workflow(vec![
            task("a", &[]),
            task("b", &[]),
            task_when("c", &["a", "b"], RunWhen::NoneFailed),
            task("d", &["a", "b"]),
        ])
        .await;
    let runs = flow.take(&["a", "b"]).await;
    t.end(&[runs["a"].clone()], &Outcome::skip("not today")).await;
    assert_eq!(flow.states().await, "as br cb ds");
    assert_eq!(flow.reason("d").await.as_deref(), Some("the task `a` before it was skipped"));
    assert_eq!(flow.reason("a").await.as_deref(), Some("not today"));
    t.end(&[runs["b"].clone()], &COMPLETE).await;
    assert_eq!(flow.states().await, "as bc cw ds");
}

/// All that comes after it, at once, with the reason; what does not goes on.
pub async fn case_15_6_a_failure_cancels_what_comes_after_it(t: &Harness) {
    let tasks = vec![task("a", &[]), task("b", &[]), task("c", &["a"]), task("d", &["c"]), task("e", &["b"])];
    let flow = t.workflow(tasks).await;
    let runs = flow.take(&["a", "b"]).await;
    t.end(&[runs["a"].clone()], &retry(0)).await;
    assert_eq!(flow.states().await, "ad br cx dx eb");
    assert_eq!(flow.reason("c").await.as_deref(), Some("the task `a` before it has failed"));
    assert_eq!(flow.reason("d").await.as_deref(), Some("the task `c` before it has failed"));
    t.end(&[runs["b"].clone()], &COMPLETE).await;
    flow.run("e", COMPLETE).await;
    let end = t.state(flow.id).await.flow.end().cloned().expect("it has ended");
    assert_eq!((end.counts.complete, end.counts.discarded, end.counts.cancelled), (2, 1, 2));
    assert_eq!(end.failed, [flow.jobs["a"]]);

    // Of several that end together, each names its own.
    let [one, other] = [
        t.workflow(vec![task("one", &[]), task("fine", &[]), task("b", &["fine", "one"])]).await,
        t.workflow(vec![task("other", &[]), task("b", &["other"])]).await,
    ];
    let runs = t.take(9).await;
    assert_eq!(runs.len(), 3);
    let end = |run: &JobRow| {
        let is_fine = run.id == one.jobs["fine"];
        Settlement::new(run.id, run.lease, if is_fine { COMPLETE } else { discard() }).with_flow_of(run)
    };
    assert_eq!(t.backend.settle(runs.iter().map(end).collect()).await.expect("outcomes can be stored"), []);
    assert_eq!(one.reason("b").await.as_deref(), Some("the task `one` before it has failed"));
    assert_eq!(other.reason("b").await.as_deref(), Some("the task `other` before it has failed"));

    // Or all that is left, where that is asked for.
    let fast = StoredFlow::workflow("fast").with_fail_fast(true);
    let flow = t.workflow_of(fast, vec![task("a", &[]), task("b", &[]), task("c", &["b"])]).await;
    let runs = flow.take(&["a", "b"]).await;
    t.end(&[runs["a"].clone()], &discard()).await;
    assert_eq!(flow.states().await, "ad br cx");
    let state = t.state(flow.id).await;
    assert_eq!((state.flow.cancelled(), state.flow.end()), (Some("the task `a` has failed"), None));
    assert_eq!(flow.reason("c").await.as_deref(), Some("the task `a` has failed"));
    t.end(&[runs["b"].clone()], &COMPLETE).await;
    assert_eq!(flow.states().await, "ad bx cx", "it was asked to stop");
    assert!(flow.has_ended().await);
}

/// Also behind tasks that have ended; and what would be no graph is refused as a whole.
pub async fn case_15_6_tasks_are_added_while_it_runs(t: &Harness) {
    let mut flow = t.workflow(vec![task("a", &[]), task("b", &["a"]), task("c", &[])]).await;
    let mut runs = flow.take(&["a", "c"]).await;
    let c = runs.remove("c").expect("it runs");
    t.end(&[runs.remove("a").expect("it runs")], &Outcome::complete_with("1")).await;
    flow.add(vec![task("f", &["e", "a"]), task("e", &["a"]), task("g", &["c"])]).await;
    assert_eq!(flow.states().await, "ac bw cr ew fb gb");
    let given = flow.upstream("e").await;
    assert_eq!(given[0].output.as_deref(), Some("1"));

    let is = |error: FlowError, expected: GraphError| assert_eq!(error.to_string(), expected.to_string());
    is(flow.refused(vec![task("h", &[]), task("e", &[])]).await, GraphError::TakenName("e".to_owned()));
    let unknown = GraphError::Unknown { task: "i".to_owned(), after: "nobody".to_owned() };
    is(flow.refused(vec![task("h", &[]), task("i", &["nobody"])]).await, unknown);
    let circle = flow.refused(vec![task("h", &["i"]), task("i", &["h"])]).await.to_string();
    assert!(circle.contains("`h` after `i` after `h`") || circle.contains("`i` after `h` after `i`"), "{circle}");
    assert_eq!(flow.rows().await.len(), 6, "none of them was stored");
    assert_eq!(t.all().await.len(), 6);

    t.end(&[c], &discard()).await;
    assert_eq!(flow.states().await, "ac bw cd ew fb gx");
    // What would be cancelled or skipped at once is.
    flow.add(vec![task("j", &["c"]), task_when("k", &["c"], RunWhen::AnyFailed), task("l", &["j"])]).await;
    t.sweep().await;
    assert_eq!(flow.states().await, "ac bw cd ew fb gx jx kw lx");
    let runs: Vec<JobRow> = flow.take(&["b", "e", "k"]).await.into_values().collect();
    t.end(&runs, &COMPLETE).await;
    flow.run("f", COMPLETE).await;
    assert!(flow.has_ended().await);
    let late = flow.refused(vec![task("m", &[])]).await;
    let expected = format!("workflow {} has finished, and takes no more jobs: begin another one, or ", flow.id);
    assert!(matches!(late, FlowError::Finished(_)) && late.to_string().starts_with(&expected), "{late}");
}

/// One after the other and at once, on two nodes and with sweeps in between: each is released once, and none is left.
pub async fn case_15_6_two_last_predecessors_end_at_the_same_time(t: &Harness) {
    const PAIRS: usize = 40;
    let mut tasks = Vec::new();
    for pair in 0..PAIRS {
        let [a, b, c] = ["a", "b", "c"].map(|name| format!("{name}{pair}"));
        tasks.extend([task(&a, &[]), task(&b, &[]), task(&c, &[&a, &b])]);
    }
    let flow = t.workflow(tasks).await;
    let (node, other) = (t.join().await, t.join().await);
    let mut runs = t.claim(node, "mail", PAIRS).await;
    runs.extend(t.claim(other, "mail", PAIRS).await);
    assert_eq!(runs.len(), 2 * PAIRS);
    let mut calls = Vec::new();
    for run in &runs {
        let (backend, end) = (t.backend.clone(), Settlement::new(run.id, run.lease, COMPLETE).with_flow_of(run));
        calls.push(tokio::spawn(async move {
            assert_eq!(backend.settle([end].into()).await.expect("outcomes can be stored"), []);
        }));
    }
    for _ in 0..4 {
        let backend: Arc<dyn Backend> = t.backend.clone();
        calls.push(tokio::spawn(async move {
            let _ = rexecutor::backend::flows(&*backend).expect("asked before").sweep_flows().await.expect("it works");
        }));
    }
    for call in futures::future::join_all(calls).await {
        call.expect("no call panics");
    }
    let last = t.take(3 * PAIRS).await;
    assert_eq!(last.len(), PAIRS, "each is released");
    assert!(last.iter().all(|run| run.lease == rexecutor::job::Lease(1)), "once");
    t.end(&last, &COMPLETE).await;
    assert!(flow.has_ended().await);
    assert!(t.take(3 * PAIRS).await.is_empty());
}

/// Whose node died, whose deadline came, and whose end another version of the program stored, which knows nothing of tasks.
pub async fn case_15_6_a_sweep_tells_what_was_left_untold(t: &Harness) {
    let late = task("late", &[]).with_deadline(Deadline::In(TimeDelta::seconds(1)));
    let tasks = vec![
        task("lost", &[]),
        task_when("b", &["lost"], RunWhen::AnyFailed),
        task("unaware", &[]),
        task("d", &["unaware"]),
        task("e", &["late"]),
        late,
    ];
    let flow = t.workflow(tasks).await;
    let runs = flow.take(&["late", "lost", "unaware"]).await;
    let node = runs["lost"].node.expect("it runs");
    t.wait(2).await;
    // The settlement says nothing of the flow.
    assert!(t.settle(&runs["unaware"], COMPLETE).await);
    assert_eq!(t.declare_dead(&[node]).await, 2);
    let _ = t.backend.rescue(&[]).await.expect("rescue works");
    t.sweep().await;
    assert_eq!(flow.states().await, "bw dw ex lated lostd unawarec");
}

/// From what has failed on; what has succeeded is not done again.
pub async fn case_15_6_a_workflow_is_retried_from_what_failed(t: &Harness) {
    let tasks = vec![
        task("a", &[]),
        task("b", &["a"]),
        task("c", &["b"]),
        task("d", &["c"]),
        task_when("undo", &["b"], RunWhen::AnyFailed),
        task_when("report", &["d"], RunWhen::AllEnded),
    ];
    let flow = t.workflow(tasks).await;
    flow.run("a", COMPLETE).await;
    flow.run("b", discard()).await;
    assert_eq!(flow.states().await, "ac bd cx dx reportw undow");
    let runs: Vec<JobRow> = flow.take(&["report", "undo"]).await.into_values().collect();
    t.end(&runs, &COMPLETE).await;
    assert!(flow.has_ended().await);
    assert_eq!(t.batches().retry_tasks(flow.id).await.expect("it can be retried"), 3);
    assert_eq!(flow.states().await, "ac bw cb db reportc undoc");
    assert!(!flow.has_ended().await);
    let row = t.row(flow.jobs["b"]).await;
    assert_eq!(
        (row.attempt, row.errors.len(), row.discarded_at),
        (0, 1, None),
        "with all its attempts, and its errors"
    );
    assert_eq!(flow.reason("c").await, None);
    flow.run("b", COMPLETE).await;
    assert_eq!(flow.states().await, "ac bc cw db reportc undoc");
    flow.run("c", COMPLETE).await;
    flow.run("d", COMPLETE).await;
    assert_eq!(t.state(flow.id).await.flow.end().map(|end| end.counts.complete), Some(6));
    assert_eq!(t.batches().retry_tasks(flow.id).await.expect("nothing has failed"), 0);
    assert!(flow.has_ended().await, "it has ended again");
    let none = t.batches().retry_tasks(FlowId(i64::MAX)).await;
    assert!(matches!(none, Err(FlowError::NotFound(_))), "{none:?}");

    // What was deleted cannot run again, and nothing waits for it.
    let flow = t.workflow(vec![task("a", &[]), task("b", &["a"]), task("c", &["b"])]).await;
    flow.run("a", discard()).await;
    t.backend.delete(&"mail".into(), flow.jobs["a"]).await.expect("it can be deleted");
    assert_eq!(t.batches().retry_tasks(flow.id).await.expect("it can be asked"), 0);
    assert!(flow.has_ended().await);

    // While the rest goes on.
    let flow = t.workflow(vec![task("a", &[]), task("b", &[]), task("c", &["a", "b"])]).await;
    let mut runs = flow.take(&["a", "b"]).await;
    t.end(&[runs.remove("a").expect("it runs")], &discard()).await;
    assert_eq!(flow.states().await, "ad br cx");
    assert_eq!(t.batches().retry_tasks(flow.id).await.expect("it can be retried"), 2);
    assert_eq!(flow.states().await, "aw br cb");
    t.end(&[runs.remove("b").expect("it runs")], &COMPLETE).await;
    flow.run("a", COMPLETE).await;
    flow.run("c", COMPLETE).await;
    assert!(flow.has_ended().await);
}
