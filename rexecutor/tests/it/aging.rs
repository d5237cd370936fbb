//! Jobs that rise in priority as they wait, from `#[job]` to the run.

use std::time::Duration;

use rexecutor::{backend::Enqueue, prelude::*};

use crate::support::{Tell, World, tell};

#[job(aging = "10s", max_concurrency = 1)]
async fn draw(report: String, context: JobContext) {
    context.state::<Tell>().unwrap().say(report);
}

/// An executor that declares its aging by hand, and too short.
struct Hasty;

#[async_trait::async_trait]
impl Executor for Hasty {
    type Data = ();
    type Metadata = ();
    const NAME: &'static str = "hasty";
    const AGING: Option<Duration> = Some(Duration::from_nanos(1));

    async fn execute(_job: Job<(), ()>) -> ExecutionResult {
        ExecutionResult::Done
    }
}

fn report(name: &str, priority: u16) -> rexecutor::backend::NewJob {
    Draw::builder().with_data(name.to_owned()).with_priority(priority).encode().unwrap()
}

#[tokio::test]
async fn case_14_7_what_has_waited_runs_before_what_is_more_urgent() {
    let (world, (tell, mut told)) = (World::new(), tell());
    let _ = world.backend.enqueue(vec![report("waited", 3)]).await.unwrap();
    world.clock.advance(TimeDelta::seconds(31)).await;
    let later = [report("later", 3), report("urgent", 0), report("less urgent", 1)];
    let _ = world.backend.enqueue(later.to_vec()).await.unwrap();
    let node = world.node().with_state(tell).with_executor::<Draw>().start().await.unwrap();
    world.clock.settle().await;
    assert_eq!(told.all(), ["waited", "urgent", "less urgent", "later"]);
    node.graceful_shutdown().await;
}

#[tokio::test]
async fn case_14_7_an_aging_that_cannot_be_kept_to_is_refused_at_the_start() {
    let error = World::new().node().with_executor::<Hasty>().start().await.unwrap_err().to_string();
    assert!(error.contains("executor `hasty`: its aging cannot be kept to: it is under a millisecond"), "{error}");
}

#[test]
fn case_14_7_the_settings_say_how_a_job_rises() {
    let registered = Rexecutor::registered();
    let draw = registered.iter().find(|job| job.name() == "draw" && job.settings().aging.is_some()).unwrap();
    assert_eq!(draw.settings().aging, Some(Duration::from_secs(10)));
}
