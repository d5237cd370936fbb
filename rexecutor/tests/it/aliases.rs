//! Jobs that are stored under former names of their executor.

use rexecutor::{
    backend::{Enqueue, Filter, Inspect, NewJob},
    executor::JobsError,
    node::StartError,
    prelude::*,
};

use crate::support::{World, tell};

#[job(name = "notify_customer", aliases = ["send_email", "mail"], max_attempts = 1)]
async fn notify_customer(email: String, State(tell): State<crate::support::Tell>) -> Result<String, String> {
    tell.say(&email);
    if email == "nobody" { Err("no such address".to_owned()) } else { Ok(format!("sent to {email}")) }
}

#[job(aliases = ["notify_customer"])]
async fn takes_a_name() {}

#[job(name = "mail")]
async fn has_a_former_name() {}

#[tokio::test]
async fn jobs_under_former_names_run_and_are_found() {
    let world = World::new();
    let (say, mut told) = tell();
    let job = |name: &'static str, data: &str| NewJob::new(name, format!("\"{data}\""));
    let old = vec![
        job("send_email", "ada"),
        job("mail", "nobody"),
        job("send_email", "late").with_blocked(true),
        job("other", "x"),
    ];
    let ids: Vec<JobId> = world.backend.enqueue(old).await.unwrap().into_iter().map(JobId::from).collect();
    let backend = &*world.backend;
    let new = NotifyCustomer::builder().with_data("bob".to_owned()).enqueue_to_backend(backend).await.unwrap();
    assert_eq!(world.row(new).await.executor.as_str(), "notify_customer", "new jobs have the new name");

    let node = world.node().with_executor::<NotifyCustomer>().with_state(say).start().await.unwrap();
    let mut ran = vec![told.next().await, told.next().await, told.next().await];
    ran.sort();
    assert_eq!(ran, ["ada", "bob", "nobody"]);
    let outcome = NotifyCustomer::wait_on_backend(ids[0], &world.backend).await.unwrap();
    assert_eq!(outcome.into_output().unwrap(), "sent to ada");
    node.graceful_shutdown().await;

    // Whatever manages jobs finds them, and no others.
    let found = NotifyCustomer::query_jobs_on_backend(Where::data_equals(&"late".to_owned()), backend).await.unwrap();
    assert_eq!(found.iter().map(|job| job.id).collect::<Vec<_>>(), [ids[2]]);
    NotifyCustomer::update_job_on_backend(found.into_iter().next().unwrap(), backend).await.unwrap();
    NotifyCustomer::release_job_on_backend(ids[2], backend).await.unwrap();
    NotifyCustomer::cancel_job_on_backend(ids[2], Box::new("not needed"), backend).await.unwrap();
    NotifyCustomer::rerun_job_on_backend(ids[1], backend).await.unwrap();
    assert_eq!(
        (world.row(ids[2]).await.status, world.row(ids[1]).await.status),
        (JobStatus::Cancelled, JobStatus::Scheduled)
    );
    let foreign = NotifyCustomer::rerun_job_on_backend(ids[3], backend).await.unwrap_err();
    assert!(matches!(foreign, JobsError::Amend(_)), "{foreign}");
    let waiting = Filter::Executor("other".into());
    assert_eq!(backend.query(&waiting, 9).await.unwrap()[0].status, JobStatus::Scheduled, "nobody runs it");
}

/// Two executors that run the jobs of one name would each get some of them.
#[tokio::test]
async fn a_former_name_that_another_executor_has_is_told_at_start() {
    let world = World::new();
    let problems = |error| match error {
        StartError::Invalid(problems) => problems.join("\n"),
        other => panic!("{other}"),
    };
    let (say, _told) = tell();
    let node = world.node().with_state(say.clone()).with_executor::<NotifyCustomer>();
    let problem = problems(node.with_executor::<TakesAName>().start().await.unwrap_err());
    assert!(problem.contains("`notify_customer` is a former name of") && problem.contains("TakesAName"), "{problem}");
    let node = world.node().with_state(say).with_executor::<NotifyCustomer>();
    let problem = problems(node.with_executor::<HasAFormerName>().start().await.unwrap_err());
    assert!(problem.contains("are both named `mail`"), "{problem}");
    let registered =
        Rexecutor::from_registry().with_backend(world.backend.clone()).only_named(["notify_customer", "mail"]);
    let problem = problems(registered.start().await.unwrap_err());
    assert!(problem.contains("`mail`"), "{problem}");
}
