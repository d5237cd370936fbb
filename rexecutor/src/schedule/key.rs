//! What a schedule is known by in the backend.

use super::Schedule;
use crate::{
    model::{NewJob, ScheduleKey},
    validate,
};

/// The same in every process that runs the same schedule with the same job; another one when any of it changes, so that
/// a changed expression owes nothing to the old one.
pub(crate) fn key(schedule: &Schedule, job: &NewJob) -> ScheduleKey {
    let data = validate::digest(&job.data);
    ScheduleKey(format!("{} {} {} {data}", job.executor, schedule.expression(), schedule.timezone()))
}
