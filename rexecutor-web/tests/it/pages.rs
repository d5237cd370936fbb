//! What pages show, and where they stand.

use axum::http::StatusCode;
use rexecutor::{
    backend::{Due, NewJob},
    schedule::TimeZoneData,
};

use crate::support::{PAGES, World};

#[tokio::test]
async fn every_page_is_there_with_no_job_at_all() {
    let world = World::new();
    for path in PAGES {
        let page = world.get("operator", path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        assert!(page.text.starts_with("<!DOCTYPE html>") && page.text.contains("data-live"), "{path}");
    }
    assert_eq!(world.get("viewer", "/jobs/7").await.status, StatusCode::NOT_FOUND);
    assert_eq!(world.get("viewer", "/jobs/seven").await.status, StatusCode::NOT_FOUND);
    assert_eq!(world.get("viewer", "/no/such").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_dashboard_stands_under_any_prefix_and_links_to_nothing_else() {
    for prefix in ["", "/jobs", "/admin/queue/v1"] {
        let world = World::under(prefix);
        let id = world.enqueue(NewJob::new("mail", "1")).await;
        for path in
            PAGES.map(str::to_owned).into_iter().chain([format!("/jobs/{id}"), "/jobs?status=scheduled".to_owned()])
        {
            let page = world.get("admin", &path).await;
            assert_eq!(page.status, StatusCode::OK, "{prefix}{path}");
            for attribute in ["href=\"", "action=\"", "src=\""] {
                for link in page.text.split(attribute).skip(1).map(|rest| rest.split('"').next().unwrap()) {
                    let is_ours =
                        link.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
                    assert!(is_ours || link == "#main", "{prefix}{path}: {link}");
                    assert!(!link.starts_with("//") && link != format!("{prefix}//"), "{link}");
                }
            }
        }
        // Each link of the navigation leads somewhere.
        let home = world.get("admin", "/").await.text;
        let nav = home.split("<nav").nth(1).unwrap().split("</nav>").next().unwrap();
        for link in nav.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
            let path = link.strip_prefix(prefix).unwrap();
            let path = if path.is_empty() { "/" } else { path };
            assert_eq!(world.get("admin", path).await.status, StatusCode::OK, "{link}");
        }
    }
}

#[tokio::test]
async fn nothing_is_loaded_from_elsewhere_and_nothing_stands_in_the_page_itself() {
    let world = World::new();
    let id = world.discarded("mail", "oops", "it broke").await;
    for path in PAGES.map(str::to_owned).into_iter().chain([format!("/jobs/{id}")]) {
        let page = world.get("admin", &path).await;
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(page.headers["x-frame-options"], "DENY");
        assert_eq!(page.headers["cache-control"], "no-store");
        for never in [" style=", "<style", "onclick=", "http://", "https://", "javascript:"] {
            assert!(!page.text.contains(never), "{path}: {never}");
        }
        assert!(page.text.matches("<script").count() == 1 && page.text.contains("defer></script>"), "{path}");
    }
    for asset in ["/assets/style.css", "/assets/live.js", "/assets/icon.svg"] {
        let answer = world.get("", asset).await;
        assert_eq!(
            (answer.status, answer.headers["x-content-type-options"].to_str().unwrap()),
            (StatusCode::OK, "nosniff")
        );
        assert!(answer.headers["cache-control"].to_str().unwrap().contains("immutable"));
    }
}

#[tokio::test]
async fn the_list_is_filtered_and_paged_by_the_address() {
    let world = World::new();
    for number in 0..70 {
        let job = NewJob::new(["mail", "print"][number % 2], number.to_string());
        world.enqueue(job.with_tags(vec![format!("tag-{}", number % 7)])).await;
    }
    let rows = |text: &str| text.matches("name=\"id\"").count();
    let first = world.get("operator", "/jobs").await.text;
    assert_eq!(rows(&first), 50);
    let next = first.split("rel=\"next\" href=\"").nth(1).unwrap().split('"').next().unwrap().replace("&amp;", "&");
    let second = world.get("operator", &next).await.text;
    assert_eq!(rows(&second), 20);
    assert!(second.contains("First page") && !second.contains("rel=\"next\""));
    assert_eq!(rows(&world.get("operator", "/jobs?q=executor:mail").await.text), 35);
    assert_eq!(rows(&world.get("operator", "/jobs?q=tag:tag-3&status=scheduled").await.text), 10);
    assert_eq!(rows(&world.get("operator", "/jobs?q=data:69").await.text), 1);
    assert_eq!(rows(&world.get("operator", "/jobs?status=complete").await.text), 0);
    assert_eq!(world.get("operator", "/jobs?status=done").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(world.get("operator", "/jobs?q=since:yesterdayish").await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_job_says_why_it_is_not_running_and_what_it_holds() {
    let world = World::new();
    let later =
        NewJob::new("mail", r#"{"z":1.0,"a":18446744073709551617}"#).with_due(Due::In(chrono::TimeDelta::hours(2)));
    let id = world.enqueue(later).await;
    let page = world.get("viewer", &format!("/jobs/{id}")).await.text;
    assert!(page.contains("It is due in 1 h 59 min") || page.contains("It is due in 2 h"), "{page}");
    assert!(page.contains("{\n  &quot;z&quot;: 1.0,\n  &quot;a&quot;: 18446744073709551617\n}"), "{page}");
    let due = world.enqueue(NewJob::new("mail", "1")).await;
    assert!(world.get("viewer", &format!("/jobs/{due}")).await.text.contains("No node is alive."));
    world.node("w", &["print"]).await;
    assert!(world.get("viewer", &format!("/jobs/{due}")).await.text.contains("One node is alive, and it does not run"));
}

/// A circuit breaker that is open says since when and why, and is closed by the button that ends a pause.
#[tokio::test]
async fn case_14_6_an_open_circuit_breaker_is_shown_and_closed() {
    use rexecutor::backend::{CircuitBreaker, Failure, Outcome, Settle, Settlement};

    let world = World::new();
    world.enqueue(NewJob::new("mail", "1").with_max_attempts(3)).await;
    let node = world.node("w", &["mail"]).await;
    let run = world.claim(node, "mail").await;
    let failed = Failure::new(rexecutor::job::ErrorType::Timeout, "no <answer>");
    let end = Settlement::new(run.id, run.lease, Outcome::retry(chrono::TimeDelta::zero(), failed));
    let minute = std::time::Duration::from_secs(60);
    let end = end.with_circuit_breaker(Some(CircuitBreaker::new(1, minute, minute)));
    world.backend.settle([end].into()).await.unwrap();
    let page = world.get("operator", "/executors").await.text;
    for part in ["by its circuit breaker", "no &lt;answer&gt;", ">Resume<"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    world.post("operator", "/executors", &[("executor", "mail"), ("action", "resume")]).await;
    assert!(!world.get("operator", "/executors").await.text.contains("by its circuit breaker"));
}

/// A tag is paused and resumed by an admin of all executors, in the page and by the API, and by nobody else.
#[tokio::test]
async fn case_14_6_a_tag_is_paused_and_resumed() {
    let world = World::new();
    let id = world.enqueue(NewJob::new("mail", "1").with_tags(vec!["<vip>".to_owned()])).await;
    world.node("w", &["mail"]).await;
    let pause = [("of_tag", "1"), ("tag", "<vip>"), ("reason", "their endpoint is down"), ("action", "pause")];
    let refused = world.post("operator", "/executors", &pause).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    world.post("admin", "/executors", &pause).await;
    let page = world.get("viewer", "/executors").await.text;
    assert!(page.contains("&lt;vip&gt;") && page.contains("their endpoint is down"), "{page}");
    let why = world.get("viewer", &format!("/jobs/{id}")).await.text;
    assert!(why.contains("Its tag `&lt;vip&gt;` is paused by"), "{why}");
    let told = world.get("viewer", "/api/executors").await.json();
    assert_eq!(
        (&told["tags"][0]["tag"], &told["tags"][0]["paused"]["reason"]),
        (&"<vip>".into(), &"their endpoint is down".into())
    );
    world.post("admin", "/executors", &[("of_tag", "1"), ("tag", "<vip>"), ("action", "resume")]).await;
    assert!(
        world.get("viewer", "/executors").await.text.contains("Jobs of all tags are claimed")
            || !world.get("viewer", "/executors").await.text.contains("vip")
    );
    let empty = world.post("admin", "/executors", &[("of_tag", "1"), ("tag", " "), ("action", "pause")]).await;
    assert_eq!(empty.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn data_are_redacted_where_that_is_asked_for() {
    let world = World::of("", |dashboard| {
        dashboard.with_redaction(
            |job, text| if job.executor.as_str() == "card" { "(hidden)".to_owned() } else { text.to_owned() },
        )
    });
    let id = world.enqueue(NewJob::new("card", r#"{"number":"4711"}"#)).await;
    for path in ["/jobs".to_owned(), format!("/jobs/{id}"), "/api/jobs".to_owned(), format!("/api/jobs/{id}")] {
        let answer = world.get("admin", &path).await.text;
        assert!(answer.contains("(hidden)") && !answer.contains("4711"), "{path}");
    }
    assert_eq!(world.get("admin", "/jobs?q=data:4711").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(world.get("admin", "/api/jobs?q=data:4711").await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn health_is_told_to_anybody_and_says_nothing_of_jobs() {
    let world = World::new();
    assert_eq!(world.get("", "/live").await.json()["status"], "ok");
    let ready = world.get("", "/ready").await;
    assert_eq!((ready.status, &ready.json()["status"]), (StatusCode::OK, &"ok".into()));
    assert_eq!(ready.json()["checks"][0]["check"], "database");
    let rules = ready.json()["checks"].as_array().unwrap().iter().find(|check| check["check"] == "time_zones").cloned();
    assert_eq!(rules.unwrap()["rules"], TimeZoneData::used().to_string());
}
