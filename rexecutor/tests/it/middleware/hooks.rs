//! Before jobs are enqueued: hooks of the program, and those of a kind of job.

use std::error::Error;

use rexecutor::{
    backend::{Filter, Inspect, JobRow},
    batches::Batch,
    enqueue_all,
    job::builder::EnqueueError,
    middleware::{EnqueueRequest, Middleware, on_enqueue},
    node::StartError,
    prelude::*,
    schedule::Schedule,
    workflows::Workflow,
};
use rexecutor_testing::{Test, perform};

use super::Quiet;

type Answer = Result<(), Box<dyn Error + Send + Sync>>;

#[rexecutor_testing::test(jobs = [Quiet])]
async fn a_hook_adds_to_what_is_enqueued_in_any_way() {
    on_enqueue(|job| {
        assert_eq!((job.executor(), job.data_json(), job.metadata_json()), ("mw_quiet", "null", None));
        assert_eq!((job.data::<()>()?, job.priority(), job.headers().get("tenant")), ((), 0, None));
        job.add_tag("hooked");
        job.add_tag("hooked");
        job.set_priority(7);
        job.set_header("tenant", "acme");
        Ok(())
    });
    // It sees what the one before it did.
    on_enqueue(|job| {
        assert_eq!((job.tags(), job.priority()), (["hooked".to_owned()].as_slice(), 7));
        Ok(())
    });
    Quiet::enqueue(()).await.unwrap();
    enqueue_all([Quiet::builder().encode().unwrap()]).await.unwrap();
    let mut workflow = Workflow::new("hooked");
    workflow.task("only", Quiet::builder());
    workflow.enqueue().await.unwrap();
    Batch::new("hooked").job(Quiet::builder()).enqueue().await.unwrap();
    let rows = Quiet::query_jobs(Where::any()).await.unwrap();
    assert_eq!(rows.len(), 4);
    for job in rows {
        let context = job.context();
        assert_eq!((context.tags(), context.headers().get("tenant")), (["hooked".to_owned()].as_slice(), Some("acme")));
        assert_eq!(job.priority, 7);
    }
}

#[rexecutor_testing::test(jobs = [Quiet])]
async fn a_hook_refuses_a_job_and_so_does_its_panic() {
    let refused = async || match Quiet::enqueue(()).await {
        Ok(_) => "enqueued".to_owned(),
        Err(error) => {
            assert!(matches!(error, EnqueueError::Refused { executor: "mw_quiet", .. }) && !error.is_transient());
            format!("{error:?}")
        }
    };
    let before = "a `mw_quiet` job was refused before it was enqueued: ";
    let hook = on_enqueue(|_| Err("not on Sundays".into()));
    assert_eq!(refused().await, format!("{before}not on Sundays"));
    hook.remove();
    let hook = on_enqueue(|_| panic!("no calendar"));
    assert_eq!(refused().await, format!("{before}a hook of `middleware::on_enqueue` panicked: no calendar"));
    hook.remove();
    assert_eq!(refused().await, "enqueued");
    // What it has changed is checked, as what a builder says is.
    let hook = on_enqueue(|job| {
        job.set_priority(1_000);
        Ok(())
    });
    assert!(matches!(Quiet::enqueue(()).await, Err(EnqueueError::Invalid(_))));
    hook.remove();
    assert_eq!(Quiet::query_jobs(Where::any()).await.unwrap().len(), 1);
}

/// Called by the test below, beside its own.
#[rexecutor_testing::test(jobs = [Quiet])]
async fn another_test_without_hooks() {
    Quiet::enqueue(()).await.unwrap();
}

#[rexecutor_testing::test(jobs = [Quiet])]
async fn no_other_test_meets_the_hooks_of_this_one() {
    on_enqueue(|_| Err("only here".into()));
    std::thread::spawn(another_test_without_hooks).join().unwrap();
    assert!(Quiet::enqueue(()).await.is_err());
    let elsewhere = std::thread::spawn(|| Quiet::builder().encode().map(drop).map_err(|error| error.to_string()));
    assert_eq!(elsewhere.join().unwrap(), Ok(()), "nor does a program");
}

/// Refuses what it cannot read later, and marks the rest.
struct Marks;

impl Middleware for Marks {
    fn on_enqueue(&self, job: &mut EnqueueRequest<'_>) -> Answer {
        assert!(job.headers().get("hook").is_some(), "hooks of the program come first");
        let number: u32 = job.data()?;
        assert_ne!(number, 2, "two");
        if number == 1 {
            return Err("one".into());
        }
        job.set_header("marked", number.to_string());
        Ok(())
    }
}

#[job(name = "mw_marked", middleware = Marks)]
async fn marked(_number: u32) {}

#[rexecutor_testing::test(jobs = [Marked, Quiet])]
async fn middleware_of_a_kind_of_job_sees_what_is_enqueued_of_that_kind_alone(test: Test) {
    on_enqueue(|job| {
        job.set_header("hook", "yes");
        Ok(())
    });
    Marked::enqueue(7).await.unwrap();
    Quiet::enqueue(()).await.unwrap();
    let of = |jobs: &[JobRow]| jobs[0].extras.headers.get("marked").map(str::to_owned);
    let rows = test.backend().query(&Filter::All(Vec::new()), 9).await.unwrap();
    assert_eq!((of(&rows), of(&rows[1..])), (Some("7".to_owned()), None));
    assert!(format!("{:?}", Marked::enqueue(1).await.unwrap_err()).ends_with("enqueued: one"));
    let panicked = format!("{:?}", Marked::enqueue(2).await.unwrap_err());
    assert!(panicked.contains("its middleware's `on_enqueue` panicked: ") && panicked.contains("two"), "{panicked}");
    // A run needs nothing of it: the default does what is inside.
    assert!(perform::<Marked>(3).await.is_complete());
}

#[rexecutor_testing::test(jobs = [Quiet])]
async fn the_job_of_a_schedule_is_refused_when_the_node_starts(test: Test) {
    on_enqueue(|_| Err("nothing by itself".into()));
    let daily = Schedule::parse("@daily", "UTC").unwrap();
    let problems = match test.node().with_schedule::<Quiet>(daily, ()).start().await {
        Err(StartError::Invalid(problems)) => problems,
        other => panic!("{:?}", other.map(drop)),
    };
    assert_eq!(
        problems,
        ["the cron job `mw_quiet`: a `mw_quiet` job was refused before it was enqueued: nothing by itself"]
    );
}
