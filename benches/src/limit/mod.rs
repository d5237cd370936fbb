//! What the database can do: the same work with bare prepared statements, and no framework. The bar to hold the others
//! against, in the same run on the same machine.

mod postgres;
mod sqlite;

use crate::{
    error::Result, jobs::Noop, jobs::encode, place::in_place, sample::Sample, settings::Settings, target::Address,
};

/// How many jobs a claim takes, and how many are completed at once.
const BATCH: i64 = 500;

/// How many jobs an insert of many has.
const CALL: usize = 1_000;

pub(crate) async fn run(settings: &Settings, jobs: usize) -> Result<Vec<Sample>> {
    in_place(&settings.backend, "", async |place| match &place.address {
        Address::Memory => Err("it has no statements".into()),
        Address::File(path) => sqlite::run(place, settings, jobs, &path.with_file_name("limit.db")).await,
        Address::Schema { url, schema } => postgres::run(place, settings, jobs, url, schema).await,
    })
    .await
}

/// The data of a job, as rexecutor would store them.
fn data(number: usize, settings: &Settings) -> Result<String> {
    Ok(encode::<Noop>(number, settings.payload())?.data)
}

/// The ranges in which so many jobs are inserted.
fn calls(jobs: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
    (0..jobs).step_by(CALL).map(move |first| first..jobs.min(first + CALL))
}

/// Makes sure that everything was done.
fn all(what: &str, done: usize, jobs: usize) -> Result<()> {
    match done == jobs {
        true => Ok(()),
        false => Err(format!("{done} of {jobs} jobs were {what}").into()),
    }
}
