//! Around runs: of a node, of a kind of job, and in tests.

use std::{sync::Mutex, time::Duration};

use rexecutor::{
    clock::Clock,
    middleware::{Extension, Middleware, Next, Run},
    node::JobEventKind,
    prelude::*,
};
use rexecutor_testing::{Test, drain, perform};

use super::Quiet;
use crate::support::{Tell, World, tell};

/// What the node's test is told by.
fn teller(run: &Run) -> Tell {
    run.context().state().unwrap()
}

/// Says when it begins and ends.
struct Says(&'static str);

#[async_trait::async_trait]
impl Middleware for Says {
    async fn run(&self, run: Run, next: Next) -> ExecutionResult {
        let tell = teller(&run);
        tell.say(format!("{} before {}", self.0, run.context().job_id()));
        let result = next.run(run).await;
        tell.say(format!("{} after {result:?}", self.0));
        result
    }
}

static OWN: Says = Says("own");

async fn innermost(run: Run, next: Next) -> ExecutionResult {
    Says("innermost").run(run, next).await
}

#[job(name = "mw_ordered", middleware = [OWN, innermost])]
async fn ordered(State(tell): State<Tell>) {
    tell.say("job");
}

#[tokio::test]
async fn middleware_of_the_node_is_outermost_and_all_of_it_is_in_the_order_that_was_written() {
    let (world, (tell, mut told)) = (World::new(), tell());
    let node = world.node().with_state(tell).with_executor::<Ordered>();
    let node = node.with_middleware(Says("first")).with_middleware(Says("second")).start().await.unwrap();
    let id = Ordered::builder().enqueue_to_backend(&world.backend).await.unwrap();
    world.clock.settle().await;
    let said = told.all();
    let before = ["first", "second", "own", "innermost"];
    let expected = before.iter().map(|name| format!("{name} before 1")).chain(["job".to_owned()]);
    let expected: Vec<_> = expected.chain(before.iter().rev().map(|name| format!("{name} after Done"))).collect();
    assert_eq!(said, expected);
    assert_eq!(world.row(id).await.status, JobStatus::Complete);
    node.graceful_shutdown().await;
}

#[job(name = "mw_decided", max_attempts = 2, backoff = constant("1h"))]
async fn decided(data: u32, State(tell): State<Tell>) -> Result<u32, String> {
    tell.say(format!("ran {data}"));
    if data == 4 { Err("no four".to_owned()) } else { Ok(data) }
}

/// Reads what there is to read, and decides by the data.
async fn decides(run: Run, next: Next) -> Result<ExecutionResult, JobFailure> {
    assert_eq!((run.data_json(), run.metadata_json()), (run.data::<u32>().unwrap().to_string().as_str(), None));
    assert!(run.data::<Vec<String>>().is_err());
    match run.data::<u32>().unwrap() {
        0 => Ok(ExecutionResult::Cancel { reason: Box::new("zero") }),
        1 => Err(JobFailure::discard("one")),
        2 => Ok(ExecutionResult::Snooze { delay: TimeDelta::minutes(1) }),
        3 => {
            let _ = next.run(run).await;
            Err(JobFailure::retry_after(TimeDelta::hours(1), "three"))
        }
        4 => match next.run(run).await {
            ExecutionResult::Error { error } => {
                assert_eq!((error.to_string(), error.disposition()), ("no four".to_owned(), Disposition::Retry));
                Ok(ExecutionResult::Done)
            }
            result => Ok(result),
        },
        _ => Ok(next.run(run).await),
    }
}

#[tokio::test]
async fn middleware_decides_what_becomes_of_a_run_and_whether_the_job_begins_at_all() {
    let (world, (tell, mut told)) = (World::new(), tell());
    let events = tell.clone();
    let node =
        world.node().with_state(tell).with_executor::<Decided>().with_middleware(decides).on_event(move |event| {
            // Told of after the middleware, as its result is what counts.
            if let JobEventKind::Discarded { error, .. } = event.kind {
                events.say(format!("discarded: {}", error.details));
            }
        });
    let node = node.with_max_running(1).start().await.unwrap();
    world.enqueue::<Decided>(6).await;
    world.clock.settle().await;
    assert_eq!(told.all(), ["discarded: one", "ran 3", "ran 4", "ran 5"]);
    let rows = world.rows().await;
    let status = |data: u32| rows.iter().find(|row| row.data == data.to_string()).unwrap().status;
    assert_eq!([0, 1].map(status), [JobStatus::Cancelled, JobStatus::Discarded]);
    assert_eq!([2, 3].map(status), [JobStatus::Scheduled, JobStatus::Retryable]);
    assert_eq!([4, 5].map(status), [JobStatus::Complete, JobStatus::Complete]);
    node.graceful_shutdown().await;
}

struct Guard(Tell);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.say("dropped");
    }
}

/// Never ends by itself, once the job is done.
async fn lingers(run: Run, next: Next) -> ExecutionResult {
    let (context, guard) = (run.context().clone(), Guard(teller(&run)));
    let _ = next.run(run).await;
    guard.0.say("job done");
    let reason = context.stopped().await;
    guard.0.say(format!("told to stop: {reason:?}"));
    std::future::pending().await
}

#[job(name = "mw_timed", timeout = "10s", middleware = lingers)]
async fn timed() {}

#[tokio::test]
async fn middleware_has_the_runs_time_limit_is_told_to_stop_with_it_and_is_dropped_with_it() {
    let (world, (tell, mut told)) = (World::new(), tell());
    let node = world.node().with_state(tell).with_executor::<Timed>().start().await.unwrap();
    let id = Timed::builder().enqueue_to_backend(&world.backend).await.unwrap();
    world.seconds(9).await;
    assert_eq!(told.all(), ["job done"]);
    world.seconds(1).await;
    assert_eq!(told.all(), ["told to stop: TimedOut"]);
    assert_eq!(world.row(id).await.status, JobStatus::Executing, "it has its grace");
    world.seconds(5).await;
    assert_eq!(told.all(), ["dropped"]);
    let row = world.row(id).await;
    assert_eq!((row.status, row.errors[0].error_type.clone()), (JobStatus::Retryable, ErrorType::Timeout));
    node.graceful_shutdown().await;
}

/// Says what it met, and panics where it is told to.
async fn clumsy(run: Run, next: Next) -> ExecutionResult {
    let (tell, data) = (teller(&run), run.data::<u32>().unwrap());
    assert_ne!(data, 1, "before the job");
    let result = next.run(run).await;
    if let ExecutionResult::Error { error } = &result {
        tell.say(format!("{}: {error}", error.error_type()));
    }
    assert_ne!(data, 2, "after the job");
    result
}

async fn watches(run: Run, next: Next) -> ExecutionResult {
    let tell = teller(&run);
    let result = next.run(run).await;
    tell.say(format!("watched {result:?}"));
    result
}

#[job(name = "mw_panicking", max_attempts = 2, middleware = clumsy)]
async fn panicking(data: u32) {
    assert_ne!(data, 0, "in the job");
}

#[tokio::test]
async fn a_panic_inside_is_an_error_to_what_is_around_it_and_at_last_a_failed_attempt() {
    for is_watched in [true, false] {
        let (world, (tell, mut told)) = (World::new(), tell());
        let node = world.node().with_state(tell).with_executor::<Panicking>().with_max_running(1);
        let node = if is_watched { node.with_middleware(watches) } else { node };
        let node = node.start().await.unwrap();
        world.enqueue::<Panicking>(4).await;
        world.clock.settle().await;
        let said = told.all();
        let is_said = |words: &str| said.iter().any(|said| said.contains(words));
        assert!(is_said("panic: ") && is_said("in the job"), "{said:?}");
        assert_eq!(is_said("watched Error(panic: ") && is_said("before the job"), is_watched, "{said:?}");
        let rows = world.rows().await;
        for (row, words) in rows.iter().zip(["in the job", "before the job", "after the job"]) {
            assert_eq!((row.status, row.errors[0].error_type.clone()), (JobStatus::Retryable, ErrorType::Panic));
            assert!(row.errors[0].details.contains(words), "{row:?}");
        }
        assert_eq!(rows[3].status, JobStatus::Complete, "the node goes on");
        node.graceful_shutdown().await;
    }
}

#[derive(Clone, Debug, PartialEq)]
struct Tenant(String);

async fn tenant(mut run: Run, next: Next) -> ExecutionResult {
    if let Some(name) = run.context().headers().get("tenant").map(str::to_owned) {
        run.add_extension(Tenant("another".to_owned()));
        run.add_extension(Tenant(name));
    }
    next.run(run).await
}

#[job(name = "mw_extended", max_attempts = 1)]
async fn extended(Extension(tenant): Extension<Tenant>, context: JobContext, State(tell): State<Tell>) {
    assert_eq!((context.extension(), context.extension::<u8>()), (Some(tenant.clone()), None));
    tell.say(tenant.0);
}

#[tokio::test]
async fn a_job_takes_what_its_middleware_gave_it_and_fails_where_it_gave_nothing() {
    let (world, (tell, mut told)) = (World::new(), tell());
    let node = world.node().with_state(tell).with_executor::<Extended>().with_middleware(tenant);
    let node = node.start().await.unwrap();
    let given = Extended::builder().with_header("tenant", "acme").enqueue_to_backend(&world.backend).await.unwrap();
    let none = Extended::builder().enqueue_to_backend(&world.backend).await.unwrap();
    world.clock.settle().await;
    assert_eq!(told.all(), ["acme"]);
    assert_eq!(world.row(given).await.status, JobStatus::Complete);
    let failed = world.row(none).await.errors.remove(0);
    assert_eq!(failed.error_type.as_str(), "extract");
    let (start, end) =
        ("no extension of type `", "Tenant`: middleware gives it with `run.add_extension(..)`, before `next.run(run)`");
    assert!(failed.details.starts_with(start) && failed.details.ends_with(end), "{}", failed.details);
    node.graceful_shutdown().await;
}

async fn says_thread(mut run: Run, next: Next) -> ExecutionResult {
    run.add_extension(std::thread::current().id());
    next.run(run).await
}

#[job(name = "mw_blocking", blocking, middleware = says_thread)]
async fn on_thread(Extension(thread): Extension<std::thread::ThreadId>) -> Result<bool, String> {
    Ok(std::thread::current().id() == thread)
}

#[rexecutor_testing::test]
async fn middleware_of_a_blocking_job_runs_on_the_jobs_thread() {
    assert_eq!(perform::<OnThread>(()).await.output(), Some(true));
}

static SLEEPER: Mutex<Vec<&str>> = Mutex::new(Vec::new());

async fn around_steps(run: Run, next: Next) -> ExecutionResult {
    SLEEPER.lock().unwrap().push("begins");
    let result = next.run(run).await;
    SLEEPER.lock().unwrap().push("ends");
    result
}

#[job(name = "mw_sleeper", middleware = around_steps)]
async fn sleeper(steps: Steps) -> Result<(), StepError> {
    steps.sleep("night", "8h").await
}

#[rexecutor_testing::test(jobs = [Sleeper])]
async fn a_job_whose_step_sleeps_has_two_runs_and_its_middleware_ends_with_the_second(test: Test) {
    let node = test.node().start().await.unwrap();
    Sleeper::enqueue(()).await.unwrap();
    test.advance(TimeDelta::hours(1)).await;
    assert_eq!(*SLEEPER.lock().unwrap(), ["begins"]);
    test.advance(TimeDelta::hours(8)).await;
    assert_eq!(*SLEEPER.lock().unwrap(), ["begins", "begins", "ends"]);
    node.graceful_shutdown().await;
}

async fn shouts(run: Run, next: Next) -> ExecutionResult {
    match next.run(run).await {
        ExecutionResult::DoneWith { .. } => ExecutionResult::with_output("LOUD"),
        result => result,
    }
}

#[rexecutor_testing::test(jobs = [Quiet])]
async fn tests_surround_jobs_as_a_node_does(test: Test) {
    let output = async || perform::<Quiet>(()).await.output::<String>().unwrap();
    assert_eq!(output().await, "quiet");
    assert_eq!(perform::<Quiet>(()).with_middleware(shouts).await.output::<String>().unwrap(), "LOUD");
    test.with_middleware(shouts);
    assert_eq!(output().await, "LOUD");
    let id = Quiet::enqueue(()).await.unwrap().id();
    drain().await.assert_all_complete();
    assert_eq!(Quiet::output(id).await.unwrap().unwrap(), "LOUD");
    let node = test.node().start().await.unwrap();
    let id = Quiet::enqueue(()).await.unwrap().id();
    test.settled().await;
    assert_eq!(Quiet::output(id).await.unwrap().unwrap(), "LOUD");
    node.graceful_shutdown().await;
}

/// Middleware waits as anything else in the job does: by the node's clock.
async fn waits(run: Run, next: Next) -> ExecutionResult {
    run.context().clock().sleep(Duration::from_secs(60)).await;
    next.run(run).await
}

#[job(name = "mw_cancelled", middleware = waits)]
async fn cancelled(State(tell): State<Tell>) {
    tell.say("ran");
}

#[tokio::test]
async fn a_job_that_is_cancelled_while_its_middleware_waits_never_begins() {
    let (world, (tell, mut told)) = (World::new(), tell());
    let node = world.node().with_state(tell).with_executor::<Cancelled>().start().await.unwrap();
    let id = Cancelled::builder().enqueue_to_backend(&world.backend).await.unwrap();
    world.seconds(10).await;
    Cancelled::cancel_job_on_backend(id, Box::new("enough"), &world.backend).await.unwrap();
    world.seconds(60).await;
    assert_eq!((told.all(), world.row(id).await.status), (Vec::<String>::new(), JobStatus::Cancelled));
    node.graceful_shutdown().await;
}
