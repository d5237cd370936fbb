//! One job, performed.

use std::{sync::Arc, time::Duration};

use rexecutor::{backend::Outcome, job::ErrorType, prelude::*};
use rexecutor_testing::{Test, TestClock, perform};

#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Mail {
    to: String,
    /// Does not outlive an encoding.
    #[serde(skip)]
    draft: bool,
}

#[job(max_attempts = 3, timeout = "30s", backoff = constant("5s"))]
async fn deliver(
    mail: Job<Mail, u8>,
    State(sent): State<std::sync::mpsc::Sender<String>>,
    context: JobContext,
) -> Result<(), String> {
    match mail.data.to.as_str() {
        "panic" => panic!("the mail server is on fire"),
        "slow" => context.clock().sleep(Duration::from_secs(60)).await,
        "error" => return Err("no such address".to_owned()),
        _ => {}
    }
    let message = format!("{} {} {:?} {}", mail.data.to, mail.data.draft, mail.metadata, context.attempt());
    sent.send(message).map_err(|error| error.to_string())
}

#[job]
async fn snoozes() -> ExecutionResult {
    ExecutionResult::Snooze { delay: TimeDelta::minutes(7) }
}

#[job]
async fn cancels() -> ExecutionResult {
    ExecutionResult::Cancel { reason: Box::new("enough") }
}

fn mail(to: &str) -> Mail {
    Mail { to: to.to_owned(), draft: true }
}

#[rexecutor_testing::test]
async fn a_job_goes_through_the_whole_path_and_nothing_is_stored(test: Test) {
    let (sender, sent) = std::sync::mpsc::channel::<String>();
    test.with_state(sender);
    let performed = perform::<Deliver>(mail("Bob")).with_metadata(7).attempt(2).await;
    assert!(performed.is_complete(), "{performed:?}");
    assert_eq!(sent.try_recv().unwrap(), "Bob false Some(7) 2", "the data were encoded and decoded");
    rexecutor_testing::assert_enqueued!(0 jobs);
}

#[rexecutor_testing::test]
async fn it_fails_snoozes_and_cancels_as_with_a_node() {
    let (sender, _sent) = std::sync::mpsc::channel::<String>();
    let failed = perform::<Deliver>(mail("error")).with_state(sender).await;
    assert_eq!(failed.error().unwrap().details, "no such address");
    assert_eq!(failed.retry_delay(), Some(TimeDelta::seconds(5)));
    assert_eq!(perform::<Snoozes>(()).await.snooze_delay(), Some(TimeDelta::minutes(7)));
    assert_eq!(perform::<Cancels>(()).await.cancel_reason(), Some("enough"));
    let missing = perform::<Deliver>(mail("Bob")).await;
    assert!(missing.error().unwrap().details.contains("no state of type"), "{missing:?}");
}

#[rexecutor_testing::test]
async fn a_timeout_goes_by_the_tests_clock(test: Test) {
    let (sender, _sent) = std::sync::mpsc::channel::<String>();
    let run = tokio::spawn(perform::<Deliver>(mail("slow")).with_state(sender).into_future());
    test.advance(TimeDelta::seconds(34)).await;
    assert!(!run.is_finished(), "it has 5 seconds to stop");
    test.advance(TimeDelta::seconds(1)).await;
    assert_eq!(run.await.unwrap().error().unwrap().error_type, ErrorType::Timeout);
}

#[rexecutor_testing::test]
#[should_panic(expected = "panicked: the mail server is on fire")]
async fn a_panic_fails_the_test_with_its_own_message() {
    let (sender, _sent) = std::sync::mpsc::channel::<String>();
    perform::<Deliver>(mail("panic")).with_state(sender).await;
}

#[rexecutor_testing::test]
async fn a_panic_is_caught_on_demand() {
    let (sender, _sent) = std::sync::mpsc::channel::<String>();
    let caught = perform::<Deliver>(mail("panic")).with_state(sender).catching_panics().await;
    assert_eq!(caught.error().unwrap().error_type, ErrorType::Panic);
}

struct Large;

#[async_trait::async_trait]
impl Executor for Large {
    type Data = String;
    type Metadata = ();
    const NAME: &'static str = "large";
    const MAX_DATA_BYTES: usize = 10;

    async fn execute(_: Job<String, ()>) -> ExecutionResult {
        ExecutionResult::Done
    }
}

/// An executor of any kind, on any runtime.
#[tokio::test]
async fn it_needs_no_test_of_ours() {
    let performed = perform::<Large>("small".to_owned()).with_state(Arc::new(TestClock::new())).await;
    assert_eq!(*performed.outcome(), Outcome::complete(true));
}

#[tokio::test]
#[should_panic(expected = "could not have been enqueued")]
async fn what_could_not_be_enqueued_is_not_performed() {
    perform::<Large>("much too large".to_owned()).await;
}
