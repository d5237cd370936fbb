//! What a job's error decides, however it is returned.

use std::error::Error;

use rexecutor::{backend::JobRow, prelude::*};
use rexecutor_testing::TestClock;

use crate::support::World;

type BoxError = Box<dyn Error + Send + Sync>;

#[derive(Debug, thiserror::Error)]
#[error("the card was declined")]
struct Declined(#[source] std::io::Error);

impl Declined {
    fn new() -> Self {
        std::io::Error::other("no funds").into()
    }
}

impl From<std::io::Error> for Declined {
    fn from(error: std::io::Error) -> Self {
        Self(error)
    }
}

impl ExecutionError for Declined {
    fn error_type(&self) -> &str {
        "declined"
    }

    fn disposition(&self) -> Disposition {
        Disposition::Discard
    }
}

#[job]
async fn returns_it() -> Result<(), Declined> {
    Err(std::io::Error::other("no funds"))?
}

#[job]
async fn returns_it_instead_of_a_result() -> Result<ExecutionResult, Declined> {
    Err(Declined::new())
}

#[job]
async fn boxes_it() -> Result<(), Box<Declined>> {
    Err(Box::new(Declined::new()))
}

#[job]
async fn boxes_it_as_what_it_is() -> Result<(), Box<dyn ExecutionError>> {
    Err(Declined::new())?
}

#[job]
async fn makes_a_failure_of_it() -> Result<(), JobFailure> {
    Err(Declined::new())?
}

#[job]
async fn hides_the_failure() -> anyhow::Result<()> {
    use anyhow::Context;
    Err(JobFailure::from(Declined::new())).context("order 7")
}

/// As `Declined`, and looked for where its type is hidden.
#[derive(Debug, thiserror::Error)]
#[error("the card was declined")]
struct Known(#[source] std::io::Error);

impl Known {
    fn new() -> Self {
        Self(std::io::Error::other("no funds"))
    }
}

impl ExecutionError for Known {
    fn error_type(&self) -> &str {
        "declined"
    }

    fn disposition(&self) -> Disposition {
        Disposition::Discard
    }
}

rexecutor::execution_error!(Known);

#[derive(Debug, thiserror::Error)]
#[error("order 7")]
struct Wraps(#[from] Known);

#[job]
async fn hides_it_in_a_box() -> Result<(), BoxError> {
    Err(Known::new())?
}

#[job]
async fn hides_it_in_anyhow() -> anyhow::Result<()> {
    Err(Known::new())?
}

#[job]
async fn hides_it_in_eyre() -> eyre::Result<()> {
    Err(Known::new())?
}

#[job]
async fn wraps_it() -> Result<(), Wraps> {
    Err(Known::new())?
}

/// How a job ends that is run once.
async fn ends<E: Executor<Data = ()>>() -> JobRow {
    let world = World::new();
    let node = world.node().with_executor::<E>().start().await.unwrap();
    let id = E::builder().with_data(()).enqueue_to_backend(&world.backend).await.unwrap();
    world.clock.settle().await;
    node.graceful_shutdown().await;
    world.row(id).await
}

async fn check_declined<E: Executor<Data = ()>>(details: &str) {
    let row = ends::<E>().await;
    assert_eq!((row.status, row.attempt), (JobStatus::Discarded, 1), "{}", E::NAME);
    let error = &row.errors[0];
    assert_eq!((error.error_type.as_str(), error.details.as_str()), ("declined", details), "{}", E::NAME);
}

#[tokio::test]
async fn case_06_an_execution_error_decides_where_its_type_is_to_be_seen() {
    let details = "the card was declined: no funds";
    check_declined::<ReturnsIt>(details).await;
    check_declined::<ReturnsItInsteadOfAResult>(details).await;
    check_declined::<BoxesIt>(details).await;
    check_declined::<BoxesItAsWhatItIs>("the card was declined").await;
    check_declined::<MakesAFailureOfIt>(details).await;
    check_declined::<HidesTheFailure>(&format!("order 7: {details}")).await;
}

#[tokio::test]
async fn case_06_an_execution_error_that_was_made_known_decides_where_its_type_is_hidden() {
    let details = "the card was declined: no funds";
    check_declined::<HidesItInABox>(details).await;
    check_declined::<HidesItInAnyhow>(details).await;
    check_declined::<HidesItInEyre>(details).await;
    check_declined::<WrapsIt>(&format!("order 7: {details}")).await;
}

/// It can be shown, and is no `std::error::Error`.
struct OnlyShown;

impl std::fmt::Display for OnlyShown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("not today")
    }
}

impl ExecutionError for OnlyShown {
    fn error_type(&self) -> &str {
        "only_shown"
    }

    fn disposition(&self) -> Disposition {
        Disposition::Cancel
    }
}

#[job]
async fn returns_what_is_only_shown() -> Result<(), OnlyShown> {
    Err(OnlyShown)
}

/// It names itself, and leaves it to its cause what happens.
#[derive(Debug, thiserror::Error)]
#[error("could not charge")]
struct Undecided(#[from] JobFailure);

impl ExecutionError for Undecided {
    fn error_type(&self) -> &str {
        "undecided"
    }
}

#[job]
async fn leaves_it_to_its_cause() -> Result<(), Undecided> {
    Err(JobFailure::discard("no funds"))?
}

#[tokio::test]
async fn case_06_an_execution_error_need_be_no_error_and_may_leave_it_to_its_cause() {
    let row = ends::<ReturnsWhatIsOnlyShown>().await;
    assert_eq!((row.status, row.extras.cancel_reason.as_deref()), (JobStatus::Cancelled, Some("not today")));
    let row = ends::<LeavesItToItsCause>().await;
    assert_eq!(row.status, JobStatus::Discarded);
    let error = &row.errors[0];
    assert_eq!((error.error_type.as_str(), error.details.as_str()), ("undecided", "could not charge: no funds"));
}

#[job]
async fn returns_text() -> Result<(), String> {
    Err("busy".to_owned())
}

#[job]
async fn returns_words() -> Result<(), &'static str> {
    Err("busy")
}

#[job]
async fn returns_an_error() -> Result<(), std::io::Error> {
    Err(std::io::Error::other("busy"))
}

#[job]
async fn returns_a_box() -> Result<(), BoxError> {
    Err("busy")?
}

#[job]
async fn returns_anyhow() -> anyhow::Result<ExecutionResult> {
    anyhow::bail!("busy")
}

#[tokio::test]
async fn case_06_every_other_error_is_retried_under_its_types_name() {
    for (row, error_type) in [
        (ends::<ReturnsText>().await, "alloc::string::String"),
        (ends::<ReturnsWords>().await, "&str"),
        (ends::<ReturnsAnError>().await, "std::io::error::Error"),
        (
            ends::<ReturnsABox>().await,
            "alloc::boxed::Box<dyn core::error::Error + core::marker::Send + core::marker::Sync>",
        ),
        (ends::<ReturnsAnyhow>().await, "anyhow::Error"),
    ] {
        assert_eq!(row.status, JobStatus::Retryable, "{error_type}");
        let error = &row.errors[0];
        assert_eq!((error.error_type.as_str(), error.details.as_str()), (error_type, "busy"));
    }
}

#[job(max_attempts = 2)]
async fn asks_for_a_later_retry() -> Result<(), JobFailure> {
    Err(JobFailure::retry_after(TimeDelta::hours(1), "busy"))
}

/// A job cannot put off its end for ever.
#[tokio::test]
async fn case_23_a_retry_after_a_delay_uses_up_the_attempts_like_any_other() {
    let world = World::new();
    let node = world.node().with_executor::<AsksForALaterRetry>().start().await.unwrap();
    let id = AsksForALaterRetry::builder().enqueue_to_backend(&world.backend).await.unwrap();
    world.clock.settle().await;
    let row = world.row(id).await;
    assert_eq!((row.status, row.scheduled_at), (JobStatus::Retryable, TestClock::START + TimeDelta::hours(1)));
    world.seconds(3_601).await;
    world.clock.settle().await;
    let row = world.row(id).await;
    assert_eq!((row.status, row.attempt, row.errors.len()), (JobStatus::Discarded, 2, 2));
    node.graceful_shutdown().await;
}
