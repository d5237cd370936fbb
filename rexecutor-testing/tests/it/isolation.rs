//! Each test has a world of its own.

use rexecutor::{clock::Clock, global, prelude::*};
use rexecutor_testing::{Test, TestClock, assert_enqueued, drain};

#[job]
async fn counts(_number: u32) {}

#[job]
async fn needs_what_nobody_gives(State(_): State<u128>) {}

/// Many of these run at once in one process, and each sees its own jobs only.
async fn alone() {
    for number in 0..50 {
        let _ = tokio::spawn(async move { Counts::enqueue(number).await.unwrap() }).await.unwrap();
        let handle = tokio::runtime::Handle::current();
        let on_a_thread = tokio::task::spawn_blocking(move || handle.block_on(Counts::enqueue(number)));
        let _ = on_a_thread.await.unwrap().unwrap();
    }
    assert_enqueued!(100 jobs, for_executor: Counts);
}

#[test]
fn tests_in_one_process_do_not_see_each_other() {
    let test = || {
        std::thread::spawn(|| {
            rexecutor_testing::__private::run(rexecutor_testing::__private::memory, &[], async |_| alone().await)
        })
    };
    for thread in (0..8).map(|_| test()).collect::<Vec<_>>() {
        thread.join().unwrap();
    }
    assert!(global::backend().is_err(), "nobody set one for the process");
}

#[rexecutor_testing::test(jobs = [Counts])]
async fn a_node_runs_the_chosen_jobs_and_does_not_become_everybodys(
    test: Test,
) -> Result<(), rexecutor::node::StartError> {
    // With all registered jobs it would miss a state.
    let node = test.node().start().await?;
    alone().await;
    test.clock().settle().await;
    assert_enqueued!(100 jobs, with_status: JobStatus::Complete);
    node.graceful_shutdown().await;
    Ok(())
}

/// Other jobs may lack what they like.
#[rexecutor_testing::test]
async fn a_drain_says_which_state_a_job_misses_when_it_runs() {
    let _ = Counts::enqueue(1).await.unwrap();
    let _ = NeedsWhatNobodyGives::enqueue(()).await.unwrap();
    let drained = drain().await;
    let details = |ran: &rexecutor_testing::Ran| ran.performed.error().map(|error| error.details.clone());
    assert_eq!(drained.of::<Counts>().map(details).collect::<Vec<_>>(), [None]);
    assert!(drained.of::<NeedsWhatNobodyGives>().all(|ran| details(ran).unwrap().contains("no state of type `u128`")));
}

#[rexecutor_testing::test]
#[should_panic(expected = "takes `State<u128>`, which was not given")]
async fn a_node_says_which_state_is_missing_when_it_starts(test: Test) {
    test.node().start().await.map(drop).unwrap();
}

#[rexecutor_testing::test(jobs = [NeedsWhatNobodyGives])]
async fn states_are_given_to_the_test(test: Test) {
    test.with_state(7_u128);
    let _ = NeedsWhatNobodyGives::enqueue(()).await.unwrap();
    assert!(drain().await.all_complete());
}

#[rexecutor_testing::test]
async fn every_test_begins_at_the_same_instant(test: Test) {
    assert_eq!(test.clock().now(), TestClock::START);
    assert_eq!(rexecutor_testing::clock().now(), TestClock::START);
}

#[tokio::test]
#[should_panic(expected = "write `#[rexecutor_testing::test]` instead of `#[tokio::test]`")]
async fn elsewhere_there_is_no_test() {
    drain().await;
}

#[cfg(feature = "sqlite")]
#[rexecutor_testing::test(backend = sqlite, jobs = [Counts])]
async fn sqlite_is_another_backend_and_nothing_else(test: Test) {
    assert!(format!("{:?}", test.backend()).contains("SqliteBackend"));
    alone().await;
    assert_eq!(drain().await.runs().len(), 100);
}

#[cfg(feature = "postgres")]
#[rexecutor_testing::test(backend = postgres, jobs = [Counts])]
async fn postgres_is_another_backend_and_nothing_else(test: Test) {
    assert!(format!("{:?}", test.backend()).contains("PgBackend"));
    alone().await;
    assert_eq!(drain().await.runs().len(), 100);
}
