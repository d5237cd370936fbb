//! Assertions about jobs: what they take, what they accept, and what they say.

use std::{panic::AssertUnwindSafe, sync::Arc};

use chrono::{DateTime, Utc};
use futures::FutureExt;
use rexecutor::{
    assert_enqueued, assert_executed,
    backend::{Backend, memory::InMemoryBackend},
    prelude::*,
    refute_enqueued,
};
use rexecutor_testing::TestClock;

#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
struct Email {
    to: String,
    copies: Vec<String>,
    size: u32,
    subject: Option<String>,
}

#[job(executor = Mail, name = "mail")]
async fn mail(_email: Job<Email, u8>) {}

#[job(executor = Fax, name = "fax", priority = 3)]
async fn fax(_number: u64) {}

fn email(to: &str, size: u32) -> Email {
    Email { to: to.to_owned(), copies: vec!["x@y".to_owned()], size, subject: Some("hello".to_owned()) }
}

fn start() -> DateTime<Utc> {
    TestClock::START
}

/// Three mails and a fax.
async fn backend() -> Arc<InMemoryBackend> {
    let backend = Arc::new(InMemoryBackend::new().with_clock(TestClock::new()));
    for (to, size) in [("a@b", 1), ("c@d", 2)] {
        let mail = Mail::builder().with_data(email(to, size)).with_metadata(7).with_tags(vec!["letter", "urgent"]);
        let _ = mail.enqueue_to_backend(&backend).await.unwrap();
    }
    let later = Mail::builder().with_data(email("e@f", 3)).with_priority(9).schedule_in(TimeDelta::hours(1));
    let _ = later.enqueue_to_backend(&backend).await.unwrap();
    let _ = Fax::builder().with_data(42).enqueue_to_backend(&backend).await.unwrap();
    backend
}

fn make(backend: &Arc<InMemoryBackend>) -> Arc<dyn Backend> {
    backend.clone()
}

#[tokio::test]
async fn every_field_is_taken_in_any_order() {
    let backend = backend().await;
    let limit = 2;
    assert_enqueued!(to: backend);
    assert_enqueued!(to: &backend, 4 jobs);
    assert_enqueued!(for_executor: Mail, 3 jobs, to: make(&backend),);
    assert_enqueued!(to: *backend, 1 job, with_data: 42);
    assert_enqueued!(with_metadata: 7, to: backend, tagged_with: ["urgent"], 2 jobs, for_executor: Mail);
    assert_enqueued!(to: backend, tagged_with: vec!["letter".to_owned(), "urgent".to_owned()], 2 jobs);
    assert_enqueued!(to: backend, 3 jobs, scheduled_at: start());
    assert_enqueued!(to: backend, 1 job, scheduled_after: start(), scheduled_before: start() + TimeDelta::hours(2));
    assert_enqueued!(to: backend, 1 job, with_priority: 9, with_status: JobStatus::Scheduled);
    assert_enqueued!(to: backend, 2 jobs, data_matches: |email| email.size <= limit, for_executor: Mail);
    rexecutor::refute_enqueued!(to: backend, with_status: JobStatus::Complete);
    refute_enqueued!(to: backend, for_executor: Fax, data_matches: |number| *number != 42);
    rexecutor_testing::assert_enqueued!(to: backend, for_executor: Fax);
}

/// Text in a pattern matches a `String`, wherever it stands.
#[tokio::test]
async fn data_are_matched_by_patterns() {
    let backend = backend().await;
    assert_enqueued!(1 job, to: backend, for_executor: Mail, data: Email { to: "a@b", .. });
    assert_enqueued!(2 jobs, to: backend, for_executor: Mail, data: Email { to: "a@b" | "e@f", .. });
    assert_enqueued!(2 jobs, to: backend, for_executor: Mail, data: Email { size: 1..=2, .. });
    assert_enqueued!(3 jobs, to: backend, for_executor: Mail, data: Email { subject: Some("hello"), .. });
    assert_enqueued!(1 job, to: backend, for_executor: Mail, data: Email { to, size, .. } if to == "c@d" && *size == 2);
    refute_enqueued!(to: backend, for_executor: Mail, data: Email { subject: None, .. } | Email { size: 0, .. });
    assert_enqueued!(1 job, to: backend, for_executor: Mail, data: &Email { to: "a@b", .. });
    assert_enqueued!(to: backend, for_executor: Fax, data: 42 | 43);
}

/// What a failed assertion says.
async fn said(assertion: impl Future<Output = ()>) -> String {
    let panic = AssertUnwindSafe(assertion).catch_unwind().await.unwrap_err();
    panic.downcast_ref::<String>().unwrap().clone()
}

#[track_caller]
fn is(said: &str, expected: &str) {
    // As it stands in the sources, but for the margin.
    let margin = "        ";
    let lines: Vec<_> = expected.lines().skip(1).map(|line| line.strip_prefix(margin).unwrap_or(line)).collect();
    let expected = lines.join("\n");
    assert_eq!(said.trim_end(), expected.trim_end(), "\n{said}");
}

#[tokio::test]
async fn a_job_that_is_missing_is_compared_with_the_nearest() {
    let backend = backend().await;
    let wanted = Email { to: "c@d".to_owned(), copies: Vec::new(), size: 2, subject: None };
    let said = said(async {
        assert_enqueued!(to: backend, for_executor: Mail, with_data: wanted, with_priority: 3, tagged_with: ["letter"]);
    });
    is(
        &said.await,
        r#"
        expected at least 1 enqueued job, found none

        wanted:
          executor  mail
          data      {"copies":[],"size":2,"subject":null,"to":"c@d"}
          priority  3
          tags      letter

        the nearest is job 2:
          executor  mail
        ! data      {"to":"c@d","copies":["x@y"],"size":2,"subject":"hello"}
                      .copies[0]: wanted nothing, is "x@y"
                      .subject: wanted null, is "hello"
        ! priority  0
          tags      letter, urgent

        the others:
          id  executor  status     priority  due                   data                                               tags
          1   mail      scheduled  0         2030-01-01T00:00:00Z  {"to":"a@b","copies":["x@y"],"size":1,"subject":…  letter, urgent
          3   mail      scheduled  9         2030-01-01T01:00:00Z  {"to":"e@f","copies":["x@y"],"size":3,"subject":…
          4   fax       scheduled  3         2030-01-01T00:00:00Z  42
        "#,
    );
}

#[tokio::test]
async fn too_many_jobs_are_shown() {
    let backend = backend().await;
    let said = said(async { assert_enqueued!(1 job, to: backend, for_executor: Mail, data_matches: |m| m.size < 3) });
    is(
        &said.await,
        r#"
        expected exactly 1 enqueued job, found 2

        wanted:
          executor  mail
          data      |m| m.size < 3

        these match:
          id  executor  status     priority  due                   data                                               tags
          1   mail      scheduled  0         2030-01-01T00:00:00Z  {"to":"a@b","copies":["x@y"],"size":1,"subject":…  letter, urgent
          2   mail      scheduled  0         2030-01-01T00:00:00Z  {"to":"c@d","copies":["x@y"],"size":2,"subject":…  letter, urgent

        the others:
          id  executor  status     priority  due                   data                                               tags
          3   mail      scheduled  9         2030-01-01T01:00:00Z  {"to":"e@f","copies":["x@y"],"size":3,"subject":…
          4   fax       scheduled  3         2030-01-01T00:00:00Z  42
        "#,
    );
}

/// … and those that there are, and the one that comes nearest to another.
#[tokio::test]
async fn too_few_jobs_are_shown_with_the_next_one() {
    let backend = backend().await;
    let at = start();
    let said = said(async {
        assert_enqueued!(2 jobs, to: backend, for_executor: Mail, data: Email { to: "e@f", .. }, scheduled_after: at);
    });
    is(
        &said.await,
        r#"
        expected exactly 2 enqueued jobs, found 1

        wanted:
          executor  mail
          data      Email { to: "e@f", .. }
          due       after 2030-01-01T00:00:00Z

        these match:
          id  executor  status     priority  due                   data                                               tags
          3   mail      scheduled  9         2030-01-01T01:00:00Z  {"to":"e@f","copies":["x@y"],"size":3,"subject":…

        the nearest is job 2:
          executor  mail
        ! data      {"to":"c@d","copies":["x@y"],"size":2,"subject":"hello"}
        ! due       2030-01-01T00:00:00Z

        the others:
          id  executor  status     priority  due                   data                                               tags
          1   mail      scheduled  0         2030-01-01T00:00:00Z  {"to":"a@b","copies":["x@y"],"size":1,"subject":…  letter, urgent
          4   fax       scheduled  3         2030-01-01T00:00:00Z  42
        "#,
    );
}

#[tokio::test]
async fn jobs_that_should_not_be_there_are_shown() {
    let backend = backend().await;
    let said = said(async { refute_enqueued!(to: backend, for_executor: Fax) });
    is(
        &said.await,
        r#"
        expected that no such job was enqueued, found 1

        wanted:
          executor  fax

        these match:
          id  executor  status     priority  due                   data  tags
          4   fax       scheduled  3         2030-01-01T00:00:00Z  42
        "#,
    );
}

#[tokio::test]
async fn a_job_that_has_not_run_is_told_from_one_that_has() {
    let backend = backend().await;
    let assertion = said(async { assert_executed!(2 jobs, to: backend, for_executor: Fax, with_data: 42) });
    is(
        &assertion.await,
        r#"
        expected exactly 2 executed jobs, found 0

        wanted:
          executor  fax
          data      42
          status    complete

        the nearest is job 4:
          executor  fax
          data      42
        ! status    scheduled

        the others:
          id  executor  status     priority  due                   data                                               tags
          1   mail      scheduled  0         2030-01-01T00:00:00Z  {"to":"a@b","copies":["x@y"],"size":1,"subject":…  letter, urgent
          2   mail      scheduled  0         2030-01-01T00:00:00Z  {"to":"c@d","copies":["x@y"],"size":2,"subject":…  letter, urgent
          3   mail      scheduled  9         2030-01-01T01:00:00Z  {"to":"e@f","copies":["x@y"],"size":3,"subject":…
        "#,
    );
    Fax::cancel_job_on_backend(JobId::from(4), Box::new("no"), &backend).await.unwrap();
    assert_executed!(1 job, to: backend, for_executor: Fax, with_status: JobStatus::Cancelled);
}

struct OtherMail;

#[async_trait::async_trait]
impl Executor for OtherMail {
    type Data = u32;
    type Metadata = ();
    const NAME: &'static str = "mail";

    async fn execute(_: Job<u32, ()>) -> ExecutionResult {
        ExecutionResult::Done
    }
}

#[tokio::test]
async fn data_of_another_type_do_not_match_and_it_says_why() {
    let backend = Arc::new(InMemoryBackend::new().with_clock(TestClock::new()));
    let _ = Mail::builder().with_data(email("a@b", 1)).enqueue_to_backend(&backend).await.unwrap();
    let said = said(async { assert_enqueued!(to: backend, for_executor: OtherMail, data: 1) });
    is(
        &said.await,
        r#"
        expected at least 1 enqueued job, found none

        wanted:
          executor  mail
          data      1

        the nearest is job 1:
          executor  mail
        ! data      {"to":"a@b","copies":["x@y"],"size":1,"subject":"hello"}
                      which is no data of this executor: invalid type: map, expected u32 at line 1 column 0
        "#,
    );
}

#[tokio::test]
async fn an_empty_backend_is_told_and_a_long_table_is_cut() {
    let backend = Arc::new(InMemoryBackend::new());
    let empty = said(async { assert_enqueued!(to: backend) }).await;
    is(
        &empty,
        "
        expected at least 1 enqueued job, found none

        no job was enqueued at all
        ",
    );
    for number in 0..30 {
        let _ = Fax::builder().with_data(number).enqueue_to_backend(&backend).await.unwrap();
    }
    let long = said(async { refute_enqueued!(to: backend) }).await;
    assert!(long.contains("found 30") && long.trim_end().ends_with("… and 10 more"), "{long}");
}

/// The place of the panic is that of the assertion, not somewhere in here.
#[tokio::test]
async fn a_failure_points_at_the_assertion() {
    let backend = backend().await;
    let place = Arc::new(std::sync::Mutex::new(None));
    let seen = place.clone();
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        *seen.lock().unwrap() = info.location().map(|place| (place.file().to_owned(), place.line()));
    }));
    let line = line!() + 1;
    let failed = AssertUnwindSafe(async { refute_enqueued!(to: backend) }).catch_unwind().await;
    std::panic::set_hook(before);
    assert!(failed.is_err());
    let (file, at) = place.lock().unwrap().clone().unwrap();
    assert!(file.ends_with("assertions.rs") && at == line, "{file}:{at}");
}
