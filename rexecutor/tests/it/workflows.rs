//! Workflows, as a program sees them.

use std::time::Duration;

use rexecutor::{
    backend::Maintain,
    executor::JobFailure,
    prelude::*,
    workflows::{After, FlowError, RunWhen, TaskRef, TaskState, Tasks, Workflow, WorkflowError, WorkflowHandle},
};
use rexecutor_testing::{Test, TestClock, perform};

/// Gives its number, fails with 7, and has nothing to do with 0.
#[job(name = "wf_number", max_attempts = 1)]
async fn number(number: u32) -> Result<u32, JobFailure> {
    match number {
        0 => Err(JobFailure::skip("nothing to do")),
        7 => Err(JobFailure::discard("seven")),
        number => Ok(number),
    }
}

#[job(name = "wf_text")]
async fn text(text: String) -> Result<String, String> {
    Ok(text)
}

#[job(name = "wf_one")]
async fn one(Upstream(one): Upstream<u32>) -> Result<u32, String> {
    Ok(one + 1)
}

#[job(name = "wf_pair")]
async fn pair(what: String, Upstream((number, text)): Upstream<(u32, String)>) -> Result<String, String> {
    Ok(format!("{what} {number} {text}"))
}

#[job(name = "wf_sum")]
async fn sum(Upstream(all): Upstream<Vec<u32>>) -> Result<u32, String> {
    Ok(all.iter().sum())
}

#[job(name = "wf_ends", max_attempts = 1)]
async fn ends(Upstream(ends): Upstream<Vec<Option<u32>>>) -> Result<Vec<Option<u32>>, String> {
    Ok(ends)
}

/// It adds the same a second time, as it fails after that at first.
#[job(name = "wf_grows", max_attempts = 2)]
async fn grows(count: u32, workflow: WorkflowHandle, context: JobContext) -> Result<(), WorkflowError> {
    let mut tasks = Tasks::new();
    let own: TaskRef<()> = TaskRef::named("grows");
    let numbers: Vec<_> = (1..=count)
        .map(|number| tasks.task(format!("n{number}"), Number::builder().with_data(number).after(&own)))
        .collect();
    tasks.task("sum", Sum::builder().after(&numbers));
    match workflow.add(tasks).await {
        answer if context.attempt() > 1 => answer.map(drop),
        _ => Err(WorkflowError::from(FlowError::NotFound(workflow.id().into()))),
    }
}

fn a(number: u32) -> rexecutor::job::builder::JobBuilder<'static, Number, rexecutor::job::builder::WithData<u32>> {
    Number::builder().with_data(number)
}

#[rexecutor_testing::test(jobs = [Number, Text, One, Pair, Sum, Ends, Grows])]
async fn case_15_6_tasks_take_what_those_before_them_gave(test: Test) {
    let mut workflow = Workflow::new("sums");
    let three = workflow.task("three", a(3));
    let four = workflow.task("four", One::builder().after(&three));
    let word = workflow.task("word", Text::builder().with_data("ada".to_owned()));
    let said = workflow.task("said", Pair::builder().with_data("it is".to_owned()).after((&four, &word)));
    let total = workflow.task("total", Sum::builder().after([&three, &four]));
    // By name, and after what has nothing to do with it.
    let raw = workflow.add("raw", Sum::builder(), After::all(["total", "three"]));
    let workflow = workflow.enqueue().await.unwrap();
    assert!(workflow.output(&said).await.unwrap().is_none());
    test.drain().await;
    assert_eq!(workflow.output(&said).await.unwrap().as_deref(), Some("it is 4 ada"));
    assert_eq!(workflow.output(&total).await.unwrap(), Some(7));
    assert_eq!(workflow.output(&raw).await.unwrap(), Some(serde_json::json!(10)));
    let status = workflow.wait().within(Duration::from_secs(9)).await.unwrap();
    assert_eq!((status.counts.complete, &*status.name, status.finished_at), (6, "sums", Some(TestClock::START)));
    assert_eq!(status, workflow.status().await.unwrap());
    let wrong = workflow.output(&TaskRef::<String>::named("total")).await.unwrap_err();
    assert_eq!(wrong.to_string(), "what the task `total` gave does not decode");
    let none = workflow.job(&TaskRef::<()>::named("nobody")).await.unwrap_err();
    assert_eq!(none.to_string(), "workflow 1 has no task `nobody`");
}

#[rexecutor_testing::test(jobs = [Number, Text, One, Pair, Sum, Ends, Grows])]
async fn case_15_6_a_task_says_what_becomes_of_it(test: Test) {
    let mut workflow = Workflow::new("ends");
    let (good, bad, skipped) =
        (workflow.task("good", a(1)), workflow.task("bad", a(7)), workflow.task("skipped", a(0)));
    let all = workflow.task("all", Ends::builder().after_any_end([&good, &bad, &skipped]));
    let branches = workflow.task("branches", Ends::builder().after_branches([&good, &skipped]));
    let undo = workflow.task("undo", Ends::builder().after_failure([&good, &bad]));
    let no_undo = workflow.task("no undo", Ends::builder().after_failure([&good, &skipped]));
    workflow.task("cancelled", One::builder().after(&bad));
    workflow.task("left out", One::builder().after(&skipped));
    let workflow = workflow.enqueue().await.unwrap();
    test.drain().await;
    assert_eq!(workflow.output(&all).await.unwrap(), Some(vec![Some(1), None, None]));
    assert_eq!(workflow.output(&branches).await.unwrap(), Some(vec![Some(1), None]));
    assert_eq!(workflow.output(&undo).await.unwrap(), Some(vec![Some(1), None]));
    assert_eq!(workflow.output(&no_undo).await.unwrap(), None);
    let graph = workflow.graph().await.unwrap();
    let counts = [TaskState::Succeeded, TaskState::Failed, TaskState::Skipped].map(|state| graph.count(state));
    assert_eq!(counts, [4, 2, 3]);
    assert_eq!(
        graph.to_text(),
        "\
ends
  ✓ good
  ✗ bad
  – skipped
  ✓ all        after any end of good, bad, skipped
  ✓ branches   after branches good, skipped
  ✓ undo       on failure of good, bad
  – no undo    on failure of good, skipped
  ✗ cancelled  after bad
  – left out   after skipped
"
    );
    // It goes on from what failed.
    assert_eq!(workflow.retry().await.unwrap(), 2);
    assert!(!workflow.status().await.unwrap().is_finished());
    test.drain().await;
    assert_eq!(workflow.graph().await.unwrap().count(TaskState::Failed), 2, "seven fails again");
}

#[rexecutor_testing::test(jobs = [Number, Text, One, Pair, Sum, Ends, Grows])]
async fn case_15_6_a_task_adds_others_once(test: Test) {
    let mut workflow = Workflow::new("grows");
    workflow.task("grows", Grows::builder().with_data(4));
    let workflow = workflow.enqueue().await.unwrap();
    test.drain().await;
    test.clock().advance(TimeDelta::hours(1)).await;
    test.drain().await;
    assert_eq!(workflow.output(&TaskRef::<u32>::named("sum")).await.unwrap(), Some(10));
    assert_eq!(workflow.status().await.unwrap().counts.complete, 6);
    let error = workflow.add(Tasks::new()).await.unwrap();
    assert!(error.is_empty(), "nothing is added to what is over");
    let mut late = Tasks::new();
    late.task("late", a(1));
    let error = workflow.add(late).await.unwrap_err();
    assert!(error.to_string().contains("workflow 1 has finished, and takes no more jobs"), "{error}");
}

#[rexecutor_testing::test(jobs = [Number, Text, One, Pair, Sum, Ends, Grows])]
async fn case_15_6_a_part_is_used_in_several_workflows(test: Test) {
    let part = |number: u32| {
        let mut part = Tasks::new();
        let first = part.task("first", a(number));
        let second = part.task("second", One::builder().after(&first));
        (part, second)
    };
    let mut workflow = Workflow::new("parts");
    let begin = workflow.task("begin", a(1));
    let (one, in_one) = part(10);
    let one = workflow.include("one", one.after(&begin));
    let (two, in_two) = part(20);
    let two = workflow.include("two", two.after(one.ends()));
    let sum = workflow.task("sum", Sum::builder().after([one.task(&in_one), two.task(&in_two)]));
    assert_eq!(
        workflow.graph().to_text(),
        "\
parts
  · begin
  · one.first   after begin
  · one.second  after one.first
  · two.first   after one.second
  · two.second  after two.first
  · sum         after one.second, two.second
"
    );
    let workflow = workflow.enqueue().await.unwrap();
    test.drain().await;
    assert_eq!(workflow.output(&sum).await.unwrap(), Some(32));
}

#[rexecutor_testing::test(jobs = [Number, Text, One, Pair, Sum, Ends, Grows])]
async fn case_15_6_what_is_no_graph_is_refused_before_anything_is_stored(_test: Test) {
    let refused = async |build: fn(&mut Workflow), says: &str| {
        let mut workflow = Workflow::new("wrong");
        workflow.task("a", a(1));
        build(&mut workflow);
        let error = workflow.enqueue().await.unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
        assert!(!error.is_transient());
        assert!(Number::query_jobs(Where::any()).await.unwrap().is_empty());
    };
    refused(|w| drop(w.task("a", a(2))), "two tasks are called `a`").await;
    refused(
        |w| drop(w.task("b", One::builder().after(TaskRef::named("x")))),
        "comes after `x`, and the workflow has no",
    )
    .await;
    let circle = |w: &mut Workflow| {
        w.add("b", Sum::builder(), After::all(["c"]));
        w.add("c", Sum::builder(), After::all(["b"]));
    };
    refused(circle, "wait for each other").await;
    refused(|w| drop(w.task("", a(2))), "1 to 255 bytes").await;
    refused(|w| drop(w.task("a\0", a(2))), "`a\\0` is no name").await;
    let by_name = |w: &mut Workflow| drop(w.add("b", Pair::builder().with_data("x".to_owned()), After::one("a")));
    refused(by_name, "the task `b` takes `Upstream<(u32, String)>`, and what it comes after gives `u32`").await;
    let nothing = |w: &mut Workflow| drop(w.add("b", One::builder(), After::nothing()));
    refused(nothing, "and what it comes after gives nothing").await;
    let maybe = |w: &mut Workflow| drop(w.add("b", One::builder(), After::one("a").when(RunWhen::AllEnded)));
    refused(maybe, "gives `Option<u32>`").await;
    let late = Workflow::new("late").with_deadline(TimeDelta::zero()).enqueue().await.unwrap_err();
    assert!(late.to_string().contains("deadline"), "{late}");
    let nameless = Workflow::new("").enqueue().await.unwrap_err();
    assert!(nameless.to_string().contains("the name of a workflow must not be empty"), "{nameless}");
    // One without tasks has finished.
    let empty = Workflow::new("empty").enqueue().await.unwrap();
    assert!(empty.wait().await.unwrap().is_finished());
}

#[rexecutor_testing::test(jobs = [Number, Text, One, Pair, Sum, Ends, Grows])]
async fn case_15_6_a_deadline_and_a_failure_end_all_of_it(test: Test) {
    let mut workflow = Workflow::new("late").with_deadline(TimeDelta::hours(1));
    let first = workflow.task("first", a(1).schedule_in(TimeDelta::hours(2)));
    workflow.task("second", One::builder().after(&first));
    let workflow = workflow.enqueue().await.unwrap();
    test.clock().advance(TimeDelta::hours(1)).await;
    // As the heartbeat of a node does.
    assert_eq!(test.backend().rescue(&[]).await.unwrap(), 0);
    let counts = workflow.status().await.unwrap().counts;
    assert_eq!(counts.discarded + counts.cancelled, 2, "{counts:?}");

    let mut workflow = Workflow::new("fast").fail_fast();
    workflow.task("bad", a(7));
    workflow.task("later", a(1).schedule_in(TimeDelta::hours(9)));
    let workflow = workflow.enqueue().await.unwrap();
    test.drain().await;
    let status = workflow.wait().await.unwrap();
    assert_eq!((status.cancelled.as_deref(), status.counts.cancelled), (Some("the task `bad` has failed"), 1));
    let skipped = workflow.skip(&TaskRef::<()>::named("later"), "too late").await.unwrap_err();
    assert!(skipped.to_string().contains("has finished"), "{skipped}");
}

#[rexecutor_testing::test(jobs = [Number, Text, One, Pair, Sum, Ends, Grows])]
async fn case_15_6_a_task_runs_alone_in_a_test(_test: Test) {
    let performed = perform::<Pair>("it is".to_owned()).with_upstream(&(4, "ada")).await;
    assert_eq!(performed.output(), Some("it is 4 ada".to_owned()));
    let performed = perform::<Ends>(()).with_upstream(&[Some(1), None]).await;
    assert_eq!(performed.output(), Some(vec![Some(1), None]));
    let performed = perform::<Pair>("it is".to_owned()).await;
    assert!(performed.error().unwrap().details.contains("is no task of a workflow, and takes an `Upstream`"));
    let performed = perform::<Grows>(1).await;
    assert!(performed.error().unwrap().details.contains("is no task of a workflow, and takes a `WorkflowHandle`"));
    let performed = perform::<Number>(0).await;
    assert_eq!(performed.cancel_reason(), Some("nothing to do"));
    assert_eq!(performed.to_string(), "skipped itself: nothing to do");
}
