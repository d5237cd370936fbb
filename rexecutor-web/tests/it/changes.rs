//! What can be changed, the tokens that it needs, and who is told.

use axum::http::StatusCode;
use rexecutor::{
    backend::{Backend, Due, NewJob},
    schedule::{EntryStep, Schedule},
};

use crate::support::World;

async fn status(world: &World, id: impl std::fmt::Display) -> String {
    world.get("viewer", &format!("/api/jobs/{id}")).await.json()["status"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn each_action_does_what_it_says_and_is_told() {
    let world = World::new();
    let later = NewJob::new("mail", "1").with_due(Due::In(chrono::TimeDelta::hours(1)));
    let id = world.enqueue(later).await;
    let path = format!("/jobs/{id}");
    let to = |action: &'static str| [("action", action), ("back", "/jobs/1"), ("reason", "no use"), ("priority", "7")];
    let done = world.post("operator", &path, &to("retry")).await;
    assert_eq!((done.status, done.location()), (StatusCode::SEE_OTHER, "/jobs/1?done=retry.1.0"));
    assert!(world.get("operator", done.location()).await.text.contains("Due now: 1 job."));
    let why = world.get("viewer", &format!("/api/jobs/{id}")).await.json();
    assert_eq!((why["why"]["reason"].as_str(), why["id"].as_str()), (Some("no_node"), Some("1")));
    world.post("operator", &path, &to("priority")).await;
    assert_eq!(world.get("viewer", &format!("/api/jobs/{id}")).await.json()["priority"], 7);
    world.post("operator", &path, &to("cancel")).await;
    let cancelled = world.get("viewer", &format!("/api/jobs/{id}")).await.json();
    assert_eq!(cancelled["cancel_reason"], "no use (cancelled by operator)");
    assert_eq!(world.post("operator", &path, &to("release")).await.status, StatusCode::CONFLICT);
    assert_eq!(world.post("operator", &path, &to("vanish")).await.status, StatusCode::BAD_REQUEST);
    world.post("operator", &path, &to("retry")).await;
    assert_eq!(status(&world, id).await, "scheduled");
    let blocked = world.enqueue(NewJob::new("mail", "1").with_blocked(true)).await;
    world.post("operator", &format!("/jobs/{blocked}"), &to("release")).await;
    assert_eq!(status(&world, blocked).await, "scheduled");
    let told = world.changes.lock().unwrap().clone();
    let words: Vec<_> = told.iter().map(|change| (change.action, change.error.is_some())).collect();
    let expected = [
        ("retry", false),
        ("priority", false),
        ("cancel", false),
        ("release", true),
        ("retry", false),
        ("release", false),
    ];
    assert_eq!(words, expected);
    assert_eq!((told[1].before["priority"].as_i64(), told[1].after["priority"].as_i64()), (Some(0), Some(7)));
    assert!(told.iter().all(|change| change.by == "operator" && change.executor.as_ref().unwrap().as_str() == "mail"));
}

#[tokio::test]
async fn a_change_needs_a_token_of_whoever_makes_it_and_comes_from_here() {
    let world = World::new();
    let id = world.enqueue(NewJob::new("mail", "1")).await;
    let path = format!("/jobs/{id}");
    let token = world.token("operator").await;
    let with = |token: &'static str| [("action", "cancel"), ("token", token)];
    for fields in [&with("")[..], &with("0123")[..], &[("action", "cancel")][..]] {
        assert_eq!(world.post_plainly("operator", &path, fields, &[]).await.status, StatusCode::FORBIDDEN);
    }
    let mine = [("action", "cancel"), ("token", token.as_str())];
    assert_eq!(world.post_plainly("admin", &path, &mine, &[]).await.status, StatusCode::FORBIDDEN, "it is not theirs");
    for headers in
        [[("sec-fetch-site", "cross-site")], [("sec-fetch-site", "same-site")], [("origin", "https://evil.example")]]
    {
        let headers = [headers[0], ("host", "here.example")];
        assert_eq!(
            world.post_plainly("operator", &path, &mine, &headers).await.status,
            StatusCode::FORBIDDEN,
            "{headers:?}"
        );
    }
    assert_eq!(status(&world, id).await, "scheduled");
    assert!(world.changes.lock().unwrap().is_empty());
    let headers = [("origin", "null"), ("host", "here.example")];
    assert_eq!(world.post_plainly("operator", &path, &mine, &headers).await.status, StatusCode::FORBIDDEN);
    let behind = [("origin", "https://here.example"), ("host", "10.0.0.7"), ("x-forwarded-host", "here.example")];
    let retry = [("action", "retry"), ("token", token.as_str())];
    assert_eq!(world.post_plainly("operator", &path, &retry, &behind).await.status, StatusCode::SEE_OTHER);
    let headers = [("origin", "https://here.example"), ("host", "here.example")];
    assert_eq!(world.post_plainly("operator", &path, &mine, &headers).await.status, StatusCode::SEE_OTHER);
    assert_eq!(status(&world, id).await, "cancelled");
}

#[tokio::test]
async fn nobody_is_led_away_after_a_change() {
    let world = World::under("/q");
    let id = world.enqueue(NewJob::new("mail", "1")).await;
    for (back, expected) in [
        ("https://evil.example/", "/q?done=retry.1.0"),
        ("//evil.example/", "/q?done=retry.1.0"),
        ("/\\evil.example", "/q?done=retry.1.0"),
        ("/jobs?q=a%20b", "/q/jobs?q=a%20b&done=retry.1.0"),
        ("/", "/q?done=retry.1.0"),
    ] {
        let done = world.post("operator", &format!("/jobs/{id}"), &[("action", "retry"), ("back", back)]).await;
        assert_eq!(done.location(), expected, "{back}");
    }
    // The address says what was done in words of ours alone.
    let page = world.get("operator", "/jobs?done=you%20are%20hacked.1.0").await.text;
    assert!(!page.contains("hacked") && !page.contains("class=\"notice\""), "{page}");
}

#[tokio::test]
async fn a_selection_and_all_that_match_are_changed_and_counted() {
    let world = World::new();
    let mut ids = Vec::new();
    for number in 0..12 {
        ids.push(world.enqueue(NewJob::new(["mail", "print"][number % 2], "1")).await.to_string());
    }
    let some =
        [("action", "cancel"), ("id", ids[0].as_str()), ("id", ids[1].as_str()), ("id", "999"), ("back", "/jobs")];
    assert_eq!(world.post("operator", "/jobs/bulk", &some).await.location(), "/jobs?done=cancel.2.0");
    let none = world.post("operator", "/jobs/bulk", &[("action", "cancel")]).await;
    assert_eq!(none.status, StatusCode::BAD_REQUEST);
    // All that match are asked about first, with their number.
    let all = [("action", "cancel"), ("all", "1"), ("q", "executor:mail"), ("status", "scheduled"), ("back", "/jobs")];
    let asked = world.post("operator", "/jobs/bulk", &all).await;
    assert_eq!(asked.status, StatusCode::OK);
    assert!(
        asked.text.contains("Cancel 5 jobs?") && asked.text.contains("name=\"sure\" value=\"1\""),
        "{}",
        asked.text
    );
    assert_eq!(status(&world, &ids[2]).await, "scheduled");
    let sure: Vec<_> = all.into_iter().chain([("sure", "1")]).collect();
    assert_eq!(world.post("operator", "/jobs/bulk", &sure).await.location(), "/jobs?done=cancel.5.0");
    assert_eq!([status(&world, &ids[2]).await, status(&world, &ids[3]).await], ["cancelled", "scheduled"]);
    let again = [("action", "cancel"), ("id", ids[0].as_str()), ("id", ids[3].as_str())];
    let done = world.post("operator", "/jobs/bulk", &again).await;
    assert_eq!(done.location(), "/?done=cancel.1.1");
    assert!(world.get("operator", done.location()).await.text.contains("1 could not be changed as they are now."));
}

#[tokio::test]
async fn executors_are_paused_with_a_reason_and_resumed() {
    let world = World::new();
    world.node("n", &["mail"]).await;
    let pause = [
        ("action", "pause"),
        ("executor", "mail"),
        ("reason", "SMTP is down"),
        ("minutes", "90"),
        ("back", "/executors"),
    ];
    assert_eq!(world.post("operator", "/executors", &pause).await.location(), "/executors?done=pause");
    let page = world.get("viewer", "/executors").await.text;
    assert!(page.contains("SMTP is down") && page.contains("by operator"), "{page}");
    assert!(world.get("viewer", "/").await.text.contains("mail is paused"));
    let wrong = [("action", "pause"), ("executor", "mail"), ("reason", "x"), ("minutes", "0")];
    assert_eq!(world.post("operator", "/executors", &wrong).await.status, StatusCode::BAD_REQUEST);
    world.post("operator", "/executors", &[("action", "resume"), ("executor", "mail")]).await;
    assert!(!world.get("viewer", "/executors").await.text.contains("SMTP is down"));
}

#[tokio::test]
async fn schedules_are_paused_triggered_and_removed() {
    let world = World::new();
    let schedule = Schedule::parse("0 30 9 * * *", "Europe/Berlin").unwrap();
    let entry = rexecutor::schedule::NewEntry::new(schedule, &NewJob::new("report", "7"));
    let put = EntryStep::put("mornings", "ann", entry);
    world.backend.entries().unwrap().step(vec![put]).await.unwrap();
    let to = |action: &'static str| {
        [("action", action), ("name", "mornings"), ("reason", "holidays"), ("back", "/schedules")]
    };
    assert!(world.get("viewer", "/schedules").await.text.contains("at 09:30 every day, Berlin time"));
    assert_eq!(world.post("operator", "/schedules", &to("pause")).await.location(), "/schedules?done=pause");
    assert!(world.get("viewer", "/schedules").await.text.contains("holidays"));
    assert_eq!(world.post("operator", "/schedules", &to("trigger")).await.location(), "/schedules?done=trigger");
    assert_eq!(world.get("viewer", "/api/jobs?q=report").await.json()["jobs"].as_array().unwrap().len(), 1);
    assert_eq!(world.post("operator", "/schedules", &to("resume")).await.location(), "/schedules?done=resume");
    assert_eq!(world.post("operator", "/schedules", &to("remove")).await.status, StatusCode::FORBIDDEN);
    assert_eq!(world.post("admin", "/schedules", &to("remove")).await.location(), "/schedules?done=remove");
    assert_eq!(world.post("admin", "/schedules", &to("trigger")).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_group_of_dead_letters_is_retried_and_no_other() {
    let world = World::new();
    let mut ids = Vec::new();
    for number in 0..3 {
        ids.push(world.discarded("mail", "smtp", &format!("host 10.0.0.{number} is down")).await);
    }
    let other = world.discarded("mail", "smtp", "no such user").await;
    let page = world.get("operator", "/dead").await.text;
    assert!(page.contains("host #.#.#.# is down"), "{page}");
    let retry = [
        ("action", "retry"),
        ("executor", "mail"),
        ("type", "smtp"),
        ("headline", "host #.#.#.# is down"),
        ("back", "/dead"),
    ];
    assert_eq!(world.post("operator", "/dead", &retry).await.location(), "/dead?done=retry.3.0");
    assert_eq!([status(&world, ids[0]).await, status(&world, other).await], ["scheduled", "discarded"]);
    // Deleting is for good, and asks.
    let unsure = [("action", "delete"), ("executor", "mail")];
    assert_eq!(world.post("admin", "/dead", &unsure).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_group_of_dead_letters_is_deleted_and_no_other() {
    let world = World::new();
    let mut gone = Vec::new();
    for number in 0..3 {
        gone.push(world.discarded("mail", "oops", &format!("order {number} is late")).await);
    }
    let kept = [
        world.discarded("mail", "oops", "it is early").await,
        world.discarded("mail", "other", "order 1 is late").await,
        world.discarded("print", "oops", "order 1 is late").await,
    ];
    let page = world.get("admin", "/dead").await.text;
    assert!(page.contains("Delete 3 jobs for good"), "{page}");
    assert!(!world.get("operator", "/dead").await.text.contains("for good"), "who may not is not asked");
    let purge = [
        ("action", "purge"),
        ("executor", "mail"),
        ("type", "oops"),
        ("headline", "order # is late"),
        ("back", "/dead"),
        ("sure", "1"),
    ];
    assert_eq!(world.post("operator", "/dead", &purge).await.status, StatusCode::FORBIDDEN);
    assert_eq!(world.post("admin", "/dead", &purge[..5]).await.status, StatusCode::BAD_REQUEST, "nobody is sure");
    assert_eq!(world.post("admin", "/dead", &purge).await.location(), "/dead?done=delete.3.0");
    for id in gone {
        assert_eq!(world.get("viewer", &format!("/api/jobs/{id}")).await.status, StatusCode::NOT_FOUND);
    }
    for id in kept {
        assert_eq!(status(&world, id).await, "discarded");
    }
    let told = world.changes.lock().unwrap().clone();
    let change = told.last().unwrap();
    assert_eq!((change.action, change.by.as_str(), change.after["done"].as_i64()), ("delete", "admin", Some(3)));
    assert_eq!(change.before["headline"], "order # is late");
}
