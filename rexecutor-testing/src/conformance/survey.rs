//! Finding jobs that no node runs. A backend that cannot is held to nothing here.

use rexecutor::{
    backend::{NewJob, Survey, Unserved},
    job::{ExecutorName, NodeId},
};

use super::harness::{COMPLETE, Harness, job};

impl Harness {
    /// What nobody runs, as this node is told that says what it runs itself.
    async fn unserved(&self, survey: &dyn Survey, node: NodeId, runs: &[&'static str]) -> Vec<(String, usize)> {
        let runs: Vec<ExecutorName> = runs.iter().map(|name| ExecutorName::from(*name)).collect();
        let unserved = survey.unserved(node, &runs).await.expect("jobs that nobody runs can be found");
        unserved.into_iter().map(|unserved| (unserved.executor.to_string(), unserved.jobs)).collect()
    }
}

fn found(executors: &[(&str, usize)]) -> Vec<(String, usize)> {
    executors.iter().map(|(executor, jobs)| ((*executor).to_owned(), *jobs)).collect()
}

/// Case 8: jobs of a renamed function wait for ever, and nothing says so.
pub async fn case_08_jobs_that_no_living_node_runs_are_found(t: &Harness) {
    let Some(survey) = t.backend.survey() else { return };
    let node = t.join().await;
    assert_eq!(t.unserved(survey, node, &["mail"]).await, []);
    for executor in ["old_mail", "print", "mail", "old_mail"] {
        t.enqueue(job(executor)).await;
    }
    let future = NewJob::new("old_mail", "1").with_due(rexecutor::backend::Due::In(chrono::TimeDelta::days(1)));
    t.enqueue(future.with_priority(7)).await;
    assert_eq!(t.unserved(survey, node, &["mail"]).await, found(&[("old_mail", 3), ("print", 1)]));
    assert_eq!(
        t.unserved(survey, node, &["old_mail"]).await,
        found(&[("mail", 1), ("print", 1)]),
        "it runs others now"
    );

    // Another node may run what it has not said yet, and does run what it says.
    let other = t.join().await;
    assert_eq!(t.unserved(survey, node, &["mail"]).await, []);
    assert_eq!(t.unserved(survey, other, &["print"]).await, found(&[("old_mail", 3)]));
    assert_eq!(t.unserved(survey, node, &["mail"]).await, found(&[("old_mail", 3)]));

    // A dead node runs nothing, whether or not its death was noticed.
    t.wait(9).await;
    t.backend.heartbeat(node).await.expect("heartbeats work");
    t.wait(2).await;
    assert_eq!(t.unserved(survey, node, &["mail"]).await, found(&[("old_mail", 3), ("print", 1)]));
    t.backend.leave(node).await.expect("a node can leave");
    assert_eq!(t.unserved(survey, node, &["mail"]).await, [], "it is no member");
}

/// Finished, blocked and executing jobs wait for nobody; and the answer is bounded.
pub async fn case_08_what_waits_is_counted_up_to_a_limit(t: &Harness) {
    let Some(survey) = t.backend.survey() else { return };
    let run = t.running(job("gone")).await;
    let node = run.node.expect("it runs");
    t.enqueue(job("gone").with_blocked(true)).await;
    assert_eq!(t.unserved(survey, node, &[]).await, []);
    assert!(t.settle(&run, COMPLETE).await);
    assert_eq!(t.unserved(survey, node, &[]).await, []);
    t.enqueue_all(vec![job("gone"); Unserved::MOST_JOBS + 1]).await;
    let many = (0..Unserved::MOST_EXECUTORS).map(|number| NewJob::new(format!("many_{number:03}"), "1"));
    t.enqueue_all(many.collect()).await;
    let unserved = t.unserved(survey, node, &[]).await;
    assert_eq!(unserved[..2], found(&[("gone", Unserved::MOST_JOBS), ("many_000", 1)]));
    assert_eq!(unserved.len(), Unserved::MOST_EXECUTORS);
}
