//! What open pages are told.

use axum::{body::Body, http::StatusCode};
use futures::StreamExt;
use rexecutor::backend::{Inspect, NewJob};

use crate::support::World;

/// The next frame that has this in it.
async fn frame(body: &mut axum::body::BodyDataStream, text: &str) -> String {
    while let Some(chunk) = body.next().await {
        let chunk = String::from_utf8(chunk.unwrap().to_vec()).unwrap();
        if chunk.contains(text) {
            return chunk;
        }
    }
    panic!("the stream has ended without `{text}`");
}

/// `data: job` comes from the job's events, and not from the look that all pages share.
#[tokio::test]
async fn case_16_3_the_page_of_a_job_is_told_what_happens_to_it() {
    let world = World::new();
    let [watched, other] =
        [world.enqueue(NewJob::new("mail", "1")).await, world.enqueue(NewJob::new("mail", "2")).await];
    let mut body = world.stream("viewer", &format!("/events?job={watched}")).await.into_data_stream();
    assert!(frame(&mut body, "event: hello").await.contains("retry: 300"));
    world.backend.cancel(&"mail".into(), other, "no".to_owned()).await.unwrap();
    world.backend.cancel(&"mail".into(), watched, "no".to_owned()).await.unwrap();
    assert_eq!(frame(&mut body, "data: job").await, "event: change\ndata: job\n\n");
    // With the page goes its listener.
    let page = world.get("viewer", &format!("/jobs/{watched}")).await.text;
    assert!(page.contains(&format!("data-job=\"{watched}\"")), "{page}");
}

/// All that a page is told in its minute, after the job of this executor was cancelled.
async fn told(user: &str, executor: &'static str) -> String {
    let world = World::new();
    let job = world.enqueue(NewJob::new(executor, "1")).await;
    let mut body = world.stream(user, &format!("/events?job={job}")).await.into_data_stream();
    frame(&mut body, "event: hello").await;
    world.backend.cancel(&executor.into(), job, "no".to_owned()).await.unwrap();
    let rest = body.map(|chunk| String::from_utf8(chunk.unwrap().to_vec()).unwrap());
    rest.collect::<Vec<_>>().await.concat()
}

/// The minute is one of a clock that does not wait.
#[tokio::test(start_paused = true)]
async fn nobody_is_told_of_jobs_that_they_may_not_see() {
    let seen = told("mail-operator", "mail").await;
    assert!(seen.contains("data: job"), "{seen}");
    let hidden = told("mail-operator", "report").await;
    assert!(hidden.contains("event: change") && !hidden.contains("data: job"), "{hidden}");
}

impl World {
    async fn stream(&self, user: &str, path: &str) -> Body {
        let answer = self.answer(user, path).await;
        assert_eq!(answer.status(), StatusCode::OK);
        answer.into_body()
    }
}
