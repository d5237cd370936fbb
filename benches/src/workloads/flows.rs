//! What outputs, batches and workflows cost: `drain` of their jobs, by turns with a plain one; how soon many tasks are released; and how soon
//! each link of a chain follows the one before it.

use rexecutor::{
    Executor,
    backend::{Demand, NewJob, Node, Outcome, Settlement, Task, flows, flows::StoredFlow},
    job::JobId,
    prelude::*,
};

use crate::{
    drain::{drain, drain_by, fill, node, ratio},
    error::Result,
    jobs::{Noop, Work, encode},
    place::{Place, in_place},
    sample::Sample,
    settings::Settings,
    stopwatch::Stopwatch,
    tally::Tally,
};

/// It gives a hundred bytes.
#[job]
async fn gives(_work: Work, State(tally): State<Tally>) -> Result<String, String> {
    tally.count();
    Ok("x".repeat(98))
}

pub(super) async fn run(settings: &Settings, jobs: usize) -> Result<Vec<Sample>> {
    let plain = in_place(&settings.backend, "plain", async |place| {
        let ids = fill::<Noop>(place, settings, jobs, |job| job).await?;
        drain::<Noop>(place, settings, "plain", &ids).await
    });
    let plain = plain.await?;
    let mut samples = plain.clone();
    let mut add = |case: &str, measured: Vec<Sample>| {
        let to_plain = ratio(&format!("{case} to plain"), &measured, &plain);
        samples.extend(measured);
        samples.extend(to_plain);
    };

    const OUTPUTS: &str = "outputs of 100 bytes";
    let outputs = in_place(&settings.backend, OUTPUTS, async |place| {
        let ids = fill::<Gives>(place, settings, jobs, |job| job).await?;
        drain::<Gives>(place, settings, OUTPUTS, &ids).await
    });
    add(OUTPUTS, outputs.await?);
    add("a batch", of_a_flow(settings, "a batch", jobs, StoredFlow::batch("all"), |_| None).await?);
    let last = jobs.saturating_sub(1);
    let fan_in = move |place: usize| {
        let before = (place == last).then(|| (0..last).map(|place| place.to_string()));
        Some(Task::new(place.to_string()).with_after(before.into_iter().flatten(), true))
    };
    let workflow = || StoredFlow::workflow("all");
    add("a fan-in", of_a_flow(settings, "a fan-in", jobs, workflow(), fan_in).await?);
    add("diamonds", of_a_flow(settings, "diamonds", jobs / 4 * 4, workflow(), diamond).await?);
    samples.extend(release(settings, jobs).await?);
    samples.extend(chain(settings, settings.jobs(1_000, 50)).await?);
    Ok(samples)
}

/// The first, two behind it, and one behind these.
fn diamond(place: usize) -> Option<Task> {
    let first = place / 4 * 4;
    let before = match place % 4 {
        0 => Vec::new(),
        3 => vec![first + 1, first + 2],
        _ => vec![first],
    };
    Some(Task::new(place.to_string()).with_after(before.iter().map(ToString::to_string), true))
}

async fn create(
    place: &Place,
    settings: &Settings,
    jobs: usize,
    flow: StoredFlow,
    task: impl Fn(usize) -> Option<Task>,
) -> Result<Vec<JobId>> {
    let jobs = (0..jobs).map(|number| Ok(encode::<Noop>(number, settings.payload())?.with_task(task(number))));
    let jobs = jobs.collect::<Result<Vec<NewJob>>>()?;
    let created = flows(&*place.backend)?.create(flow, jobs).await?;
    Ok(created.jobs.into_iter().map(|job| job.id()).collect())
}

async fn of_a_flow(
    settings: &Settings,
    case: &str,
    jobs: usize,
    flow: StoredFlow,
    task: impl Fn(usize) -> Option<Task>,
) -> Result<Vec<Sample>> {
    in_place(&settings.backend, case, async |place| {
        let ids = create(place, settings, jobs, flow, task).await?;
        let tally = Tally::default();
        drain_by(place, case, &ids, &tally, node(place, settings, &tally).with_executor::<Noop>()).await
    })
    .await
}

/// From the call that settles the first of many tasks until all of those behind it may be claimed.
async fn release(settings: &Settings, jobs: usize) -> Result<Vec<Sample>> {
    let case = format!("1 to {jobs}");
    in_place(&settings.backend, &case, async |place| {
        let behind = |place: usize| {
            let before = (place > 0).then(|| "0".to_owned());
            Some(Task::new(place.to_string()).with_after(before, false))
        };
        let ids = create(place, settings, jobs + 1, StoredFlow::workflow("all"), behind).await?;
        let member = place.backend.join(&Node::new("one", std::time::Duration::from_secs(60))).await?;
        let claimed = place.backend.claim(member, [Demand::new(Noop::NAME, 1)].into()).await?;
        let [run] = &claimed.jobs[..] else { return Err("the first task cannot be claimed".into()) };
        let watch = Stopwatch::start();
        let end = Settlement::new(run.id, run.lease, Outcome::complete(true)).with_flow_of(run);
        let _ = place.backend.settle([end].into()).await?;
        let elapsed = watch.elapsed();
        let claimed = place.backend.claim(member, [Demand::new(Noop::NAME, ids.len())].into()).await?;
        match claimed.jobs.len() {
            0 => Err("none was released".into()),
            _ => Ok(vec![Sample::new(&case, "ms", elapsed.as_secs_f64() * 1e3)]),
        }
    })
    .await
}

/// A chain, and as many jobs one after the other, each enqueued once the one before it has run.
async fn chain(settings: &Settings, links: usize) -> Result<Vec<Sample>> {
    let single = in_place(&settings.backend, "one by one", async |place| {
        let tally = Tally::default();
        let node = node(place, settings, &tally).with_executor::<Noop>().start().await?;
        let watch = Stopwatch::start();
        for number in 0..links {
            let work = Work::new(number, settings.payload());
            let _ = Noop::builder().with_data(work).enqueue_to_backend(&place.backend).await?;
            tally.wait(number + 1).await?;
        }
        let elapsed = watch.elapsed();
        node.graceful_shutdown().await;
        Ok(vec![Sample::new("one by one", "ms/job", elapsed.as_secs_f64() * 1e3 / links as f64)])
    });
    let single = single.await?;
    let case = format!("a chain of {links}");
    let link = in_place(&settings.backend, &case, async |place| {
        let behind = |place: usize| {
            Some(Task::new(place.to_string()).with_after(place.checked_sub(1).map(|before| before.to_string()), false))
        };
        create(place, settings, links, StoredFlow::workflow("all"), behind).await?;
        let tally = Tally::default();
        let watch = Stopwatch::start();
        let node = node(place, settings, &tally).with_executor::<Noop>().start().await?;
        tally.wait(links).await?;
        let elapsed = watch.elapsed();
        node.graceful_shutdown().await;
        Ok(vec![Sample::new(&case, "ms/job", elapsed.as_secs_f64() * 1e3 / links as f64)])
    });
    let link = link.await?;
    let of = |samples: &[Sample]| samples.first().map_or(f64::NAN, |sample| sample.value);
    let ratio = Sample::new(format!("{case} to one by one"), "ratio", of(&link) / of(&single));
    Ok(single.into_iter().chain(link).chain([ratio]).collect())
}
