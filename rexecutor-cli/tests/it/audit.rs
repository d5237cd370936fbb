//! What the command changes stands in the audit log.

use serde_json::{Value, json};

use crate::support::{Place, fields};

/// The entries, the oldest first: `who via action kind id executor`.
fn told(entries: &[Value]) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let one = |entry: &Value| {
        let object = &entry["object"];
        let parts = [&entry["by"], &entry["via"], &entry["action"], &object["kind"], &object["id"], &entry["executor"]];
        parts.map(text).join(" ")
    };
    entries.iter().rev().map(one).collect()
}

#[test]
fn every_change_is_recorded_and_shown() {
    for place in Place::each() {
        assert_eq!(place.run(["audit"]).ends(0).out, "no change was recorded\n");
        for change in [
            &["enqueue", "mail", "--in", "1h"][..],
            &["jobs", "edit", "1", "--priority", "5"],
            &["executors", "pause", "mail", "--reason", "SMTP is down"],
            &["executors", "resume", "mail"],
            &["executors", "set-limits", "mail", "--cluster-concurrency", "2"],
            &["executors", "reset-limits", "mail"],
            &["cluster", "pause"],
            &["cluster", "resume"],
            &["nodes", "pause", "worker"],
            &["tags", "pause", "vip"],
            &["schedules", "add", "x", "--executor", "mail", "--every", "1h"],
            &["schedules", "trigger", "x"],
            &["schedules", "remove", "x"],
            &["jobs", "cancel", "1"],
        ] {
            place.run(change).ends(0);
        }
        // The one is cancelled already, the other waits.
        place.run(["jobs", "cancel", "1", "2"]).ends(3);
        place.run(["prune", "--status", "cancelled", "--keep", "0"]).ends(0);
        place.run(["schedules", "pause", "none"]).ends(3);
        // What is said and not done is no change.
        place.run(["jobs", "cancel", "--where", "mail", "--dry-run"]).ends(0);

        let page = place.json(["audit"]);
        assert_eq!(fields(&page), ["entries", "is_partial", "next", "now"]);
        let entries = page["entries"].as_array().unwrap();
        let known = ["action", "after", "at", "before", "by", "error", "executor", "id", "kept_until", "object", "via"];
        assert_eq!(fields(&entries[0]), known);
        let expected = [
            "ann cli enqueue jobs  mail",
            "ann cli edit job 1 mail",
            "ann cli pause executor mail mail",
            "ann cli resume executor mail mail",
            "ann cli set-limits executor mail mail",
            "ann cli reset-limits executor mail mail",
            "ann cli pause cluster  -",
            "ann cli resume cluster  -",
            "ann cli pause node worker -",
            "ann cli pause tag vip -",
            "ann cli add schedule x mail",
            "ann cli trigger schedule x mail",
            "ann cli remove schedule x mail",
            "ann cli cancel job 1 mail",
            "ann cli cancel jobs  -",
            "ann cli cancel job 1 mail",
            "ann cli cancel job 2 mail",
            "ann cli cancel jobs  -",
            "ann cli prune jobs  -",
            "ann cli pause schedule none -",
        ];
        assert_eq!(told(entries), expected);
        let nth = |nth: usize| &entries[entries.len() - 1 - nth];
        assert_eq!(nth(0)["after"], json!({ "done": 1, "first": "1" }));
        assert_eq!([&nth(1)["before"]["priority"], &nth(1)["after"]["priority"]], [0, 5]);
        assert_eq!(nth(2)["before"], json!({ "paused": false }));
        assert_eq!(nth(2)["after"]["reason"], "SMTP is down");
        assert_eq!((&nth(3)["before"]["by"], &nth(3)["after"]["paused"]), (&json!("ann"), &json!(false)));
        assert_eq!((&nth(4)["before"], &nth(4)["after"]["max_running"]), (&Value::Null, &json!(2)));
        assert_eq!(nth(5)["before"]["max_running"], 2);
        assert_eq!(nth(11)["after"], json!({ "job": "2" }));
        assert_eq!(nth(12)["before"]["name"], "x");
        assert_eq!(nth(17)["before"], json!({ "selected": 2 }));
        assert_eq!(nth(17)["after"], json!({ "jobs": 2, "done": 1, "refused": 1 }));
        assert_eq!((nth(15)["error"].is_string(), nth(16)["error"].is_null()), (true, true));
        assert_eq!(nth(18)["after"], json!({ "done": 2 }));
        assert!(nth(19)["error"].as_str().unwrap().contains("none"), "{}", nth(19));

        let of = |arguments: &[&str]| {
            let page = place.json([&["audit"], arguments].concat());
            told(page["entries"].as_array().unwrap())
        };
        assert_eq!(of(&["--job", "2"]), ["ann cli cancel job 2 mail"]);
        assert_eq!(of(&["--action", "prune"]), ["ann cli prune jobs  -"]);
        assert_eq!(of(&["--who", "bob"]), [""; 0]);
        assert_eq!(of(&["--executor", "mail", "--action", "pause"]), ["ann cli pause executor mail mail"]);
        let first = place.json(["audit", "--limit", "2"]);
        let next = first["next"].as_str().unwrap();
        assert_eq!(of(&["--limit", "1", "--before", next]), ["ann cli cancel jobs  -"]);
        let shown = place.run(["audit", "--limit", "3"]).ends(0).out;
        assert!(
            shown.contains("refused: ")
                && shown.contains(&format!("there may be more: --before {}", nth(17)["id"].as_str().unwrap())),
            "{shown}"
        );
    }
}
