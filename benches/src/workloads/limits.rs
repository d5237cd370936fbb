//! What limits cost: `drain` under each of them, by turns with a plain one, on one node and on several; how late the jobs of other
//! keys are beside a flood of one key; and what a node asks while its jobs wait for a rate.

use std::time::Duration;

use rexecutor::{
    clock::{Clock, SystemClock},
    enqueue_all_to_backend,
    node::NodeBuilder,
    prelude::*,
};

use super::{idle::through_wire, nodes};
use crate::{
    child::{Child, PACE, Task},
    drain::{drain, fill, node, ratio},
    error::Result,
    jobs::{Noop, Work, encode},
    place::{Place, in_place},
    sample::Sample,
    settings::Settings,
    stopwatch::Stopwatch,
    tally::Tally,
    target::Target,
};

static SHARED: Limit = Limit::new("shared").cluster_concurrency(100);

macro_rules! limited {
    ($($(#[$arguments:meta])* $name:ident;)*) => {$(
        $(#[$arguments])*
        async fn $name(_work: Work, State(tally): State<Tally>) {
            tally.count();
        }
    )*};
}

limited! {
    #[job(cluster_concurrency = 100)]
    of_a_hundred;
    #[job(limit = SHARED)]
    of_a_shared_hundred;
    #[job(concurrency(key = |work| work.number % 1_000, limit = 10))]
    of_a_thousand_keys;
    #[job(concurrency(key = |work| work.number % 100_000, limit = 10))]
    of_many_keys;
    #[job(ordered_by = |work| work.number % 1_000)]
    in_a_thousand_lines;
    #[job(rate_limit = "1_000_000/s")]
    of_a_loose_rate;
    #[job(rate_limit = "5_000/s", burst = 500)]
    of_a_rate;
    #[job(rate_limit = "10/s", burst = 1)]
    of_a_slow_rate;
}

/// The first key's jobs last, so that it is at its limit for good; the others tell how late they are.
#[job(concurrency(key = |work| work.number.min(1), limit = 1))]
async fn beside_a_flood(work: Work, State(tally): State<Tally>, context: JobContext) {
    match work.number {
        0 => context.cancellation().cancelled().await,
        _ => tally.count_since(work.at),
    }
}

/// A node that runs any of them.
pub(crate) fn with_all(node: NodeBuilder) -> NodeBuilder {
    let node = node.with_executor::<OfAHundred>().with_executor::<OfASharedHundred>();
    let node = node.with_executor::<OfAThousandKeys>().with_executor::<OfManyKeys>();
    let node = node.with_executor::<InAThousandLines>().with_executor::<OfALooseRate>();
    node.with_executor::<OfARate>().with_executor::<OfASlowRate>()
}

pub(super) async fn run(settings: &Settings, jobs: usize) -> Result<Vec<Sample>> {
    let plain = by_one::<Noop>(settings, jobs, "plain").await?;
    let mut samples = plain.clone();
    macro_rules! measure {
        ($($case:literal $executor:ty;)*) => {$(
            let limited = by_one::<$executor>(settings, jobs, $case).await?;
            let to_plain = ratio(concat!($case, " to plain"), &limited, &plain);
            samples.extend(limited);
            samples.extend(to_plain);
        )*};
    }
    measure! {
        "cluster_concurrency = 100" OfAHundred;
        "a shared limit of 100" OfASharedHundred;
        "1,000 keys" OfAThousandKeys;
        "100,000 keys" OfManyKeys;
        "1,000 lines" InAThousandLines;
        "a rate that does not bind" OfALooseRate;
        "5,000 a second" OfARate;
    }
    if !matches!(settings.backend, Target::Memory) {
        samples.extend(by_several(settings, jobs).await?);
    }
    samples.extend(flood(settings).await?);
    if matches!(settings.backend, Target::Postgres(_)) {
        samples.extend(waiting(settings).await?);
    }
    Ok(samples)
}

async fn by_one<E: Executor<Data = Work>>(settings: &Settings, jobs: usize, case: &str) -> Result<Vec<Sample>> {
    in_place(&settings.backend, case, async |place| {
        let ids = fill::<E>(place, settings, jobs, |job| job).await?;
        drain::<E>(place, settings, case, &ids).await
    })
    .await
}

async fn by_several(settings: &Settings, jobs: usize) -> Result<Vec<Sample>> {
    let processes = settings.nodes.unwrap_or(4);
    let name = |case: &str| format!("{case}, {processes} processes");
    let plain = nodes::by::<Noop>(settings, jobs, (Task::Work, processes), &name("plain")).await?;
    let mut samples = plain.clone();
    macro_rules! measure {
        ($($case:literal $executor:ty;)*) => {$(
            let limited = nodes::by::<$executor>(settings, jobs, (Task::WorkLimited, processes), &name($case)).await?;
            let to_plain = ratio(&name(concat!($case, " to plain")), &limited, &plain);
            samples.extend(limited);
            samples.extend(to_plain);
        )*};
    }
    measure! {
        "cluster_concurrency = 100" OfAHundred;
        "1,000 keys" OfAThousandKeys;
        "1,000 lines" InAThousandLines;
        "5,000 a second" OfARate;
    }
    Ok(samples)
}

/// How soon a job of another key starts, without and with a key of which many jobs wait.
async fn flood(settings: &Settings) -> Result<Vec<Sample>> {
    let mut samples = Vec::new();
    for (case, waiting) in [("no flood", 1), ("a flood of one key", settings.history().min(500_000))] {
        let measured = in_place(&settings.backend, case, async |place| {
            fill_first(place, settings, waiting).await?;
            let tally = Tally::default();
            // The first key's job runs on until it is told to stop.
            let node = node(place, settings, &tally).with_shutdown_grace(Duration::ZERO);
            let node = node.with_executor::<BesideAFlood>().start().await?;
            let jobs = settings.jobs(500, 50);
            for number in 1..=jobs {
                let data = Work::new(number, settings.payload());
                let _ = BesideAFlood::builder().with_data(data).enqueue_to_backend(&place.backend).await?;
                SystemClock.sleep(PACE).await;
            }
            tally.wait(jobs).await?;
            node.graceful_shutdown().await;
            Ok(tally.delays(case, 10.min(jobs / 2)))
        });
        samples.extend(measured.await?);
    }
    Ok(samples)
}

/// Jobs that are all of the first key.
async fn fill_first(place: &Place, settings: &Settings, count: usize) -> Result<()> {
    for start in (0..count).step_by(10_000) {
        let job = |_| encode::<BesideAFlood>(0, settings.payload());
        let jobs = (start..count.min(start + 10_000)).map(job).collect::<Result<Vec<_>>>()?;
        let _ = enqueue_all_to_backend(jobs, &place.backend).await?;
    }
    Ok(())
}

/// What a node asks of the server while its jobs wait for a rate.
async fn waiting(settings: &Settings) -> Result<Vec<Sample>> {
    const CASE: &str = "1,000 jobs at 10 a second";
    let seconds = settings.seconds(10.0);
    in_place(&settings.backend, CASE, async |place| {
        fill::<OfASlowRate>(place, settings, 1_000, |job| job).await?;
        let (wire, address) = through_wire(&place.address).await?;
        let mut child = Child::start(Task::WorkLimited, &address, settings, 0, None).await?;
        child.order("go").await?;
        SystemClock.sleep(Duration::from_secs_f64(seconds.min(1.0))).await;
        let (watch, before) = (Stopwatch::start(), wire.as_ref().map(|wire| wire.statements()));
        SystemClock.sleep(Duration::from_secs_f64(seconds)).await;
        let (after, elapsed) = (wire.as_ref().map(|wire| wire.statements()), watch.elapsed().as_secs_f64());
        child.end().await?;
        let statements = before.zip(after).map(|(before, after)| (after - before) as f64 / elapsed);
        Ok(statements.map(|statements| Sample::new(CASE, "statements/s", statements)).into_iter().collect())
    })
    .await
}
