//! Batches: what follows when their jobs end.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use chrono::TimeDelta;
use rexecutor::{
    backend::{
        Backend, Deadline, Due, Filter, Flows, JobRow, NewJob, Outcome, Settlement, flows,
        flows::{FlowError, FlowState, StoredFlow, When},
    },
    batches::{BatchEvent, BatchHandle, BatchSummary, FlowCounts, FlowId, Threshold},
    job::{JobId, JobStatus},
};

use super::harness::{COMPLETE, Harness, failure, job, retry, unique};

impl Harness {
    pub(super) fn batches(&self) -> &dyn Flows {
        flows(&*self.backend).expect("the backend keeps batches")
    }

    /// A batch of so many jobs, with every kind of callback.
    pub(super) async fn batch(&self, jobs: usize) -> (FlowId, Vec<JobId>) {
        self.batch_of((0..jobs).map(|_| job("mail")).collect()).await
    }

    pub(super) async fn batch_of(&self, jobs: Vec<NewJob>) -> (FlowId, Vec<JobId>) {
        let flow = [
            (When::Finished, "finished"),
            (When::Succeeded, "succeeded"),
            (When::Discarded, "discarded"),
            (When::Progress(Threshold::Percent(50)), "half"),
        ];
        let flow = flow.into_iter().fold(StoredFlow::batch("nightly"), |flow, (when, name)| {
            flow.with_callback(when, &job(name).with_data("7").with_metadata("8".to_owned()))
        });
        let created = self.batches().create(flow, jobs).await.expect("a batch can be stored");
        (created.id, created.jobs.into_iter().map(|job| job.id()).collect())
    }

    pub(super) async fn state(&self, flow: FlowId) -> FlowState {
        self.batches().find(flow).await.expect("a batch can be read").expect("it is stored")
    }

    pub(super) async fn sweep(&self) {
        let _ = self.batches().sweep_flows().await.expect("a sweep works");
    }

    /// The callbacks that have come, with what each was told, in their order.
    pub(super) async fn callbacks(&self) -> Vec<(String, BatchSummary)> {
        let named = |row: JobRow| {
            let summary = row.extras.summary.clone()?;
            assert_eq!((&*row.data, row.metadata.as_deref()), ("7", Some("8")), "they are what was given");
            assert_eq!(row.extras.flow, None, "they are no part of the batch");
            Some((row.executor.to_string(), serde_json::from_str(&summary).expect("it is a summary")))
        };
        self.all().await.into_iter().filter_map(named).collect()
    }

    pub(super) async fn names(&self) -> Vec<String> {
        self.callbacks().await.into_iter().map(|(name, _)| name).collect()
    }

    /// Claims all jobs that are due.
    pub(super) async fn take(&self, most: usize) -> Vec<JobRow> {
        self.claim(self.join().await, "mail", most).await
    }

    /// Ends a run as a node does, which knows of the flow.
    pub(super) async fn end(&self, runs: &[JobRow], outcome: &Outcome) {
        let ends = runs.iter().map(|run| Settlement::new(run.id, run.lease, outcome.clone()).with_flow_of(run));
        let refused = self.backend.settle(ends.collect()).await.expect("outcomes can be stored");
        assert_eq!(refused, []);
    }
}

pub(super) fn counts(of: &[(JobStatus, u64)]) -> FlowCounts {
    of.iter().fold(FlowCounts::default(), |mut counts, (status, jobs)| {
        counts.add(*status, *jobs);
        counts
    })
}

/// Each at its time, once, and with the counts and the failed jobs of that time.
pub async fn case_15_5_each_callback_comes_once_and_at_its_time(t: &Harness) {
    let (flow, jobs) = t.batch(10).await;
    let created_at = t.now();
    assert_eq!(t.state(flow).await.counts, counts(&[(JobStatus::Scheduled, 10)]));
    let runs = t.take(10).await;
    assert_eq!(runs.iter().map(|run| run.extras.flow).collect::<BTreeSet<_>>(), [Some(flow)].into());
    t.wait(5).await;
    t.end(&runs[..1], &Outcome::discard(failure("it broke"))).await;
    assert_eq!(t.names().await, ["discarded"]);
    t.end(&runs[1..2], &Outcome::discard(failure("it broke"))).await;
    t.end(&runs[2..4], &COMPLETE).await;
    assert_eq!(t.names().await, ["discarded"], "only the first counts");
    t.end(&runs[4..5], &COMPLETE).await;
    assert_eq!(t.names().await, ["discarded", "half"]);
    t.end(&runs[5..9], &COMPLETE).await;
    t.end(&runs[9..], &retry(0)).await;
    t.sweep().await;
    assert_eq!(t.names().await.len(), 2, "one waits for its retry");
    let again = t.take(1).await;
    t.end(&again, &Outcome::complete_with("3")).await;
    let callbacks = t.callbacks().await;
    let names: Vec<&str> = callbacks.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["discarded", "half", "finished"]);
    let (_, first) = &callbacks[0];
    assert_eq!((first.event, first.id, &*first.name), (BatchEvent::Discarded, flow, "nightly"));
    assert_eq!((first.created_at, first.at), (created_at, t.now()));
    assert_eq!(first.counts, counts(&[(JobStatus::Executing, 9), (JobStatus::Discarded, 1)]));
    assert_eq!(first.failed, jobs[..1]);
    let (_, last) = &callbacks[2];
    assert_eq!(last.counts, counts(&[(JobStatus::Complete, 8), (JobStatus::Discarded, 2)]));
    assert_eq!((last.event, &last.failed[..]), (BatchEvent::Finished, &jobs[..2]));
    assert_eq!(t.state(flow).await.flow.end(), Some(last));
    assert_eq!(t.row(again[0].id).await.extras.output.as_deref(), Some("3"));
    t.sweep().await;
    assert_eq!(t.names().await.len(), 3);

    let (_, _) = t.batch(1).await;
    let runs = t.take(1).await;
    t.end(&runs, &COMPLETE).await;
    assert_eq!(t.names().await[3..], ["finished", "succeeded", "half"], "all of one success");
}

/// By its run, kept or not, by its last attempt, by hand, past its deadline, and with its node.
pub async fn case_15_5_a_batch_finishes_with_its_last_job_however_that_ends(t: &Harness) {
    let single = || job("mail").with_max_attempts(1);
    let ends: [(&str, NewJob, (u64, u64, u64)); 7] = [
        ("kept", single(), (1, 0, 0)),
        ("unkept", single(), (1, 0, 0)),
        ("failed", single(), (0, 0, 1)),
        ("cancelled by hand", single(), (0, 1, 0)),
        ("cancelled while blocked", single().with_blocked(true), (0, 1, 0)),
        (
            "past its deadline",
            single().with_due(Due::In(TimeDelta::hours(9))).with_deadline(Deadline::In(TimeDelta::seconds(1))),
            (0, 0, 1),
        ),
        ("lost with its node", single(), (0, 0, 1)),
    ];
    for (what, job, expected) in ends {
        let before = t.names().await.len();
        let (flow, ids) = t.batch_of(vec![job]).await;
        let runs =
            if matches!(what, "kept" | "unkept" | "failed" | "lost with its node") { t.take(1).await } else { vec![] };
        match what {
            "kept" => t.end(&runs, &COMPLETE).await,
            // A run that does not know its flow, as one that a program of another version begins.
            "unkept" => assert!(t.settle(&runs[0], Outcome::complete(false)).await),
            "failed" => t.end(&runs, &retry(0)).await,
            "cancelled by hand" | "cancelled while blocked" => {
                t.backend.cancel(&"mail".into(), ids[0], "no".to_owned()).await.expect("it can be cancelled");
            }
            "past its deadline" => {
                t.wait(2).await;
                assert_eq!(t.backend.rescue(&[]).await.expect("rescue works"), 0);
                t.sweep().await;
            }
            _ => {
                let node = runs[0].node.expect("it runs");
                assert_eq!(t.declare_dead(&[node]).await, 1);
                t.sweep().await;
            }
        }
        let state = t.state(flow).await;
        let end = state.flow.end().unwrap_or_else(|| panic!("{what}: the batch has not finished"));
        assert_eq!((end.counts.complete, end.counts.cancelled, end.counts.discarded), expected, "{what}");
        let callbacks = t.names().await.split_off(before);
        assert_eq!(callbacks.iter().filter(|name| *name == "finished").count(), 1, "{what}");
        assert_eq!(callbacks.contains(&"succeeded".to_owned()), expected.0 == 1, "{what}");
        assert_eq!(callbacks.contains(&"discarded".to_owned()), expected.2 == 1, "{what}");
    }
}

/// Also in the step that completes a job of it.
pub async fn case_15_5_jobs_are_added_until_a_batch_has_finished(t: &Harness) {
    let (flow, _) = t.batch(1).await;
    let runs = t.take(1).await;
    let added = t.batches().add(flow, vec![job("mail"); 2]).await.expect("it goes on");
    assert_eq!(added.len(), 2);
    let follow = COMPLETE.and_enqueue(vec![job("mail").with_flow(flow)]);
    t.end(&runs, &follow).await;
    let runs = t.take(9).await;
    assert_eq!(runs.len(), 3);
    t.end(&runs[..2], &COMPLETE).await;
    assert_eq!(t.names().await, ["half"]);
    t.end(&runs[2..], &COMPLETE).await;
    assert_eq!(t.names().await, ["half", "finished", "succeeded"]);
    assert_eq!(t.state(flow).await.counts, counts(&[(JobStatus::Complete, 4)]));
    let late = t.batches().add(flow, vec![job("mail")]).await;
    assert!(matches!(late, Err(FlowError::Finished(late)) if late.id == flow), "{late:?}");
    let none = t.batches().add(FlowId(i64::MAX), vec![job("mail")]).await;
    assert!(matches!(none, Err(FlowError::NotFound(_))), "{none:?}");
    assert!(t.take(9).await.is_empty(), "nothing was stored");
    assert_eq!(t.batches().find(FlowId(i64::MAX)).await.expect("it can be asked"), None);
}

/// Nothing is left to be done.
pub async fn case_15_5_an_empty_batch_has_succeeded_at_once(t: &Harness) {
    let (flow, _) = t.batch(0).await;
    assert_eq!(t.names().await, ["finished", "succeeded"]);
    assert_eq!(t.state(flow).await.flow.end().map(|end| end.counts.total()), Some(0));
    // One whose only job finds another in its way has none either.
    let one = |statuses: &[JobStatus]| {
        let statuses = rexecutor::job::Statuses::of(statuses);
        let key = rexecutor::job::uniqueness_criteria::UniqueKey([7; 16]);
        unique(job("mail"), rexecutor::backend::Unique::new(key, statuses))
    };
    let first = t.enqueue(one(&[JobStatus::Scheduled])).await;
    let (flow, ids) = t.batch_of(vec![one(&[JobStatus::Scheduled])]).await;
    assert_eq!(ids, [first]);
    assert_eq!(t.state(flow).await.flow.end().map(|end| end.counts.total()), Some(0));
    assert_eq!(t.names().await.len(), 4);
    assert_eq!(t.row(first).await.extras.flow, None);
}

/// A rerun by hand is a matter of that job; who wants the callbacks again says so.
pub async fn case_15_5_a_rerun_repeats_callbacks_only_where_that_is_asked(t: &Harness) {
    let (flow, jobs) = t.batch(2).await;
    let runs = t.take(2).await;
    t.end(&runs[..1], &Outcome::discard(failure("it broke"))).await;
    // While the batch goes on, the one that was discarded runs again.
    t.backend.rerun(&"mail".into(), jobs[0]).await.expect("it can be rerun");
    t.end(&runs[1..], &COMPLETE).await;
    assert_eq!(t.names().await, ["discarded", "half"]);
    let again = t.take(1).await;
    t.end(&again, &Outcome::discard(failure("it broke"))).await;
    assert_eq!(t.names().await, ["discarded", "half", "finished"]);

    t.backend.rerun(&"mail".into(), jobs[0]).await.expect("it can be rerun");
    let again = t.take(1).await;
    t.end(&again, &Outcome::discard(failure("it broke"))).await;
    t.sweep().await;
    assert_eq!(t.names().await.len(), 3, "the batch is over");

    let handle = BatchHandle::on_backend(flow, &t.backend);
    assert_eq!(handle.rerun_discarded().await.expect("it can be rerun"), 1);
    assert_eq!(t.state(flow).await.flow.end(), None);
    t.end(&t.take(1).await, &COMPLETE).await;
    assert_eq!(t.names().await[3..], ["half", "finished", "succeeded"]);
    assert!(t.batches().reopen(FlowId(i64::MAX)).await.is_err());
}

/// Whoever waits hears of the end, and not of its job's.
pub async fn case_15_5_whoever_waits_is_woken_when_a_batch_finishes(t: &Harness) {
    const SOON: Duration = Duration::from_secs(4);
    let (flow, _) = t.batch(2).await;
    let handle = BatchHandle::on_backend(flow, &t.backend);
    let waiting: Vec<_> =
        (0..3).map(|_| tokio::spawn(std::future::IntoFuture::into_future(handle.wait().within(SOON)))).collect();
    let runs = t.take(2).await;
    t.end(&runs[..1], &COMPLETE).await;
    tokio::task::yield_now().await;
    assert!(waiting.iter().all(|waiting| !waiting.is_finished()));
    t.end(&runs[1..], &COMPLETE).await;
    for waiting in waiting {
        let summary = waiting.await.expect("it does not panic").expect("it is told");
        assert!(summary.is_success() && summary.counts.complete == 2);
    }
    // One that is over already.
    assert!(handle.wait().await.expect("it is over").is_success());
    let none = BatchHandle::on_backend(FlowId(i64::MAX), &t.backend).wait().await;
    assert!(none.is_err());
}

/// However many end the last jobs at the same time, one enqueues the callback, and none is without.
pub async fn case_15_5_of_many_that_end_the_last_jobs_one_enqueues_the_callback(t: &Harness) {
    const BATCHES: usize = 25;
    let mut flows = Vec::new();
    for _ in 0..BATCHES {
        flows.push(t.batch(4).await.0);
    }
    let (node, other) = (t.join().await, t.join().await);
    let mut runs = t.claim(node, "mail", 2 * BATCHES).await;
    runs.extend(t.claim(other, "mail", 2 * BATCHES).await);
    assert_eq!(runs.len(), 4 * BATCHES);
    let mut tasks = Vec::new();
    for flow in &flows {
        // Also with a job that is added, a look for what was left undone, and a rerun in between.
        let backend: Arc<dyn Backend> = t.backend.clone();
        tasks.push(tokio::spawn(async move {
            let _ =
                rexecutor::backend::flows(&*backend).expect("asked before").sweep_flows().await.expect("a sweep works");
        }));
        for run in runs.iter().filter(|run| run.extras.flow == Some(*flow)) {
            let (backend, end) = (t.backend.clone(), Settlement::new(run.id, run.lease, COMPLETE).with_flow_of(run));
            tasks.push(tokio::spawn(async move {
                assert_eq!(backend.settle([end].into()).await.expect("outcomes can be stored"), []);
            }));
        }
    }
    for ended in futures::future::join_all(tasks).await {
        ended.expect("no task panics");
    }
    let mut finished: Vec<FlowId> = Vec::new();
    for (name, summary) in t.callbacks().await {
        if name == "finished" {
            assert_eq!(summary.counts, counts(&[(JobStatus::Complete, 4)]));
            finished.push(summary.id);
        }
    }
    finished.sort_unstable();
    flows.sort_unstable();
    assert_eq!(finished, flows);
}

/// In pieces, as a database takes them.
pub async fn case_15_5_a_batch_of_thousands_counts_each_of_its_jobs(t: &Harness) {
    const JOBS: usize = 3_000;
    let (flow, _) = t.batch(JOBS).await;
    let mut left = JOBS;
    while left > 0 {
        let runs = t.take(700).await;
        assert!(!runs.is_empty());
        left -= runs.len();
        let before = t.names().await;
        assert!(!before.contains(&"finished".to_owned()));
        t.end(&runs, &COMPLETE).await;
    }
    assert_eq!(t.names().await, ["half", "finished", "succeeded"]);
    assert_eq!(t.state(flow).await.flow.end().map(|end| end.counts.complete), Some(JOBS as u64));
    assert_eq!(t.query(Filter::Executor("mail".into())).await.len(), JOBS);
}
