//! How soon a job starts on a node that has nothing else to do.

use rexecutor::clock::{Clock, SystemClock};

use crate::{
    child::{Child, PACE, Task},
    drain::node,
    error::Result,
    jobs::{Timed, Work},
    place::{Place, in_place},
    sample::Sample,
    settings::Settings,
    tally::Tally,
    target::Address,
};

/// The first jobs, which find nothing prepared, do not count.
const FIRST: usize = 10;

pub(super) async fn run(settings: &Settings, jobs: usize) -> Result<Vec<Sample>> {
    in_place(&settings.backend, "", async |place| {
        let mut samples = from_here(place, settings, jobs).await?;
        if !matches!(place.address, Address::Memory) {
            samples.extend(from_there(place, settings, jobs).await?);
        }
        Ok(samples)
    })
    .await
}

async fn from_here(place: &Place, settings: &Settings, jobs: usize) -> Result<Vec<Sample>> {
    let tally = Tally::default();
    let node = node(place, settings, &tally).with_executor::<Timed>().start().await?;
    for number in 0..jobs + FIRST {
        let data = Work::new(number, settings.payload());
        let _ = Timed::builder().with_data(data).enqueue_to_backend(&place.backend).await?;
        SystemClock.sleep(PACE).await;
    }
    tally.wait(jobs + FIRST).await?;
    node.graceful_shutdown().await;
    Ok(tally.delays("same process", FIRST))
}

/// Enqueued by another process. Both go by this machine's clock.
async fn from_there(place: &Place, settings: &Settings, jobs: usize) -> Result<Vec<Sample>> {
    let tally = Tally::default();
    let node = node(place, settings, &tally).with_executor::<Timed>().start().await?;
    let mut child = Child::start(Task::Enqueue, &place.address, settings, jobs + FIRST, None).await?;
    child.ask("go").await?;
    tally.wait(jobs + FIRST).await?;
    child.end().await?;
    node.graceful_shutdown().await;
    Ok(tally.delays("another process", FIRST))
}
