//! Jobs that this version of the program cannot read.
//!
//! While a new version is rolled out, jobs of the new one come to nodes of the old one, and the other way round. None of
//! them is at fault. So a job that does not decode waits, and no attempt is counted, until a node that can read it claims it:
//! for as long as it has waited already, so that a thousand of them cost little, and for [`MAX_DEFERRAL`] at most. Then nobody
//! can read it, and it is discarded; its row stays, for whoever deploys a version that can.

use chrono::TimeDelta;

use crate::{
    causes::chain,
    context::JobContext,
    limits::MAX_DEFERRAL,
    model::{ErrorType, Failure, Marks, Outcome},
    typed::DecodeError,
    validate,
};

/// How long the first deferral lasts.
const SHORTEST: TimeDelta = TimeDelta::seconds(1);

/// How long each of them lasts at most: what a job loses by it once there is a node that can read it.
const LONGEST: TimeDelta = TimeDelta::minutes(15);

/// What becomes of a run whose job does not decode.
pub(super) fn outcome(context: &JobContext, error: &DecodeError) -> Outcome {
    let waited = waited(context);
    let failure = Failure::new(ErrorType::Decode, validate::text(&chain(error)));
    if waited >= MAX_DEFERRAL {
        return Outcome::discard(failure);
    }
    Outcome::defer(waited.clamp(SHORTEST, LONGEST), failure)
}

/// How long the job has waited for a version that can read it, by the backend's clock.
fn waited(context: &JobContext) -> TimeDelta {
    let row = context.row();
    let since = row.errors.last().filter(|_| row.marks.contains(Marks::UNDECODED)).map(|error| error.recorded_at);
    let waited = since.zip(row.attempted_at).map(|(since, now)| now - since);
    waited.unwrap_or_default().max(TimeDelta::zero())
}
