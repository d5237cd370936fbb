//! The backend beside the in-memory one, which calls the life cycle: the same calls, and the same rows after each.

use std::time::Duration;

use chrono::TimeDelta;
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use rexecutor::{
    backend::{
        Backend, Demand, Due, Enqueue, Filter, NewJob, Node, Outcome, Settlement, Unique, memory::InMemoryBackend,
    },
    job::{
        JobId, JobStatus, Lease, NodeId,
        uniqueness_criteria::{Replace, Resolution, Statuses, UniqueKey},
    },
    pruner::{PruneRule, PruneScope, PruneSpec},
};

use super::harness::{COMPLETE, Harness, failure, job, retry};

/// One call. Jobs, nodes and leases are small numbers, so that most calls meet something.
#[derive(Debug, Clone)]
enum Call {
    Enqueue(Vec<NewJob>),
    Join,
    Leave(i64),
    Heartbeat(i64),
    Claim(i64, usize),
    Settle(Vec<(i64, i64, Outcome)>),
    Rescue,
    Prune(JobStatus, PruneRule),
    Cancel(i64),
    Rerun(i64),
    Wait(i64),
}

/// Random sequences of calls end, after each call, with the rows that the model has.
pub async fn random_sequences_of_calls_end_as_in_the_model(t: &Harness) {
    let model = InMemoryBackend::new().with_clock(t.clock.clone());
    let mut runner = TestRunner::deterministic();
    let strategy = prop::collection::vec(call(), 400);
    // Numbers of jobs and nodes start at 1 in the model; here they may start anywhere.
    let first_job = t.enqueue(job("first")).await;
    let _ = Enqueue::enqueue(&model, vec![job("first")]).await;
    let (first_node, model_node) = (t.join().await, join(&model).await);
    let shift = (first_job.as_i64() - 1, first_node.0 - model_node.0);
    for call in strategy.new_tree(&mut runner).expect("calls can be made").current() {
        let answers = (perform(&model, &call, (0, 0)).await, perform(&*t.backend, &call, shift).await);
        if let Call::Wait(seconds) = call {
            t.wait(seconds).await;
        }
        assert_eq!(answers.1, answers.0, "{call:?}");
        assert_eq!(rows(&*t.backend, shift).await, rows(&model, (0, 0)).await, "after {call:?}");
    }
}

async fn join(backend: &dyn Backend) -> NodeId {
    let node = Node { label: String::new(), timeout: Duration::from_secs(10) };
    backend.join(&node).await.expect("nodes can join")
}

/// Every row as the model would number it.
async fn rows(backend: &dyn Backend, (jobs, nodes): (i64, i64)) -> Vec<String> {
    let rows = backend.query(&Filter::All(Vec::new()), usize::MAX).await.expect("jobs can be queried");
    let number = |mut row: rexecutor::backend::JobRow| {
        row.id = JobId::from(row.id.as_i64() - jobs);
        row.node = row.node.map(|node| NodeId(node.0 - nodes));
        format!("{row:?}")
    };
    rows.into_iter().map(number).collect()
}

/// Makes the call, and shows its answer as the model would.
async fn perform(backend: &dyn Backend, call: &Call, (jobs, nodes): (i64, i64)) -> String {
    let (job, node) = (|job: i64| JobId::from(job + jobs), |node: i64| NodeId(node + nodes));
    let executor = "mail".into();
    match call {
        Call::Enqueue(new) => {
            let answers = backend.enqueue(new.clone()).await.expect("jobs can be enqueued");
            let answers = answers.into_iter().map(|answer| (answer.id().as_i64() - jobs, answer.is_duplicate()));
            format!("{:?}", answers.collect::<Vec<_>>())
        }
        Call::Join => format!("{}", join(backend).await.0 - nodes),
        Call::Leave(number) => format!("{:?}", backend.leave(node(*number)).await.is_ok()),
        Call::Heartbeat(number) => {
            let heartbeat = backend.heartbeat(node(*number)).await.expect("heartbeats work");
            let known = |runs: &[(JobId, Lease)]| -> Vec<_> {
                runs.iter().map(|(job, lease)| (job.as_i64() - jobs, lease.0)).collect()
            };
            format!("{} {:?} {:?}", heartbeat.member, known(&heartbeat.runs), known(&heartbeat.cancelled))
        }
        Call::Claim(number, free) => {
            let slots = ["mail", "other"].map(|executor| Demand { executor: executor.into(), free: *free });
            let claimed = backend.claim(node(*number), &slots).await.expect("jobs can be claimed");
            let ids: Vec<_> = claimed.jobs.iter().map(|job| (job.id.as_i64() - jobs, job.errors.len())).collect();
            format!("{} {:?} {ids:?}", claimed.member, claimed.next_due_in)
        }
        Call::Settle(runs) => {
            let settlement = |(id, lease, outcome): &(i64, i64, Outcome)| Settlement {
                id: job(*id),
                lease: Lease(*lease),
                outcome: outcome.clone(),
            };
            let settlements: Vec<_> = runs.iter().map(settlement).collect();
            let mut refused = backend.settle(&settlements).await.expect("outcomes can be stored");
            refused.sort_unstable();
            format!("{:?}", refused.iter().map(|(id, lease)| (id.as_i64() - jobs, lease.0)).collect::<Vec<_>>())
        }
        Call::Rescue => format!("{}", backend.rescue().await.expect("rescue works")),
        Call::Prune(status, rule) => {
            let spec = PruneSpec { status: *status, rule: *rule, executors: PruneScope::Except(vec!["first".into()]) };
            format!("{}", backend.prune(&spec, 3).await.expect("jobs can be pruned"))
        }
        Call::Cancel(number) => outcome_of(backend.cancel(&executor, job(*number), "enough".to_owned()).await),
        Call::Rerun(number) => outcome_of(backend.rerun(&executor, job(*number)).await),
        Call::Wait(_) => String::new(),
    }
}

fn outcome_of(result: Result<(), rexecutor::backend::AmendError>) -> String {
    use rexecutor::backend::AmendError;
    match result {
        Ok(()) => "done".to_owned(),
        Err(AmendError::NotFound(_)) => "not found".to_owned(),
        Err(AmendError::Refused { status, verb, .. }) => format!("{status} cannot be {verb}"),
        Err(error) => panic!("{error}"),
    }
}

fn call() -> impl Strategy<Value = Call> {
    let (jobs, nodes, leases) = (1_i64..60, 1_i64..8, 1_i64..4);
    let finished = prop::sample::select(vec![JobStatus::Complete, JobStatus::Cancelled, JobStatus::Discarded]);
    let rule = prop_oneof![
        (0_i64..30).prop_map(|age| PruneRule::MaxAge(TimeDelta::seconds(age))),
        (0_u32..5).prop_map(PruneRule::MaxLength),
    ];
    prop_oneof![
        6 => prop::collection::vec(new_job(), 0..4).prop_map(Call::Enqueue),
        2 => Just(Call::Join),
        1 => nodes.clone().prop_map(Call::Leave),
        4 => nodes.clone().prop_map(Call::Heartbeat),
        6 => (nodes, 0_usize..4).prop_map(|(node, free)| Call::Claim(node, free + 1)),
        9 => prop::collection::vec((jobs.clone(), leases, outcome()), 0..12).prop_map(distinct).prop_map(Call::Settle),
        2 => Just(Call::Rescue),
        1 => (finished, rule).prop_map(|(status, rule)| Call::Prune(status, rule)),
        2 => jobs.clone().prop_map(Call::Cancel),
        2 => jobs.prop_map(Call::Rerun),
        4 => (0_i64..6).prop_map(Call::Wait),
    ]
}

/// No node settles a run twice in one batch.
fn distinct(mut runs: Vec<(i64, i64, Outcome)>) -> Vec<(i64, i64, Outcome)> {
    let mut seen = std::collections::BTreeSet::new();
    runs.retain(|(job, _, _)| seen.insert(*job));
    runs
}

fn new_job() -> impl Strategy<Value = NewJob> {
    let executor = prop::sample::select(vec!["mail", "other"]);
    let due = prop_oneof![Just(Due::Now), (0_i64..20).prop_map(|delay| Due::In(TimeDelta::seconds(delay)))];
    (executor, due, 0_u16..3, 1_u16..4, prop::option::weighted(0.4, unique())).prop_map(
        |(executor, due, priority, max_attempts, unique)| NewJob {
            due,
            priority,
            max_attempts,
            unique,
            ..job(executor)
        },
    )
}

fn unique() -> impl Strategy<Value = Unique> {
    let statuses = prop::sample::subsequence(JobStatus::ALL.to_vec(), 1..6);
    let replace = prop_oneof![
        Just(Resolution::Ignore),
        Just(Resolution::Replace(Replace::priority().and_scheduled_at())),
        Just(Resolution::Replace(Replace::max_attempts().for_statuses(&JobStatus::ALL))),
    ];
    let within = prop::option::of((1_i64..30).prop_map(TimeDelta::seconds));
    (0_u8..4, within, statuses, replace).prop_map(|(key, within, statuses, on_conflict)| Unique {
        key: UniqueKey([key; 16]),
        within,
        statuses: Statuses::of(&statuses),
        on_conflict,
    })
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        4 => Just(COMPLETE),
        1 => Just(Outcome::Complete { keep: false }),
        3 => (0_i64..10).prop_map(retry),
        1 => Just(Outcome::Discard { error: failure("for good") }),
        1 => Just(Outcome::Cancel { reason: "no".to_owned() }),
        1 => (0_i64..10).prop_map(|delay| Outcome::Snooze { delay: TimeDelta::seconds(delay) }),
        1 => Just(Outcome::GiveBack),
    ]
}
