//! Jobs that sleep on the test's clock, and jobs that wait for the real world.

use std::{
    io::{Read, Write},
    sync::mpsc::Sender,
    time::Duration,
};

use rexecutor::prelude::*;
use rexecutor_testing::{Test, TestClock, assert_enqueued, assert_executed, drain, perform};

#[job(timeout = "2h")]
async fn sleeps(minutes: u64, context: JobContext) {
    let minute = Duration::from_secs(60);
    for _ in 0..minutes {
        context.clock().sleep(minute).await;
    }
}

/// Sleeps on the clock on another thread, and works there before and after.
#[job(blocking)]
async fn sleeps_on_a_thread(context: JobContext, State(done): State<Sender<u32>>) {
    std::thread::yield_now();
    context.clock().sleep(Duration::from_secs(3_600)).await;
    std::thread::yield_now();
    done.send(1).unwrap();
}

fn passed(test: &Test) -> i64 {
    (rexecutor::clock::Clock::now(test.clock()) - TestClock::START).num_minutes()
}

/// Case 46: `perform` and `drain` hung when a job slept on its clock.
#[rexecutor_testing::test]
async fn case_46_perform_moves_the_clock_for_a_job_that_sleeps(test: Test) {
    assert!(perform::<Sleeps>(90).await.is_complete());
    assert_eq!(passed(&test), 90);
    let late = perform::<Sleeps>(200).await;
    assert_eq!(late.error().unwrap().error_type, ErrorType::Timeout, "its timeout goes by the same clock");
    assert_eq!(passed(&test), 90 + 120);
}

#[rexecutor_testing::test]
async fn case_46_drain_moves_the_clock_for_jobs_that_sleep(test: Test) {
    let (sender, done) = std::sync::mpsc::channel::<u32>();
    test.with_state(sender);
    Sleeps::enqueue(30).await.unwrap();
    SleepsOnAThread::enqueue(()).await.unwrap();
    let _ = Sleeps::builder().with_data(5).schedule_in(TimeDelta::hours(2)).enqueue().await.unwrap();
    let ran = drain().until(TestClock::START + TimeDelta::hours(3)).await;
    ran.assert_all_complete();
    let began: Vec<_> = ran.runs().iter().map(|ran| (ran.at - TestClock::START).num_minutes()).collect();
    assert_eq!(began, [0, 30, 120]);
    assert_eq!((done.try_recv(), passed(&test)), (Ok(1), 180));
}

#[rexecutor_testing::test(backend = sqlite)]
async fn case_46_drain_moves_the_clock_of_sqlite_too() {
    Sleeps::enqueue(30).await.unwrap();
    drain().only::<Sleeps>().await.assert_all_complete();
}

/// Asks somebody on another thread, over a socket.
#[job(timeout = "30s")]
async fn asks(port: u16) -> std::io::Result<()> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await?;
    for question in 0..5 {
        stream.write_u8(question).await?;
        assert_eq!(stream.read_u8().await?, question);
    }
    Ok(())
}

fn who_answers() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut question = [0];
        while stream.read_exact(&mut question).is_ok() {
            stream.write_all(&question).unwrap();
        }
    });
    port
}

/// Case 46: `advance` went past a job that waited for a socket, and found it executing, or timed out.
#[rexecutor_testing::test]
async fn case_46_the_clock_waits_for_jobs_with_real_input_and_output(test: Test) {
    let node = test.node().only::<Asks>().start().await.unwrap();
    let _ = Asks::builder().with_data(who_answers()).schedule_in(TimeDelta::minutes(1)).enqueue().await.unwrap();
    // More patience than it takes, on however busy a machine.
    test.with_patience(Duration::from_secs(3_600)).advance(TimeDelta::hours(1)).await;
    assert_executed!(1 job, for_executor: Asks);
    Asks::enqueue(who_answers()).await.unwrap();
    test.settled().await;
    assert_executed!(2 jobs, for_executor: Asks);
    assert_eq!(passed(&test), 60, "settling moves no clock");
    node.graceful_shutdown().await;
}

#[job]
async fn waits_for_the_test(gate: u32, State(gates): State<std::sync::Arc<tokio::sync::Semaphore>>) {
    let _ = gate;
    gates.acquire().await.unwrap().forget();
}

#[rexecutor_testing::test]
async fn case_46_a_job_that_waits_for_the_test_does_not_stop_it(test: Test) {
    let gates = std::sync::Arc::new(tokio::sync::Semaphore::new(0));
    test.with_state(gates.clone()).with_patience(Duration::from_millis(1));
    let node = test.node().only::<WaitsForTheTest>().start().await.unwrap();
    WaitsForTheTest::enqueue(1).await.unwrap();
    test.advance(TimeDelta::hours(1)).await;
    assert_enqueued!(1 job, for_executor: WaitsForTheTest, with_status: JobStatus::Executing);
    gates.add_permits(1);
    test.settled().await;
    assert_executed!(1 job, for_executor: WaitsForTheTest);
    node.graceful_shutdown().await;
}

#[rexecutor_testing::test]
async fn case_46_the_clock_moves_to_the_next_deadline_of_a_job(test: Test) {
    let node = test.node().only::<Sleeps>().start().await.unwrap();
    assert_eq!(test.to_next_deadline().await, None, "the node sleeps, but no job");
    Sleeps::enqueue(2).await.unwrap();
    for minutes in [1, 2] {
        assert_eq!(test.to_next_deadline().await, Some(TestClock::START + TimeDelta::minutes(minutes)));
    }
    test.settled().await;
    assert_executed!(1 job, for_executor: Sleeps);
    assert_eq!(test.to_next_deadline().await, None);
    node.graceful_shutdown().await;
}

#[job(max_attempts = 3, backoff = constant("5m"))]
async fn ends_badly(how: u8) -> Result<ExecutionResult, JobFailure> {
    match how {
        0 => Ok(ExecutionResult::Done),
        1 => Err(JobFailure::discard("the card was declined")),
        2 => Ok(ExecutionResult::Cancel { reason: Box::new("no longer needed") }),
        3 => Ok(ExecutionResult::Snooze { delay: TimeDelta::minutes(7) }),
        _ => Err(JobFailure::retry_after(TimeDelta::minutes(5), "the bank is closed")),
    }
}

#[rexecutor_testing::test]
async fn case_46_what_did_not_complete_is_listed_with_its_reason() {
    for how in 0..5 {
        EndsBadly::enqueue(how).await.unwrap();
    }
    let ran = drain().only::<EndsBadly>().await;
    let failed = std::panic::catch_unwind(|| ran.assert_all_complete()).unwrap_err();
    let message = failed.downcast_ref::<String>().unwrap();
    assert!(message.starts_with("4 of 5 runs did not complete:\n"), "{message}");
    for (number, reason) in [
        (2, "the card was declined"),
        (3, "cancelled itself: no longer needed"),
        (4, "snoozed for PT420S"),
        (5, "the bank is closed"),
    ] {
        let line = message.lines().nth(number - 1).unwrap();
        let job = format!("`ends_badly` (number {number}, data {}), attempt 1: ", number - 1);
        assert!(line.contains(&job) && line.contains(reason), "{line}");
    }
}

#[job(cron("0 0 * * * *", data = 1), cron("0 30 9 * * *", data = 2), timezone = "UTC")]
async fn ticks(_which: u32) {}

#[rexecutor_testing::test]
async fn case_46_drain_lets_schedules_tick_on_demand(test: Test) {
    let tomorrow = TestClock::START + TimeDelta::days(1);
    drain().only::<Ticks>().with_schedules().await.assert_all_complete();
    assert_eq!(drain().only::<Ticks>().until(TestClock::START + TimeDelta::hours(2)).await.runs(), []);
    let ran = drain().only::<Ticks>().with_schedules().until(tomorrow).await;
    ran.assert_all_complete();
    // The two hours are caught up on as one tick.
    let hours = ran.runs().iter().filter(|ran| ran.data == "1").count();
    let days: Vec<_> = ran.runs().iter().filter(|ran| ran.data == "2").map(|ran| ran.at).collect();
    assert_eq!((hours, days), (23, vec![TestClock::START + TimeDelta::minutes(570)]));
    assert_eq!(rexecutor::clock::Clock::now(test.clock()), tomorrow);
}
