//! A program goes on in the new database where it was in the old one.

use std::sync::{Arc, Mutex};

use rexecutor::{
    batches::{Batch, BatchSummary},
    job::{JobStatus, uniqueness_criteria::UniquenessCriteria},
    prelude::*,
    steps::StepError,
    workflows::Workflow,
};
use rexecutor_sqlx::AnyBackend;
use serde_json::json;

use super::{all, copy, directions};
use crate::support::ran;

/// What jobs have done, in order.
#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn add(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

#[job(name = "on_first")]
async fn first(number: u32, State(log): State<Log>) -> Result<u32, String> {
    log.add(format!("first {number}"));
    Ok(number)
}

#[job(name = "on_second")]
async fn second(Upstream(number): Upstream<u32>, State(log): State<Log>) -> Result<u32, String> {
    log.add(format!("second {number}"));
    Ok(number + 1)
}

#[job(name = "on_finished")]
async fn finished(batch: BatchSummary, State(log): State<Log>) {
    log.add(format!("{} of the batch", batch.counts.complete));
}

#[job(name = "on_steps")]
async fn stepped(steps: Steps, State(log): State<Log>) -> Result<(), StepError> {
    let charge = || async {
        log.add("charge");
        Ok::<_, String>(7)
    };
    let receipt: u32 = steps.run("charge", charge).await?;
    let _ = steps.wait_for::<bool>("approval", "7d").await?;
    log.add(format!("receipt {receipt}"));
    Ok(())
}

/// One after another for each key.
#[job(name = "on_ordered", ordered_by = |number| number / 100, max_attempts = 1)]
async fn ordered(number: u32, State(log): State<Log>) {
    log.add(format!("ordered {number}"));
}

async fn run(backend: &AnyBackend, log: &Log, all: bool) {
    let node = Rexecutor::builder().with_backend(backend.clone()).with_state(log.clone()).with_executor::<First>();
    let node = node.with_executor::<Stepped>();
    let node = match all {
        true => node.with_executor::<Second>().with_executor::<Finished>().with_executor::<Ordered>(),
        false => node,
    };
    let node = node.start().await.unwrap();
    node.run_until_idle().await;
}

#[test]
fn workflows_batches_steps_lines_and_unique_keys_go_on() {
    for [from, to] in directions() {
        let log = Log::default();
        let (workflow, stepped, unique) = from.with(async |backend| {
            let mut workflow = Workflow::new("two");
            let one = workflow.task("one", First::builder().with_data(1));
            workflow.task("two", Second::builder().after(&one));
            let workflow = workflow.enqueue_to_backend(backend).await.unwrap().id();
            // Half of the batch runs here.
            let later = First::builder().with_data(3).schedule_in(TimeDelta::hours(1));
            let batch = Batch::new("b").jobs([First::builder().with_data(2), later]).on_finished(Finished::builder());
            batch.enqueue_to_backend(backend).await.unwrap();
            let stepped = Stepped::builder().enqueue_to_backend(backend).await.unwrap().id();
            for number in [1, 2] {
                let _ = Ordered::builder().with_data(number).enqueue_to_backend(backend).await.unwrap();
            }
            let criteria = UniquenessCriteria::by_key(&"x").and_executor();
            let unique = First::builder().with_data(9).unique(criteria).schedule_in(TimeDelta::hours(2));
            let unique = unique.enqueue_to_backend(backend).await.unwrap().id();
            run(backend, &log, false).await;
            (workflow, stepped, unique)
        });
        let mut done = log.take();
        done.sort();
        assert_eq!(done, ["charge", "first 1", "first 2"]);
        from.run(["schedules", "add", "hourly", "--executor", "on_first", "--every", "1h", "--data", "5"]).ends(0);
        from.run(["executors", "set-limits", "on_first", "--rate", "100/1s", "--reason", "x"]).ends(0);
        let schedules = from.json(["schedules", "list"])["schedules"].clone();
        ran(&mut copy(&from, &to)).ends(0);
        assert_eq!(to.json(["schedules", "list"])["schedules"], schedules);
        assert_eq!(to.json(["executors", "limits"]), from.json(["executors", "limits"]));
        to.with(async |backend| {
            let again = UniquenessCriteria::by_key(&"x").and_executor();
            let again = First::builder().with_data(9).unique(again).enqueue_to_backend(backend).await.unwrap();
            assert_eq!(again.id(), unique);
            let _ = Stepped::signal_on_backend(stepped, "approval", &true, backend).await.unwrap();
            let waiting = all(backend).await.into_iter().find(|job| job.data == "3").unwrap();
            First::rerun_job_on_backend(waiting.id, backend).await.unwrap();
            run(backend, &log, true).await;
            let workflow = rexecutor::workflows::WorkflowHandle::on_backend(workflow, backend);
            assert_eq!(workflow.status().await.unwrap().counts.complete, 2);
            // The next one has the next number.
            let last = all(backend).await.iter().map(|job| job.id).max().unwrap();
            let next = First::builder()
                .with_data(10)
                .schedule_in(TimeDelta::hours(2))
                .enqueue_to_backend(backend)
                .await
                .unwrap()
                .id();
            assert!(next > last);
            assert!(all(backend).await.iter().all(|job| job.status != JobStatus::Discarded));
        });
        let done = log.take();
        let position =
            |what: &str| done.iter().position(|one| one == what).unwrap_or_else(|| panic!("{what}: {done:?}"));
        assert!(position("ordered 1") < position("ordered 2"));
        assert!(position("first 3") < position("2 of the batch"));
        for what in ["second 1", "receipt 7"] {
            position(what);
        }
        assert!(!done.contains(&"charge".to_owned()) && !done.contains(&"first 1".to_owned()), "{done:?}");
        // How runs went before is known, too.
        let history = to.json(["stats"])["last_24_hours"].clone();
        assert_ne!(history, json!(null));
    }
}
