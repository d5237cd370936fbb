//! What a schedule is known by in the backend.

use super::Schedule;
use crate::{
    json,
    model::{NewJob, ScheduleKey},
    validate,
};

/// The same in every process that runs the same schedule with the same job; another one when any of it changes, so that
/// a changed expression owes nothing to the old one.
///
/// Data are the same whatever the order in which maps and lists are written: that of a `HashMap` or a `HashSet` is another one
/// in each process, and each would have a schedule of its own.
pub(crate) fn key(schedule: &Schedule, job: &NewJob) -> ScheduleKey {
    let data = validate::digest(json::unordered(&job.data).as_deref().unwrap_or(&job.data));
    ScheduleKey(format!("{} {} {} {data}", job.executor, schedule.expression(), schedule.timezone()))
}

/// What the entry of a schedule from code is known by that was given no name: the job's executor, and what stands for its data, if
/// it has any. The expression is no part of it, so that a program that changes it changes the entry.
pub(crate) fn name(job: &NewJob) -> String {
    match json::unordered(&job.data) {
        Some(data) if data == "null" => job.executor.to_string(),
        data => {
            let digest = validate::digest(data.as_deref().unwrap_or(&job.data));
            format!("{}/{}", job.executor, digest.get(..8).unwrap_or_default())
        }
    }
}
