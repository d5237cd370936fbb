//! What is due, drained.

use rexecutor::{clock::Clock, prelude::*};
use rexecutor_testing::{Drained, Test, TestClock, drain};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

#[job]
async fn order(item: String) -> Result<(), BoxError> {
    let _ = Charge::enqueue(item.clone()).await?;
    let _ = Ship::builder().with_data(item).schedule_in(TimeDelta::hours(2)).enqueue().await?;
    Ok(())
}

#[job(backoff = constant("1h"))]
async fn charge(item: String, context: JobContext) -> Result<(), String> {
    if item == "stolen card" && context.attempt() < 3 { Err("refused".to_owned()) } else { Ok(()) }
}

#[job]
async fn ship(_item: String) {}

#[job]
async fn multiplies() -> Result<(), BoxError> {
    let _ = Multiplies::enqueue(()).await?;
    Ok(())
}

#[job]
async fn panics() {
    panic!("out of paper");
}

fn seen(drained: &Drained) -> Vec<(i64, &str, u16, bool)> {
    let minutes = |ran: &rexecutor_testing::Ran| (ran.at - TestClock::START).num_minutes();
    let line = |ran| (minutes(ran), ran.executor.as_str(), ran.attempt, ran.performed.is_complete());
    drained.runs().iter().map(line).collect()
}

async fn order_a(item: &str) {
    let _ = Order::enqueue(item.to_owned()).await.unwrap();
}

#[rexecutor_testing::test]
async fn what_is_due_runs_and_what_that_enqueues_and_nothing_else(test: Test) {
    order_a("lamp").await;
    let first = drain().await;
    assert_eq!(seen(&first), [(0, "order", 1, true), (0, "charge", 1, true)]);
    assert_eq!(test.clock().now(), TestClock::START);
    assert_eq!(drain().await.runs(), []);
    test.advance(TimeDelta::hours(2)).await;
    assert_eq!(drain().await.names(), ["ship"]);
}

#[rexecutor_testing::test]
async fn until_an_instant_the_clock_moves_from_one_due_time_to_the_next(test: Test) {
    order_a("stolen card").await;
    let until = TestClock::START + TimeDelta::hours(5);
    let drained = drain().until(until).await;
    let before = [(0, "order", 1, true), (0, "charge", 1, false), (60, "charge", 2, false)];
    assert_eq!(seen(&drained)[..3], before);
    // Due at the same instant: the number decides.
    assert_eq!(seen(&drained)[3..], [(120, "charge", 3, true), (120, "ship", 1, true)]);
    assert_eq!((test.clock().now(), drained.all_complete()), (until, false));
    assert_eq!(drained.of::<Charge>().count(), 3);
}

#[rexecutor_testing::test]
async fn a_limit_ends_what_would_go_on_for_ever() {
    let _ = Multiplies::enqueue(()).await.unwrap();
    assert_eq!(drain().limit(100).await.runs().len(), 100);
    rexecutor_testing::assert_enqueued!(1 job, for_executor: Multiplies, with_status: JobStatus::Scheduled);
}

#[rexecutor_testing::test]
async fn it_stops_at_the_first_failure_on_demand() {
    for item in ["stolen card", "lamp"] {
        let _ = Charge::enqueue(item.to_owned()).await.unwrap();
    }
    assert_eq!(drain().fail_fast().await.runs().len(), 1);
    assert_eq!(drain().await.runs().len(), 1, "the other one is still due, its attempt did not count");
}

#[rexecutor_testing::test]
async fn jobs_run_by_priority_then_due_time_then_number_over_all_executors(test: Test) {
    for (item, priority, minutes) in [("c", 1, 0), ("b", 0, 5), ("a", 0, 3)] {
        let ship = Ship::builder().with_data(item.to_owned()).with_priority(priority);
        let _ = ship.schedule_in(TimeDelta::minutes(minutes)).enqueue().await.unwrap();
    }
    let _ = Charge::builder().with_data("d".to_owned()).with_priority(1).enqueue().await.unwrap();
    test.advance(TimeDelta::minutes(10)).await;
    let data: Vec<_> = drain().await.runs().iter().map(|ran| ran.data.clone()).collect();
    assert_eq!(data, [r#""a""#, r#""b""#, r#""c""#, r#""d""#]);
}

#[rexecutor_testing::test]
#[should_panic(expected = "the job `panics` (number 1, data null) panicked: out of paper")]
async fn a_panic_fails_the_test_with_its_own_message() {
    let _ = Panics::enqueue(()).await.unwrap();
    drain().await;
}

#[rexecutor_testing::test]
async fn a_panic_is_caught_on_demand() {
    let _ = Panics::enqueue(()).await.unwrap();
    let drained = drain().catching_panics().await;
    assert_eq!(drained.runs()[0].performed.error().unwrap().details, "out of paper");
}

#[rexecutor_testing::test]
async fn jobs_that_are_left_out_stay_as_they_are() {
    order_a("lamp").await;
    assert_eq!(drain().only::<Order>().await.names(), ["order"]);
    rexecutor_testing::assert_enqueued!(1 job, for_executor: Charge, with_status: JobStatus::Scheduled);
}
