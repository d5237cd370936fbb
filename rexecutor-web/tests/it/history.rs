//! How jobs went, on the overview and as JSON.

use std::time::Duration;

use axum::http::StatusCode;
use rexecutor::backend::{Backend, RunEnd, Tally};

use crate::support::World;

const HOUR: u64 = 3_600;

fn tally(executor: &'static str, end: RunEnd, age: u64, runs: usize) -> Tally {
    let tally = Tally::new(executor, end, Duration::from_secs(age));
    (0..runs).fold(tally, |tally, _| tally.with(Duration::from_millis(80), Duration::from_secs(2)))
}

async fn went(tallies: Vec<Tally>) -> World {
    let world = World::new();
    world.backend.history().unwrap().add(tallies).await.unwrap();
    world
}

#[tokio::test]
async fn the_overview_shows_how_jobs_went_over_an_hour_a_day_and_a_week() {
    let world = went(vec![
        tally("mail", RunEnd::Completed, 0, 90),
        tally("mail", RunEnd::Retried, 120, 10),
        tally("print", RunEnd::Discarded, 5 * HOUR, 1),
        tally("print", RunEnd::Completed, 3 * 24 * HOUR, 2_000),
    ])
    .await;
    let part = |page: &str, id: &str| {
        let (_, rest) = page.split_once(&format!("id=\"{id}\"")).unwrap_or_else(|| panic!("{id}: {page}"));
        rest.split("</section>").next().unwrap().to_owned()
    };
    let hour = world.get("viewer", "/").await.text;
    let runs = part(&hour, "history");
    assert!(runs.contains("100, 10 (10.0 %) failed"), "{runs}");
    assert_eq!(runs.matches("<rect").count(), 2, "a bar for each minute and end: {runs}");
    assert!(runs.contains("complete bar-part") && runs.contains("retryable bar-part") && !runs.contains("style="));
    let waits = part(&hour, "waits");
    assert!(waits.contains("<polyline") || waits.contains("<circle"), "{waits}");
    assert!(waits.contains("<b>2.") || waits.contains("<b>1."), "about two seconds: {waits}");
    let run_times = part(&hour, "run-times");
    assert!(["<b>7", "<b>8", "<b>9"].iter().any(|time| run_times.contains(time)), "about 80 ms: {run_times}");
    let table = part(&hour, "went");
    assert!(table.contains("mail") && !table.contains("print"), "{table}");

    let day = part(&world.get("viewer", "/?last=24h").await.text, "history");
    assert!(day.contains("101, 11 (10.8 %) failed"), "{day}");
    let week = part(&world.get("viewer", "/?last=7d").await.text, "history");
    assert!(week.contains("2,101, 11 (0.5 %) failed"), "{week}");
    let print = world.get("viewer", "/?last=7d&of=print").await.text;
    assert!(part(&print, "history").contains("2,001, 1 (0.0 %) failed"), "{print}");
    assert!(part(&print, "went").contains("mail"), "the others are listed still");
    let none = part(&world.get("viewer", "/?of=nobody%3Cb%3E").await.text, "history");
    assert!(none.contains("Nothing has ended in this time.") && none.contains("nobody&lt;b&gt;"), "{none}");
    assert_eq!(world.get("viewer", "/?last=8d").await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn how_jobs_went_is_given_as_json() {
    let world =
        went(vec![tally("mail", RunEnd::Completed, 0, 90), tally("print", RunEnd::Discarded, 5 * HOUR, 1)]).await;
    let all = world.get("viewer", "/api/history?last=24h").await.json();
    assert_eq!((all["step"].as_str(), all["points"].as_array().unwrap().len()), (Some("hour"), 25));
    assert_eq!(all["executors"]["print"]["ends"]["discarded"], 1);
    assert_eq!(all["executors"]["mail"]["runs"], 90);
    let p95 = all["executors"]["mail"]["run_seconds"]["p95"].as_f64().unwrap();
    assert!((0.06..0.1).contains(&p95), "{p95}");
    let print = world.get("viewer", "/api/history?last=24h&of=print").await.json();
    let runs: u64 = print["points"].as_array().unwrap().iter().map(|point| point["runs"].as_u64().unwrap()).sum();
    assert_eq!(runs, 1);
    assert_eq!(world.get("viewer", "/api/history?last=x").await.status, StatusCode::BAD_REQUEST);
}

/// Who may see some executors only is told of no other, though what was read is shared.
#[tokio::test]
async fn nobody_sees_how_jobs_went_that_they_may_not_see() {
    let world = went(vec![tally("mail", RunEnd::Completed, 0, 3), tally("print", RunEnd::Completed, 0, 5)]).await;
    let admin = world.get("admin", "/api/history").await.json();
    assert_eq!(admin["executors"].as_object().unwrap().len(), 2);
    let page = world.get("mail-operator", "/").await.text;
    assert!(!page.contains("print") && page.contains("3, 0 failed"), "{page}");
    for path in ["/api/history", "/api/history?of=print"] {
        let json = world.get("mail-operator", path).await.json();
        assert_eq!(json["executors"].as_object().unwrap().keys().collect::<Vec<_>>(), ["mail"]);
        let runs: u64 = json["points"].as_array().unwrap().iter().map(|point| point["runs"].as_u64().unwrap()).sum();
        assert_eq!(runs, if path.contains("print") { 0 } else { 3 });
    }
    assert_eq!(world.get("nobody", "/api/history").await.status, StatusCode::FORBIDDEN);
}
