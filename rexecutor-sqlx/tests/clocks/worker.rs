//! What a process of these tests does: it runs jobs and says so, or enqueues one.

use std::time::Duration;

use rexecutor::{clock::Clock, node::JobEventKind, prelude::*, schedule::MissedTicks};
use rexecutor_sqlx::AnyBackend;

use crate::process::{role, say};

/// How long a node may be silent before it is dead.
pub(crate) const NODE_TIMEOUT: Duration = Duration::from_secs(3);

fn say_tick(name: &str, context: &JobContext) {
    say(format!("{name} {}", context.tick().map_or(0, |tick| tick.timestamp())));
}

#[job(cron = "* * * * * *", missed = all)]
async fn second(context: JobContext) {
    say_tick("second", &context);
}

#[job(cron = "0 * * * * *")]
async fn minute(context: JobContext) {
    say_tick("minute", &context);
}

#[job]
async fn ordinary(number: u32) {
    say(format!("ordinary {number}"));
}

/// It runs until the clock has been set by more than a minute.
#[job]
async fn waits_for_a_step(number: u32, context: JobContext) {
    let clock = context.clock();
    let (now, began) = (clock.now(), clock.elapsed());
    say(format!("waits {number}"));
    loop {
        clock.sleep(Duration::from_millis(10)).await;
        let passed = TimeDelta::from_std(clock.elapsed().saturating_sub(began)).unwrap();
        if (clock.now() - now - passed).abs() > TimeDelta::minutes(1) {
            return;
        }
    }
}

/// Only one of them runs at a time: the others are due, and wait.
#[job(cluster_concurrency = 1)]
async fn queues(number: u32, context: JobContext) {
    say(format!("queues {number}"));
    context.clock().sleep(Duration::from_secs(1)).await;
}

/// It runs until its process ends, and then on another one.
#[job(backoff = constant("100ms"), max_attempts = 9)]
async fn hangs() {
    say(format!("hangs {}", std::process::id()));
    std::future::pending::<()>().await;
}

/// No test of its own: what the processes of the others do.
#[tokio::test]
async fn child() {
    let Some((role, argument)) = role() else { return };
    let mut words = argument.split(' ');
    let backend = rexecutor_sqlx::connect(words.next().unwrap()).await.unwrap();
    let mut number = || words.next().unwrap().parse().unwrap();
    match role.as_str() {
        "node" => node(backend).await,
        "ordinary" => {
            let job = Ordinary::builder().with_data(number()).schedule_in(TimeDelta::milliseconds(number().into()));
            let _ = job.enqueue_to_backend(&backend).await.unwrap();
        }
        "waits" => {
            let _ = WaitsForAStep::builder().with_data(number()).enqueue_to_backend(&backend).await.unwrap();
        }
        "queues" => {
            for number in 0..number() {
                let _ = Queues::builder().with_data(number).enqueue_to_backend(&backend).await.unwrap();
            }
        }
        "hangs" => drop(Hangs::builder().enqueue_to_backend(&backend).await.unwrap()),
        _ => panic!("no role {role:?}"),
    }
    say("done");
}

async fn node(backend: AnyBackend) {
    let node = Rexecutor::from_registry().with_backend(backend).with_node_timeout(NODE_TIMEOUT);
    let node = node.with_missed_ticks(MissedTicks::Last).on_event(|event| {
        if let (JobEventKind::Completed { took, .. }, WaitsForAStep::NAME) = (event.kind, event.job.executor()) {
            say(format!("took {}", took.as_millis()));
        }
    });
    let _node = node.start().await.unwrap();
    std::future::pending::<()>().await;
}
