//! Texts that would break out of a page, in every field that can hold one.

use std::time::Duration;

use rexecutor::{
    backend::{Backend, NewJob, Pause, RunEnd, Scope, Tally, Task},
    schedule::{EntryStep, NewEntry, Schedule},
};

use crate::support::{PAGES, World};

const HOSTILE: [&str; 6] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "</textarea></pre></title><svg/onload=alert(1)>",
    "javascript:alert(1)",
    "&lt;b&gt;\u{202e}\u{7}\n\r\t{{7*7}}",
];

/// Whether any of them stands in a page as something else than text. Every attribute is in double quotes.
fn breaks_out(page: &str) -> Option<&'static str> {
    let marks = ["<script>alert", "<img", "<svg/onload", "</textarea>", "href=\"javascript:", "</pre></title>"];
    marks.into_iter().find(|mark| page.contains(mark))
}

#[tokio::test]
async fn hostile_texts_are_shown_as_texts_wherever_they_stand() {
    for text in HOSTILE {
        let world = World::of("", |dashboard| dashboard.with_warning_banner(text));
        let name = text.to_owned();
        let mut job = NewJob::new(name.clone(), serde_json::to_string(text).unwrap());
        job = job.with_metadata(Some(serde_json::to_string(text).unwrap())).with_tags(vec![name.clone()]);
        job = job.with_group_key(name.clone());
        let waiting = world.enqueue(job).await;
        let dead = world.discarded("mail", text, text).await;
        let node = world.node(text, &[text]).await;
        let running = world.claim(node, text).await;
        assert_eq!(running.id, waiting);
        world
            .backend
            .control()
            .unwrap()
            .pause(&Scope::Executor(name.clone().into()), Pause::new(text).by(text))
            .await
            .unwrap();
        let tally = Tally::new(name.clone(), RunEnd::Discarded, Duration::ZERO);
        let tally = tally.with(Duration::from_secs(1), Duration::from_secs(1));
        world.backend.history().unwrap().add(vec![tally]).await.unwrap();
        world.backend.control().unwrap().pause(&Scope::Cluster, Pause::new(text).by(text)).await.unwrap();
        let schedule = Schedule::parse("0 30 9 * * *", "UTC").unwrap();
        let put = EntryStep::put(text, text, NewEntry::new(schedule, &NewJob::new(name.clone(), "1")));
        let pause = EntryStep::pause(text, Pause::new(text).by(text));
        let entries = world.backend.entries().unwrap();
        entries.step(vec![put]).await.unwrap();
        entries.step(vec![pause]).await.unwrap();
        let cancelled = world.enqueue(NewJob::new("mail", "1")).await;
        let cancel = [("action", "cancel"), ("reason", text)];
        world.post("operator", &format!("/jobs/{cancelled}"), &cancel).await;
        let first = NewJob::new(name.clone(), "1").with_task(Task::new(text));
        let flow = rexecutor::backend::flows::StoredFlow::workflow(text);
        let flow = world.backend.flows().unwrap().create(flow, vec![first]).await.unwrap();
        let of = rexecutor::backend::AuditObject::new(text, text);
        let entry = rexecutor::backend::AuditEntry::new(text, text, of).with_via(text).with_error(Some(name.clone()));
        let entry = entry.with_executor(Some(name.clone().into())).with_before(text).with_after(text);
        world.backend.audit_log().unwrap().record_audit(vec![entry]).await.unwrap();
        let paths = PAGES
            .map(str::to_owned)
            .into_iter()
            .chain([format!("/workflows/{}", flow.id), format!("/jobs/{}", flow.jobs[0].id())]);
        let jobs = [waiting, dead, cancelled].map(|id| format!("/jobs/{id}"));
        let encoded: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let of = [format!("/?of={encoded}"), format!("/?last={encoded}")];
        let audits =
            ["by", "action", "job", "executor", "before", "limit"].map(|name| format!("/audit?{name}={encoded}"));
        let searches = ["q", "status", "order", "after", "done"].map(|name| format!("/jobs?{name}={encoded}"));
        for path in paths.chain(jobs).chain(searches).chain(audits).chain(of).chain([format!("/no/{encoded}")]) {
            let page = world.get("admin", &path).await.text;
            assert_eq!(breaks_out(&page), None, "{text:?} at {path}");
        }
        let all = [("action", "cancel"), ("all", "1"), ("q", text), ("reason", text), (text, text)];
        let asked = world.post("admin", "/jobs/bulk", &all).await.text;
        assert_eq!(breaks_out(&asked), None, "{text:?} when asked");
        // As JSON they come back as they were.
        let json = world.get("admin", &format!("/api/jobs/{waiting}")).await.json();
        assert_eq!((json["executor"].as_str(), json["tags"][0].as_str()), (Some(text), Some(text)));
    }
}

/// What is stored of an executor can be found by clicking on it, whatever its name is.
#[tokio::test]
async fn the_links_of_hostile_names_lead_to_their_jobs() {
    for text in ["a & b", "<b>", "per cent %20", "ü: \u{1f980}", "semi;colon"] {
        let world = World::new();
        let id = world.enqueue(NewJob::new(text.to_owned(), "1")).await;
        let page = world.get("admin", "/executors").await.text;
        let link = page.split("<td><a class=\"open\" href=\"").nth(1).unwrap().split('"').next().unwrap();
        let found = world.get("admin", &link.replace("&amp;", "&")).await.text;
        assert!(found.contains(&format!("/jobs/{id}\"")), "{text}: {link}");
    }
}
