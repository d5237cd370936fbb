//! Who has changed what: recorded with every change, and shown to operators.

use axum::http::StatusCode;
use rexecutor::{
    backend::{AuditEntry, AuditObject, Backend, Due, NewJob},
    schedule::{EntryStep, NewEntry, Schedule},
};
use serde_json::{Value, json};

use crate::support::World;

/// The entries, the oldest first: `who action kind id`.
async fn entries(world: &World, query: &str) -> Vec<Value> {
    let answer = world.get("admin", &format!("/api/audit?{query}")).await.json();
    let mut entries = answer["entries"].as_array().unwrap().clone();
    entries.reverse();
    entries
}

fn told(entries: &[Value]) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let one = |entry: &Value| {
        let object = &entry["object"];
        let parts = [&entry["by"], &entry["via"], &entry["action"], &object["kind"], &object["id"], &entry["executor"]];
        parts.map(text).join(" ")
    };
    entries.iter().map(one).collect()
}

#[tokio::test]
async fn every_change_is_recorded_with_what_was_there_before_and_after() {
    let world = World::new();
    let later = NewJob::new("mail", "1").with_due(Due::In(chrono::TimeDelta::hours(1)));
    let id = world.enqueue(later).await;
    let path = format!("/jobs/{id}");
    world.post("operator", &path, &[("action", "priority"), ("priority", "7")]).await;
    world.post("operator", &path, &[("action", "cancel"), ("reason", "no use")]).await;
    assert_eq!(world.post("operator", &path, &[("action", "release")]).await.status, StatusCode::CONFLICT);
    let pause = [("action", "pause"), ("executor", "mail"), ("reason", "SMTP is down")];
    world.post("operator", "/executors", &pause).await;
    world.post("admin", "/executors", &[("action", "resume"), ("executor", "mail")]).await;
    world.post("admin", "/executors", &[("action", "pause"), ("cluster", "1"), ("reason", "x")]).await;
    let tag = [("of_tag", "1"), ("tag", "vip"), ("reason", "y"), ("action", "pause")];
    world.post("admin", "/executors", &tag).await;
    world.post("admin", "/executors", &[("action", "resume"), ("cluster", "1")]).await;
    let schedule = Schedule::parse("0 30 9 * * *", "UTC").unwrap();
    let put = EntryStep::put("daily", "ann", NewEntry::new(schedule, &NewJob::new("report", "1")));
    world.backend.entries().unwrap().step(vec![put]).await.unwrap();
    for action in ["trigger", "pause", "remove"] {
        let fields = [("action", action), ("name", "daily"), ("reason", "z")];
        assert_eq!(world.post("admin", "/schedules", &fields).await.status, StatusCode::SEE_OTHER, "{action}");
    }
    let flow = rexecutor::backend::flows::StoredFlow::batch("all");
    let flow = world.backend.flows().unwrap().create(flow, vec![NewJob::new("mail", "1")]).await.unwrap();
    world.post("operator", &format!("/workflows/{}", flow.id), &[("action", "cancel")]).await;
    let marked = [("x-requested-with", "test")];
    world.call("operator", "/api/enqueue", r#"{"executor":"mail","data":{"card":4711}}"#, &marked).await;
    world.discarded("mail", "oops", "it broke").await;
    world.post("admin", "/dead", &[("action", "delete"), ("sure", "1"), ("executor", "mail")]).await;

    let all = entries(&world, "").await;
    let expected = [
        "operator dashboard priority job 1 mail",
        "operator dashboard cancel job 1 mail",
        "operator dashboard release job 1 mail",
        "operator dashboard pause executor mail mail",
        "admin dashboard resume executor mail mail",
        "admin dashboard pause cluster  -",
        "admin dashboard pause tag vip -",
        "admin dashboard resume cluster  -",
        "admin dashboard trigger schedule daily report",
        "admin dashboard pause schedule daily report",
        "admin dashboard remove schedule daily report",
        "operator dashboard cancel flow 1 -",
        "operator api enqueue job 4 mail",
        "admin dashboard delete jobs  mail",
    ];
    assert_eq!(told(&all), expected);
    assert_eq!([&all[0]["before"], &all[0]["after"]], [&json!({ "priority": 0 }), &json!({ "priority": 7 })]);
    assert_eq!(all[1]["before"], json!({ "status": "scheduled" }));
    assert!(all[2]["error"].as_str().is_some_and(|why| why.contains("cancelled")), "it was refused: {}", all[2]);
    assert!(all[1]["error"].is_null());
    assert_eq!(all[3]["before"], json!({ "paused": false }));
    assert_eq!(all[4]["before"]["reason"], "SMTP is down");
    assert_eq!((&all[4]["before"]["by"], &all[4]["after"]), (&json!("operator"), &json!({ "paused": false })));
    assert_eq!(all[8]["after"], json!({ "job": "2" }));
    assert_eq!(all[10]["before"]["expression"], "0 30 9 * * *");
    assert_eq!(all[12]["after"], json!({ "result": "inserted" }), "no data are told");
    assert_eq!(all[13]["after"], json!({ "done": 1 }));
    assert!(!world.get("admin", "/audit").await.text.contains("4711"));
    // What is told to the program is the same.
    let changes = world.changes.lock().unwrap().clone();
    assert_eq!(
        changes.iter().map(|change| change.action).collect::<Vec<_>>(),
        all.iter().map(|entry| entry["action"].as_str().unwrap()).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn of_many_jobs_each_is_recorded_and_how_many_they_were() {
    let world = World::new();
    let mut ids = Vec::new();
    for _ in 0..250 {
        ids.push(world.enqueue(NewJob::new("mail", "1")).await.to_string());
    }
    let cancel = [("action", "cancel"), ("id", ids[0].as_str())];
    world.post("operator", "/jobs/bulk", &cancel).await;
    // One of them is cancelled already.
    let fields: Vec<_> =
        ids.iter().map(|id| ("id", id.as_str())).chain([("action", "cancel"), ("reason", "x")]).collect();
    assert_eq!(world.post("operator", "/jobs/bulk", &fields).await.location(), "/?done=cancel.249.1");
    let whole = entries(&world, "limit=1").await;
    assert_eq!(told(&whole), ["operator dashboard cancel jobs  mail"]);
    assert_eq!(whole[0]["before"], json!({ "selected": 250 }));
    assert_eq!(whole[0]["after"], json!({ "jobs": 250, "done": 249, "refused": 1 }));
    for (id, count) in [(&ids[0], 2), (&ids[249], 1)] {
        let of = entries(&world, &format!("job={id}")).await;
        assert_eq!(of.len(), count, "{id}: {of:?}");
    }
    assert!(entries(&world, &format!("job={}", ids[0])).await[1]["error"].is_string());
    let all = [("action", "retry"), ("all", "1"), ("sure", "1"), ("q", "executor:mail"), ("status", "cancelled")];
    world.post("operator", "/jobs/bulk", &all).await;
    let whole = entries(&world, "limit=1&action=retry").await;
    assert_eq!(whole[0]["before"], json!({ "matching": "executor:mail", "status": "cancelled" }));
    assert_eq!(whole[0]["after"], json!({ "jobs": 250, "done": 250, "refused": 0 }));
}

#[tokio::test]
async fn the_page_is_filtered_and_paged_by_the_address() {
    let world = World::new();
    let log = world.backend.audit_log().unwrap();
    for nth in 0..120_i64 {
        let object = AuditObject::job((nth % 4).into());
        let entry = AuditEntry::new(
            ["ann", "bob & co"][usize::try_from(nth % 2).unwrap()],
            ["retry", "cancel", "pause"][usize::try_from(nth % 3).unwrap()],
            object,
        );
        log.record_audit(vec![entry.with_executor(Some("mail".into()))]).await.unwrap();
    }
    let rows = |text: &str| text.split("<tbody>").nth(1).map_or(0, |body| body.matches("<tr>").count());
    let (mut path, mut seen) = ("/audit".to_owned(), Vec::new());
    loop {
        let page = world.get("operator", &path).await.text;
        seen.push(rows(&page));
        let Some(next) = page.split("rel=\"next\" href=\"").nth(1) else { break };
        path = next.split('"').next().unwrap().replace("&amp;", "&");
    }
    assert_eq!(seen, [50, 50, 20]);
    assert!(world.get("operator", &path).await.text.contains("First page"));
    for (query, count) in [
        ("by=ann", 50),
        ("by=ann&limit=500", 60),
        ("by=bob%20%26%20co&action=cancel", 20),
        ("job=3&limit=500", 30),
        ("job=3&by=ann", 0),
        ("executor=mail&limit=7", 7),
        ("executor=print", 0),
        ("action=vanish", 0),
    ] {
        assert_eq!(rows(&world.get("operator", &format!("/audit?{query}")).await.text), count, "{query}");
    }
    // The next page keeps the filter.
    let page = world.get("operator", "/audit?by=bob%20%26%20co").await.text;
    let next = page.split("rel=\"next\" href=\"").nth(1).unwrap().split('"').next().unwrap().replace("&amp;", "&");
    assert_eq!(rows(&world.get("operator", &next).await.text), 10, "{next}");
    assert!(world.get("operator", "/audit?action=vanish").await.text.contains("No change matches."));
    for query in ["job=seven", "before=x", "limit=many"] {
        assert_eq!(world.get("operator", &format!("/audit?{query}")).await.status, StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(world.get("operator", &format!("/api/audit?{query}")).await.status, StatusCode::BAD_REQUEST);
    }
    let first = world.get("operator", "/api/audit?limit=2").await.json();
    let next = first["next"].as_str().unwrap();
    let second = world.get("operator", &format!("/api/audit?limit=2&before={next}")).await.json();
    let ids = |page: &Value| {
        page["entries"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| entry["id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!([ids(&first), ids(&second)], [["120", "119"], ["118", "117"]]);
}

#[tokio::test]
async fn viewers_do_not_see_it_and_operators_see_what_is_about_their_executors() {
    let world = World::new();
    for path in ["/audit", "/api/audit"] {
        assert_eq!(world.get("viewer", path).await.status, StatusCode::FORBIDDEN, "{path}");
        assert_eq!(world.get("operator", path).await.status, StatusCode::OK, "{path}");
    }
    let job = world.enqueue(NewJob::new("mail", "1")).await;
    let link = format!("href=\"/audit?job={job}\"");
    for (user, sees) in [("viewer", false), ("operator", true)] {
        assert_eq!(world.get(user, "/").await.text.contains("href=\"/audit\""), sees, "{user}");
        assert_eq!(world.get(user, &format!("/jobs/{job}")).await.text.contains(&link), sees, "{user}");
    }
    let of = |executor: &'static str| {
        AuditEntry::new("ann", "cancel", AuditObject::job(1.into())).with_executor(Some(executor.into()))
    };
    let whole = AuditEntry::new("ann", "pause", AuditObject::cluster());
    world.backend.audit_log().unwrap().record_audit(vec![of("mail"), of("secret"), whole]).await.unwrap();
    for (query, count) in [("", 1), ("?job=1", 1), ("?executor=secret", 0), ("?executor=mail", 1)] {
        let seen = world.get("mail-operator", &format!("/api/audit{query}")).await.json();
        let seen = seen["entries"].as_array().unwrap().clone();
        assert_eq!(seen.len(), count, "{query}");
        assert!(seen.iter().all(|entry| entry["executor"] == "mail"), "{query}: {seen:?}");
    }
    assert_eq!(world.get("admin", "/api/audit").await.json()["entries"].as_array().unwrap().len(), 3);
}

/// The change is carried through, and recorded, though nobody waits for the answer any more.
#[tokio::test]
async fn a_change_whose_asker_has_gone_is_recorded() {
    let world = World::new();
    let id = world.enqueue(NewJob::new("mail", "1")).await;
    let path = format!("/api/jobs/{id}/cancel");
    let marked = [("x-requested-with", "test")];
    let mut call = Box::pin(world.call("operator", &path, "{}", &marked));
    // It is begun, and dropped.
    assert!(futures::poll!(&mut call).is_pending());
    drop(call);
    while entries(&world, "").await.is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(told(&entries(&world, "").await), [format!("operator api cancel job {id} mail")]);
}

/// Entries are kept for as long as the dashboard says.
#[tokio::test]
async fn the_retention_is_that_of_the_dashboard() {
    let day = std::time::Duration::from_secs(24 * 3_600);
    for (world, days) in [(World::new(), 90), (World::of("", |dashboard| dashboard.with_audit_retention(day * 7)), 7)] {
        let id = world.enqueue(NewJob::new("mail", "1")).await;
        world.post("operator", &format!("/jobs/{id}"), &[("action", "cancel")]).await;
        let entry = entries(&world, "").await.remove(0);
        let time = |name: &str| entry[name].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap();
        assert_eq!((time("kept_until") - time("at")).num_days(), days);
    }
}
