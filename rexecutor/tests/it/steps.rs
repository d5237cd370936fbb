//! Durable steps and signals, as a job sees them.

use std::sync::{
    Mutex,
    atomic::{AtomicU32, Ordering},
};

use rexecutor::{
    backend::Outcome,
    clock::Clock,
    executor::JobFailure,
    prelude::*,
    steps::{Signalled, StepError, Waited},
};
use rexecutor_testing::{Test, TestClock, perform};

/// What jobs have done, in order.
#[derive(Default)]
struct Log(Mutex<Vec<String>>);

impl Log {
    const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    fn add(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

static ORDER: Log = Log::new();
static ORDER_FAILS: AtomicU32 = AtomicU32::new(2);

#[job(max_attempts = 3)]
async fn stepped_order(item: String, steps: Steps) -> Result<(), StepError> {
    ORDER.add("begin");
    let receipt: String = steps
        .run("charge", || async {
            ORDER.add("charge");
            Ok::<_, String>(format!("receipt of {item}"))
        })
        .await?;
    steps.sleep("cool_off", "3d").await?;
    ORDER.add("awake");
    let approved = steps.wait_for::<bool>("approval", "7d").await?;
    assert_eq!(approved, Waited::Signal(true));
    steps
        .run("ship", || async {
            match ORDER_FAILS.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)) {
                Ok(_) => Err("no parcel".to_owned()),
                Err(_) => {
                    ORDER.add(format!("ship with {receipt}"));
                    Ok(())
                }
            }
        })
        .await
}

/// Three attempts fail or succeed, however often the job sleeps and waits; each effect comes once.
#[rexecutor_testing::test]
async fn case_15_7_an_order_sleeps_waits_and_is_retried_behind_what_is_done(test: Test) {
    let id = SteppedOrder::enqueue("a lamp".to_owned()).await.unwrap().id();
    let ran = test.drain().only::<SteppedOrder>().until(TestClock::START + TimeDelta::days(3)).await;
    assert_eq!(ran.runs().len(), 2);
    assert_eq!(ORDER.all(), ["begin", "charge", "begin", "awake"]);
    let signalled = SteppedOrder::signal(id, "approval", &true).await.unwrap();
    assert_eq!(signalled, Signalled::Stored);
    let ran = test.drain().only::<SteppedOrder>().until(TestClock::START + TimeDelta::days(4)).await;
    let attempts: Vec<u16> = ran.runs().iter().map(|run| run.attempt).collect();
    assert_eq!(attempts, [1, 2, 3], "what slept and waited did not count");
    assert!(ran.runs()[2].performed.is_complete());
    assert_eq!(ran.runs()[0].performed.error().unwrap().details, "step `ship` failed: no parcel");
    assert_eq!(ORDER.all().iter().filter(|what| *what == "charge").count(), 1);
    assert_eq!(ORDER.all().last().unwrap(), "ship with receipt of a lamp");
    let steps = SteppedOrder::steps(id).await.unwrap();
    let shown: Vec<_> = steps.iter().map(|step| (step.kind, &*step.name, step.output.as_deref())).collect();
    assert_eq!(
        shown,
        [
            ("run", "charge", Some("\"receipt of a lamp\"")),
            ("sleep", "cool_off", None),
            ("wait", "approval", Some("true")),
            ("run", "ship", Some("null")),
        ]
    );
}

static TIMED: Log = Log::new();

#[job]
async fn timed_wait(steps: Steps) -> Result<(), StepError> {
    let waited = steps.wait_for::<u32>("approval", TimeDelta::days(7)).await?;
    TIMED.add(format!("{waited:?}"));
    Ok(())
}

#[rexecutor_testing::test]
async fn case_15_8_a_time_limit_gives_an_outcome(test: Test) {
    let late = TimedWait::enqueue(()).await.unwrap().id();
    let early = TimedWait::enqueue(()).await.unwrap().id();
    assert_eq!(TimedWait::signal(early, "approval", &7).await.unwrap(), Signalled::Stored);
    test.drain().only::<TimedWait>().await;
    assert_eq!(TIMED.all(), ["Signal(7)"]);
    let ran = test.drain().only::<TimedWait>().until(TestClock::START + TimeDelta::days(7)).await;
    ran.assert_all_complete();
    assert_eq!(TIMED.all(), ["Signal(7)", "TimedOut"]);
    assert!(TimedWait::signal(late, "approval", &7).await.is_err(), "it is complete");
}

static BLOCKED: Log = Log::new();

#[job(blocking)]
async fn blocking_steps(steps: Steps) -> Result<(), StepError> {
    let value: String = steps.wait("word").await?;
    BLOCKED.add(value);
    Ok(())
}

/// Its thread ends with its run; without a time limit it is blocked.
#[rexecutor_testing::test]
async fn case_15_7_a_blocking_job_waits_without_its_thread(test: Test) {
    let id = BlockingSteps::enqueue(()).await.unwrap().id();
    let ran = test.drain().only::<BlockingSteps>().await;
    assert_eq!(*ran.runs()[0].performed.outcome(), Outcome::suspend(None, true));
    assert_eq!(test.drain().only::<BlockingSteps>().until(TestClock::START + TimeDelta::days(900)).await.runs(), []);
    assert_eq!(BlockingSteps::signal(id, "word", "go").await.unwrap(), Signalled::Stored);
    test.drain().only::<BlockingSteps>().await.assert_all_complete();
    assert_eq!(BLOCKED.all(), ["go"]);
}

/// How often the code was "deployed".
static DEPLOY: AtomicU32 = AtomicU32::new(0);

#[job(max_attempts = 9, backoff = constant("1s"))]
async fn redeployed(steps: Steps) -> Result<(), StepError> {
    let step = |name: &str| steps.run(name, || async { Ok::<_, String>(()) });
    match DEPLOY.load(Ordering::Relaxed) {
        0 => {
            step("a").await?;
            step("b").await?;
        }
        1 => step("b").await?,
        2 => step("new").await?,
        3 => {
            step("a").await?;
            step("a").await?;
        }
        _ => {
            step("a").await?;
            assert_eq!(steps.version("weigh", 2).await?, 1, "it has come past this before there was a version");
            step("b").await?;
        }
    }
    assert_eq!(steps.version("pack", 3).await?, 3);
    steps.sleep("nap", "1s").await
}

/// Each names the step, and the old order goes on.
#[rexecutor_testing::test]
async fn case_15_7_steps_that_changed_between_deploys_are_named(test: Test) {
    let id = Redeployed::enqueue(()).await.unwrap().id();
    let expected = [
        None,
        Some("step `b` stands where an earlier attempt of this job had `a`"),
        Some("step `new` stands where an earlier attempt of this job had `a`"),
        Some("the job has two steps `a`"),
        None,
    ];
    for (deploy, expected) in expected.into_iter().enumerate() {
        DEPLOY.store(u32::try_from(deploy).unwrap(), Ordering::Relaxed);
        let until = test.clock().now() + TimeDelta::milliseconds(1_001);
        let ran = test.drain().only::<Redeployed>().limit(1).until(until).await;
        let error = ran.runs()[0].performed.error().map(|error| error.details.clone());
        assert_eq!(expected.is_some(), error.is_some(), "{deploy}: {error:?}");
        assert!(error.unwrap_or_default().starts_with(expected.unwrap_or_default()));
    }
    let rows = Redeployed::query_jobs(Where::id_equals(id)).await.unwrap();
    assert_eq!(rows[0].status, JobStatus::Complete);
}

static BESIDE: Log = Log::new();
static BESIDE_FAILS: AtomicU32 = AtomicU32::new(1);

#[job(backoff = constant("1s"))]
async fn beside(steps: Steps, context: JobContext) -> Result<(), StepError> {
    let long = |name: &'static str, clock: JobContext| {
        steps.run(name, move || async move {
            clock.clock().sleep(std::time::Duration::from_secs(5)).await;
            BESIDE.add(name);
            Ok::<_, String>(name.to_owned())
        })
    };
    let failing = steps.run("failing", || async {
        match BESIDE_FAILS.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)) {
            Ok(_) => Err("not yet".to_owned()),
            Err(_) => Ok(7_u32),
        }
    });
    let all = (long("one", context.clone()), failing, steps.wait_for::<u32>("signal", "1h"), long("two", context));
    let (one, seven, waited, two) = steps.parallel(all).await?;
    BESIDE.add(format!("{one} {seven} {waited:?} {two}"));
    Ok(())
}

/// What works is not dropped, neither because another step has failed nor because one waits.
#[rexecutor_testing::test]
async fn case_15_7_steps_beside_each_other_end_before_the_run_does(test: Test) {
    Beside::enqueue(()).await.unwrap();
    let ran = test.drain().only::<Beside>().await;
    assert_eq!(ran.runs()[0].performed.error().unwrap().details, "step `failing` failed: not yet");
    assert_eq!(BESIDE.all(), ["one", "two"]);
    let ran = test.drain().only::<Beside>().until(test.clock().now() + TimeDelta::hours(2)).await;
    assert_eq!(ran.runs().len(), 2, "one that ends at the wait, and one behind it");
    assert_eq!(BESIDE.all(), ["one", "two", "one 7 TimedOut two"]);
}

#[job(max_attempts = 5)]
async fn declined(steps: Steps) -> Result<(), JobFailure> {
    steps.run("charge", || async { Err::<(), _>(JobFailure::discard("the card has expired")) }).await?;
    Ok(())
}

/// The error of a step decides about its job as if the job had returned it.
#[rexecutor_testing::test]
async fn case_15_7_what_the_error_of_a_step_decides_holds_for_the_job(test: Test) {
    Declined::enqueue(()).await.unwrap();
    let ran = test.drain().only::<Declined>().await;
    assert!(matches!(ran.runs()[0].performed.outcome(), Outcome::Discard { .. }), "{ran:?}");
}

static SWALLOWED: Log = Log::new();

#[job]
async fn swallows(steps: Steps) {
    // An error of a step can be ignored; that it sleeps cannot.
    let _ = steps.sleep("nap", "1h").await;
    SWALLOWED.add("awake");
    let _ = steps.sleep("long", "soon").await;
}

#[rexecutor_testing::test]
async fn case_15_7_no_code_can_ignore_that_a_step_sleeps(test: Test) {
    Swallows::enqueue(()).await.unwrap();
    let ran = test.drain().only::<Swallows>().await;
    assert!(matches!(ran.runs()[0].performed.outcome(), Outcome::Suspend { until: Some(_), .. }), "{ran:?}");
    assert!(SWALLOWED.all().is_empty());
    test.drain().only::<Swallows>().until(TestClock::START + TimeDelta::hours(1)).await.assert_all_complete();
    assert_eq!(SWALLOWED.all(), ["awake"]);
}

static FORKED: Log = Log::new();

#[job(max_attempts = 1)]
async fn forkable(steps: Steps) -> Result<(), StepError> {
    for name in ["a", "b", "c"] {
        steps
            .run(name, || async {
                FORKED.add(name);
                Ok::<_, String>(())
            })
            .await?;
    }
    Ok(())
}

#[rexecutor_testing::test]
async fn case_15_7_a_fork_does_the_steps_from_one_on(test: Test) {
    let id = Forkable::enqueue(()).await.unwrap().id();
    test.drain().only::<Forkable>().await.assert_all_complete();
    let fork = Forkable::fork(id, "b").await.unwrap();
    assert_ne!(fork, id);
    test.drain().only::<Forkable>().await.assert_all_complete();
    assert_eq!(FORKED.all(), ["a", "b", "c", "b", "c"]);
    assert!(Forkable::fork(id, "d").await.unwrap_err().to_string().contains("no recorded step `d`"));
}

static PERFORMED: Log = Log::new();

#[job]
async fn performed(steps: Steps) -> Result<(), StepError> {
    let receipt: u32 = steps
        .run("charge", || async {
            PERFORMED.add("charge");
            Ok::<_, String>(1)
        })
        .await?;
    steps.sleep("nap", "3d").await?;
    let by: String = steps.wait("approval").await?;
    PERFORMED.add(format!("{receipt} {by}"));
    Ok(())
}

#[rexecutor_testing::test]
async fn case_15_7_a_job_is_performed_with_results_that_the_test_gives() {
    assert!(perform::<Performed>(()).with_step("charge", &7).with_signal("approval", "Ann").await.is_complete());
    assert_eq!(PERFORMED.all(), ["7 Ann"]);
    let waits = perform::<Performed>(()).await;
    assert_eq!(*waits.outcome(), Outcome::suspend(None, true));
    assert!(waits.is_suspended());
    assert_eq!(PERFORMED.all(), ["7 Ann", "charge"]);
}

#[cfg(feature = "signal-tokens")]
#[rexecutor_testing::test]
async fn case_15_8_a_token_sends_one_signal_and_no_other() {
    use rexecutor::steps::{SignalTokens, TokenError};

    let (old, new) = ([7_u8; 32], [8_u8; 32]);
    assert!(matches!(SignalTokens::new(b"short"), Err(TokenError::ShortSecret { bytes: 5, .. })));
    let id = TimedWait::enqueue(()).await.unwrap().id();
    let tokens = SignalTokens::new(old).unwrap();
    let token = tokens.sign::<TimedWait>(id, "approval", TimeDelta::days(1)).unwrap();
    assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.'));
    let forged =
        |answer: Result<Signalled, TokenError>| assert!(matches!(answer, Err(TokenError::Forged)), "{answer:?}");
    for at in 0..token.len() {
        let mut changed = token.clone().into_bytes();
        changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
        forged(tokens.signal::<TimedWait, _>(&String::from_utf8(changed).unwrap(), &7).await);
    }
    forged(tokens.signal::<Forkable, _>(&token, &7).await);
    forged(SignalTokens::new(new).unwrap().signal::<TimedWait, _>(&token, &7).await);
    for text in ["", ".", "é.é", "0", "00.0"] {
        forged(tokens.signal::<TimedWait, _>(text, &7).await);
    }
    let expired = tokens.sign::<TimedWait>(id, "approval", TimeDelta::zero()).unwrap();
    let answer = tokens.signal::<TimedWait, _>(&expired, &7).await;
    assert!(matches!(answer, Err(TokenError::Expired { .. })), "{answer:?}");
    let rotated = SignalTokens::new(new).unwrap().or_signed_with(old).unwrap();
    assert_eq!(rotated.signal::<TimedWait, _>(&token, &7).await.unwrap(), Signalled::Stored);
    assert_eq!(rotated.signal::<TimedWait, _>(&token, &8).await.unwrap(), Signalled::AlreadyThere);
    assert!(!format!("{rotated:?}").contains("7, 7"), "no secret is shown");
}
