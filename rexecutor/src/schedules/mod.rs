//! Schedule entries: what enqueues which job, when, and how far it has got. They are seen, paused, triggered, and, while programs
//! run, added, changed and removed.
//!
//! Every schedule of a program is an entry in the backend, under a name, and so is every one that is [put] there at run
//! time, for a tenant or by a user, say. All nodes see a change within a second, where the backend
//! [hears](crate::backend::Claim::watch) of it, and else within their poll interval.
//!
//! # Examples
//!
//! ```
//! use rexecutor::{backend::memory::InMemoryBackend, prelude::*, schedule::Schedule, schedules};
//!
//! #[job]
//! async fn report(tenant: u32) {
//!     let _ = tenant;
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # rexecutor::set_global_backend(InMemoryBackend::new())?;
//! let mornings = Schedule::parse("0 30 9 * * MON-FRI", "Europe/Berlin")?;
//! schedules::put::<Report>("tenant-42-report", mornings, 42).await?;
//!
//! schedules::pause("tenant-42-report", Pause::new("they have not paid").by("ann")).await?;
//! for entry in schedules::list().await? {
//!     let paused = entry.paused.map_or("".to_owned(), |(_, pause)| format!(", paused: {}", pause.reason));
//!     println!("{} enqueues `{}` {}{paused}", entry.name, entry.executor, entry.description.unwrap_or_default());
//! }
//! assert!(schedules::resume("tenant-42-report").await?, "it was paused");
//! # Ok(())
//! # }
//! ```
//!
//! ```text
//! tenant-42-report enqueues `report` at 09:30 on weekdays, Berlin time, paused: they have not paid
//! ```

mod error;
mod new;

use crate::{
    backend::{self, Backend},
    executing::Executor,
    global,
    limits::MAX_DATA_BYTES,
    model::{JobId, Pause},
    schedule::{EntryAnswer, EntryChange, EntryStep, NewEntry, Schedule, ScheduleEntry},
    validate,
};

pub use self::{
    error::SchedulesError,
    new::{NewSchedule, entry},
};

type Result<T> = std::result::Result<T, SchedulesError>;

/// Adds an entry, or changes all of the one of this name: a job with `data` is enqueued at each tick of `schedule`.
///
/// [`entry`] says more of it, as what becomes of missed ticks.
///
/// # Errors
///
/// When no global backend is set, or it fails or keeps no entries. When the name is empty, longer than 255 bytes, contains U+0000,
/// or is that of an entry from code. When the data cannot be stored.
///
/// # Cancel safety
///
/// When the future is dropped, the entry may or may not be stored.
pub async fn put<E: Executor>(name: impl Into<String>, schedule: Schedule, data: E::Data) -> Result<()> {
    entry::<E>(name, schedule, data).put().await
}

/// [`put`] of an entry whose job was put together by hand, on a backend of your choice: for programs that do not have its executor.
///
/// # Errors
///
/// As [`put`], but for the global backend.
///
/// # Cancel safety
///
/// When the future is dropped, the entry may or may not be stored.
pub async fn put_entry_on_backend<B: Backend + ?Sized>(
    name: impl Into<String>,
    entry: NewEntry,
    by: impl Into<String>,
    backend: &B,
) -> Result<()> {
    let name = name.into();
    validate::entry_name(&name).map_err(SchedulesError::Name)?;
    let checked = entry.definition.job.job().check(MAX_DATA_BYTES);
    checked.map_err(|invalid| SchedulesError::Job(invalid.into()))?;
    put_step(EntryStep::put(name, validate::text(&by.into()), entry), backend).await
}

async fn put_step<B: Backend + ?Sized>(put: EntryStep, backend: &B) -> Result<()> {
    match backend::entries(backend)?.step(vec![put]).await?.pop() {
        Some(EntryAnswer::Refused(problem)) => Err(SchedulesError::Refused(problem)),
        _ => Ok(()),
    }
}

/// All entries, by name.
///
/// # Errors
///
/// When no global backend is set, or it fails or keeps no entries.
pub async fn list() -> Result<Vec<ScheduleEntry>> {
    list_on_backend(&*global::backend()?).await
}

/// [`list`] on a backend of your choice.
///
/// # Errors
///
/// When the backend fails or keeps no entries.
pub async fn list_on_backend<B: Backend + ?Sized>(backend: &B) -> Result<Vec<ScheduleEntry>> {
    Ok(backend::entries(backend)?.list(None).await?)
}

/// The entry of this name, if there is one.
///
/// # Errors
///
/// When no global backend is set, or it fails or keeps no entries.
pub async fn get(name: &str) -> Result<Option<ScheduleEntry>> {
    get_on_backend(name, &*global::backend()?).await
}

/// [`get`] on a backend of your choice.
///
/// # Errors
///
/// When the backend fails or keeps no entries.
pub async fn get_on_backend<B: Backend + ?Sized>(name: &str, backend: &B) -> Result<Option<ScheduleEntry>> {
    Ok(backend::entries(backend)?.list(Some(name)).await?.pop())
}

/// Keeps an entry from ticking, on all nodes, until it is [resumed](resume) or the pause is over. Once this has returned, no
/// tick enqueues a job. Ticks of that time are not made up for, and neither are those that waited for the end of a job.
///
/// A text is a reason without an end. A [`Pause`] also says by whom, and until when it lasts; with [`Pause::cancel_running`] the entry's
/// last ten jobs are cancelled that are not finished. A second pause takes the place of the first. An entry from code stays paused when its program starts again, or changes it.
///
/// # Errors
///
/// When no global backend is set, or it fails or keeps no entries. When there is no such entry.
///
/// # Cancel safety
///
/// When the future is dropped, the entry may or may not be paused.
pub async fn pause(name: &str, pause: impl Into<Pause>) -> Result<()> {
    pause_on_backend(name, pause, &*global::backend()?).await
}

/// [`pause`] on a backend of your choice.
///
/// # Errors
///
/// When the backend fails or keeps no entries. When there is no such entry.
///
/// # Cancel safety
///
/// When the future is dropped, the entry may or may not be paused.
pub async fn pause_on_backend<B: Backend + ?Sized>(name: &str, pause: impl Into<Pause>, backend: &B) -> Result<()> {
    step(EntryStep::pause(name, validate::pause(pause.into())), backend).await.map(drop)
}

/// Lets an entry tick again; returns whether it was paused.
///
/// # Errors
///
/// When no global backend is set, or it fails or keeps no entries. When there is no such entry.
///
/// # Cancel safety
///
/// When the future is dropped, the pause may or may not be over.
pub async fn resume(name: &str) -> Result<bool> {
    resume_on_backend(name, &*global::backend()?).await
}

/// [`resume`] on a backend of your choice.
///
/// # Errors
///
/// When the backend fails or keeps no entries. When there is no such entry.
///
/// # Cancel safety
///
/// When the future is dropped, the pause may or may not be over.
pub async fn resume_on_backend<B: Backend + ?Sized>(name: &str, backend: &B) -> Result<bool> {
    Ok(step(EntryStep::resume(name), backend).await? == EntryAnswer::Resumed(true))
}

/// Enqueues an entry's job now, beside its ticks, also while it is paused or orphaned; `by` says who wants it. The job is for
/// no tick.
///
/// Returns the job. Where an earlier job of the entry is not finished, its [`Overlap`](crate::schedule::Overlap) decides:
/// `None` says that nothing was enqueued, or not yet.
///
/// # Errors
///
/// When no global backend is set, or it fails or keeps no entries. When there is no such entry.
///
/// # Cancel safety
///
/// When the future is dropped, the job may or may not be enqueued.
pub async fn trigger(name: &str, by: impl Into<String>) -> Result<Option<JobId>> {
    trigger_on_backend(name, by, &*global::backend()?).await
}

/// [`trigger`] on a backend of your choice.
///
/// # Errors
///
/// When the backend fails or keeps no entries. When there is no such entry.
///
/// # Cancel safety
///
/// When the future is dropped, the job may or may not be enqueued.
pub async fn trigger_on_backend<B: Backend + ?Sized>(
    name: &str,
    by: impl Into<String>,
    backend: &B,
) -> Result<Option<JobId>> {
    match step(EntryStep::trigger(name, validate::text(&by.into())), backend).await? {
        EntryAnswer::Triggered(job) => Ok(job),
        _ => Ok(None),
    }
}

/// Changes a part of an entry that was added at run time. Of what a new schedule says nothing is owed from before.
///
/// # Errors
///
/// When no global backend is set, or it fails or keeps no entries. When there is no such entry, or it comes from code.
///
/// # Cancel safety
///
/// When the future is dropped, the entry may or may not be changed.
pub async fn change(name: &str, change: EntryChange) -> Result<()> {
    change_on_backend(name, change, &*global::backend()?).await
}

/// [`change`] on a backend of your choice.
///
/// # Errors
///
/// When the backend fails or keeps no entries. When there is no such entry, or it comes from code.
///
/// # Cancel safety
///
/// When the future is dropped, the entry may or may not be changed.
pub async fn change_on_backend<B: Backend + ?Sized>(name: &str, change: EntryChange, backend: &B) -> Result<()> {
    step(EntryStep::change(name, change), backend).await.map(drop)
}

/// Removes an entry that was added at run time, or that no living node has in its code any more. Jobs that it has enqueued stay.
///
/// # Errors
///
/// When no global backend is set, or it fails or keeps no entries. When there is no such entry, or a living node has it in its
/// code.
///
/// # Cancel safety
///
/// When the future is dropped, the entry may or may not be removed.
pub async fn remove(name: &str) -> Result<()> {
    remove_on_backend(name, &*global::backend()?).await
}

/// [`remove`] on a backend of your choice.
///
/// # Errors
///
/// When the backend fails or keeps no entries. When there is no such entry, or a living node has it in its code.
///
/// # Cancel safety
///
/// When the future is dropped, the entry may or may not be removed.
pub async fn remove_on_backend<B: Backend + ?Sized>(name: &str, backend: &B) -> Result<()> {
    step(EntryStep::remove(name), backend).await.map(drop)
}

async fn step<B: Backend + ?Sized>(step: EntryStep, backend: &B) -> Result<EntryAnswer> {
    let name = step.name().to_owned();
    // No entry has such a name, and not every backend can look for it.
    if validate::entry_name(&name).is_err() {
        return Err(SchedulesError::NotFound(name));
    }
    match backend::entries(backend)?.step(vec![step]).await?.into_iter().next() {
        None | Some(EntryAnswer::Missing) => Err(SchedulesError::NotFound(name)),
        Some(EntryAnswer::Refused(problem)) => Err(SchedulesError::Refused(problem)),
        Some(answer) => Ok(answer),
    }
}
