//! The jobs that are enqueued and run.

use rexecutor::{backend::NewJob, prelude::*};
use serde::{Deserialize, Serialize};

use crate::{
    error::Result,
    tally::{Tally, micros_now},
};

/// What a job is given.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Work {
    pub(crate) number: usize,
    /// When it was enqueued, in microseconds.
    pub(crate) at: i64,
    /// So that it has the bytes that were asked for.
    filler: String,
}

impl Work {
    /// Of `payload` bytes as JSON, or of the fewest that it can have.
    pub(crate) fn new(number: usize, payload: usize) -> Self {
        const BARE: usize = r#"{"number":,"at":1700000000000000,"filler":""}"#.len();
        let digits = number.checked_ilog10().unwrap_or(0) as usize + 1;
        Self { number, at: micros_now(), filler: "x".repeat(payload.saturating_sub(BARE + digits)) }
    }
}

/// It does nothing.
#[job]
pub(crate) async fn noop(_work: Work, State(tally): State<Tally>) {
    tally.count();
}

/// It does nothing, and leaves nothing.
#[job(retain = "none")]
pub(crate) async fn unkept(_work: Work, State(tally): State<Tally>) {
    tally.count();
}

/// It notes how late it is.
#[job]
pub(crate) async fn timed(work: Work, State(tally): State<Tally>) {
    tally.count_since(work.at);
}

/// Every other one fails once, and is due again at once.
#[job(backoff = constant("1ms"))]
pub(crate) async fn flaky(work: Work, State(tally): State<Tally>, context: JobContext) -> Result<(), String> {
    if work.number.is_multiple_of(2) && context.attempt() == 1 {
        return Err("the first attempt fails".to_owned());
    }
    tally.count();
    Ok(())
}

/// There is one of each number.
#[job(unique(key = |work| work.number))]
pub(crate) async fn single(_work: Work, State(tally): State<Tally>) {
    tally.count();
}

/// Jobs of the past.
#[job]
pub(crate) async fn history(_work: Work, State(tally): State<Tally>) {
    tally.count();
}

/// Encodes a job, as a user would before `enqueue_all`.
pub(crate) fn encode<E: Executor<Data = Work>>(number: usize, payload: usize) -> Result<NewJob> {
    Ok(E::builder().with_data(Work::new(number, payload)).encode()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_has_the_bytes_that_were_asked_for() {
        for (number, payload) in [(0, 100), (9, 64), (10, 100), (123_456, 1_000)] {
            assert_eq!(encode::<Noop>(number, payload).unwrap().data.len(), payload);
        }
        assert_eq!(encode::<Noop>(0, 1).unwrap().data.len(), 46);
    }
}
