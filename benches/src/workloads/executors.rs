//! Many kinds of jobs on one node.

use rexecutor::{enqueue_all_to_backend, node::NodeBuilder, prelude::*};

use crate::{
    drain::{drain, drain_by, fill, node, ratio},
    error::Result,
    jobs::{Noop, Work, encode},
    place::in_place,
    sample::Sample,
    settings::Settings,
    tally::Tally,
};

/// One of 100 executors.
struct One<const N: u8>;

impl<const N: u8> One<N> {
    const BYTES: [u8; 6] = [b'o', b'n', b'e', b'_', b'0' + N / 10, b'0' + N % 10];
}

#[async_trait::async_trait]
impl<const N: u8> Executor for One<N> {
    type Data = Work;
    type Metadata = ();
    const NAME: &'static str = match str::from_utf8(&Self::BYTES) {
        Ok(name) => name,
        Err(_) => "not a name",
    };

    async fn execute(job: Job<Work, ()>) -> ExecutionResult {
        // The node was given one.
        if let Some(tally) = job.context().state::<Tally>() {
            tally.count();
        }
        ExecutionResult::Done
    }
}

type Encode = fn(usize, usize) -> Result<rexecutor::backend::NewJob>;

macro_rules! executors {
    ($($n:literal)*) => {
        fn with_all(node: NodeBuilder) -> NodeBuilder {
            node$(.with_executor::<One<$n>>())*
        }

        const ENCODE: &[Encode] = &[$(encode::<One<$n>>),*];
    };
}

executors! {
    0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40 41 42
    43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63 64 65 66 67 68 69 70 71 72 73 74 75 76 77 78 79 80 81 82
    83 84 85 86 87 88 89 90 91 92 93 94 95 96 97 98 99
}

pub(super) async fn run(settings: &Settings, jobs: usize) -> Result<Vec<Sample>> {
    let mut alone = in_place(&settings.backend, "1 executor", async |place| {
        let ids = fill::<Noop>(place, settings, jobs, |job| job).await?;
        drain::<Noop>(place, settings, "1 executor", &ids).await
    })
    .await?;
    let many = in_place(&settings.backend, "100 executors", async |place| {
        let mut ids = Vec::with_capacity(jobs);
        for first in (0..jobs).step_by(10_000) {
            let numbers = first..jobs.min(first + 10_000);
            let new = numbers.map(|number| ENCODE[number % ENCODE.len()](number, settings.payload()));
            let stored = enqueue_all_to_backend(new.collect::<Result<Vec<_>>>()?, &place.backend).await?;
            ids.extend(stored.into_iter().map(JobId::from));
        }
        let tally = Tally::default();
        drain_by(place, "100 executors", &ids, &tally, with_all(node(place, settings, &tally))).await
    })
    .await?;
    let ratio = ratio("100 executors to 1", &many, &alone);
    alone.extend(many);
    alone.extend(ratio);
    Ok(alone)
}
