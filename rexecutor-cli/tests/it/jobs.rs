//! Jobs.

use rexecutor::backend::{Claim, Demand, Enqueue, Maintain, NewJob, Node, Outcome};
use std::time::Duration;

use crate::support::{Place, fields, texts};

#[test]
fn a_job_is_enqueued_as_its_options_say_and_shown() {
    for place in Place::each() {
        let data = r#"{"to":"ada","n":1.50,"big":18446744073709551617}"#;
        let options = [
            "--in",
            "1h",
            "--priority",
            "3",
            "--max-attempts",
            "2",
            "--tag",
            "vip",
            "--tag",
            "slow",
            "--group-key",
            "acme",
        ];
        let enqueued =
            place.json(["enqueue", "mail", data, "--metadata", "[1.0]", "--deadline-in", "2h"].iter().chain(&options));
        assert_eq!(fields(&enqueued["jobs"][0]), ["id", "result"]);
        let id = enqueued["jobs"][0]["id"].as_str().unwrap();
        let job = place.json(["jobs", "show", id]);
        let expected = [
            "attempt",
            "cancel_reason",
            "data",
            "deadline",
            "errors",
            "executor",
            "finished_at",
            "id",
            "inserted_at",
            "key",
            "max_attempts",
            "metadata",
            "node",
            "output",
            "priority",
            "scheduled_at",
            "status",
            "tags",
            "why",
        ];
        assert_eq!(fields(&job).into_iter().filter(|name| *name != "attempted_at").collect::<Vec<_>>(), expected);
        assert_eq!((&job["data"], &job["metadata"]), (&data.into(), &"[1.0]".into()), "not a digit is lost");
        assert_eq!((&job["priority"], &job["max_attempts"], &job["key"]), (&3.into(), &2.into(), &"acme".into()));
        assert_eq!((texts(&job["tags"]), &job["status"]), (vec!["vip", "slow"], &"scheduled".into()));
        assert_eq!(fields(&job["why"]), ["at", "evidence", "reason", "sentence"]);
        assert_eq!(job["why"]["reason"], "not_due");
        let why = place.run(["jobs", "explain", id]).ends(0).out;
        assert!(why.starts_with("It is due in "), "{why}");
        assert_eq!(place.json(["jobs", "explain", id])["reason"], "not_due");
        let shown = place.run(["jobs", "show", &format!("#{id}")]).ends(0).out;
        assert!(shown.contains("\"to\": \"ada\"") && shown.contains("priority  3"), "{shown}");
        // From the standard input, and blocked.
        place.fed(&["enqueue", "mail", "-", "--blocked"], "[1,\n2]\n").ends(0);
        let blocked = place.json(["jobs", "list", "--status", "blocked"]);
        assert_eq!(blocked["jobs"][0]["data"], "[1,\n2]");
    }
}

#[test]
fn a_unique_job_is_enqueued_once_also_beside_programs() {
    use rexecutor::job::uniqueness_criteria::UniquenessCriteria;
    for place in Place::each() {
        let id = place.with(async |backend| {
            let unique = UniquenessCriteria::by_key("order-7").and_executor().encode("mail", "1");
            backend.enqueue(vec![NewJob::new("mail", "1").with_unique(unique)]).await.unwrap()[0].id().to_string()
        });
        let again = place.json(["enqueue", "mail", "2", "--unique-key", "order-7"]);
        assert_eq!((&again["jobs"][0]["result"], &again["jobs"][0]["id"]), (&"existing".into(), &id.into()));
        assert_eq!(place.json(["enqueue", "mail", "2", "--unique-key", "order-8"])["jobs"][0]["result"], "inserted");
        assert_eq!(
            place.json(["enqueue", "mail", r#"{"a":1,"b":2}"#, "--unique-data"])["jobs"][0]["result"],
            "inserted"
        );
        let same = place.json(["enqueue", "mail", r#"{"b":2, "a":1}"#, "--unique-data", "--unique-within", "1h"]);
        assert_eq!(same["jobs"][0]["result"], "existing");
        let text = place.run(["enqueue", "mail", "3", "--unique-key", "order-8"]).ends(0).out;
        assert!(text.ends_with("is there already\n"), "{text}");
    }
}

#[test]
fn lines_of_json_are_enqueued_all_or_none_of_a_bad_file() {
    for place in Place::each() {
        let lines: String = (0..2_500)
            .map(|n| format!("{{\"executor\":\"mail\",\"data\":{n},\"tags\":[\"t\"],\"in\":\"1h\"}}\n"))
            .collect();
        let ran =
            place.fed(&["enqueue", "--lines", "-"], &format!("{lines}\n{{\"executor\":\"mail\",\"dta\":1}}\n")).ends(2);
        assert!(ran.err.contains("line 2502") && ran.err.contains("unknown field `dta`"), "{}", ran.err);
        assert_eq!(place.json(["jobs", "list"])["jobs"].as_array().unwrap().len(), 0, "nothing was stored");
        let file = place.folder.path().join("jobs.jsonl");
        std::fs::write(&file, lines).unwrap();
        let ran = place.run(["enqueue", "--lines", file.to_str().unwrap()]).ends(0);
        assert_eq!(ran.out, "2500 jobs enqueued, 0 of them there already\n");
        // Page after page, each job once.
        let (mut seen, mut after) = (0, None);
        loop {
            let mut arguments =
                vec!["jobs".to_owned(), "list".to_owned(), "tag:t".to_owned(), "--limit".to_owned(), "1000".to_owned()];
            arguments.extend(after.iter().flat_map(|after: &String| ["--after".to_owned(), after.clone()]));
            let page = place.json(&arguments);
            assert_eq!(fields(&page), ["is_partial", "jobs", "next", "now"]);
            seen += page["jobs"].as_array().unwrap().len();
            after = page["next"].as_str().map(str::to_owned);
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen, 2_500);
        let listed = place.run(["jobs", "list"]).ends(0);
        assert!(listed.err.starts_with("there may be more: --after "), "{}", listed.err);
        place.run(["enqueue", "--lines", "no-such-file"]).ends(2);
        place.run(["enqueue", "mail", "--lines", "-"]).ends(2);
    }
}

#[test]
fn jobs_are_listed_as_on_the_dashboard() {
    for place in Place::each() {
        place.dead("print", &["out of paper", "timed out on tray 2"]);
        place.run(["enqueue", "mail", r#"{"to":"ada"}"#, "--tag", "vip"]).ends(0);
        let count =
            |arguments: &[&str]| place.json(["jobs", "list"].iter().chain(arguments))["jobs"].as_array().unwrap().len();
        for (arguments, expected) in [
            (&[][..], 3),
            (&["mail"], 1),
            (&["executor:mail,print"], 3),
            (&["tag:vip"], 1),
            (&["tag:vip", "executor:print"], 0),
            (&["data:ada"], 1),
            (&["error:timed out"], 1),
            (&["error:oops"], 2),
            (&["finished:1h"], 2),
            (&["since:1h"], 3),
            (&["before:1h"], 0),
            (&["id:1,2"], 2),
            (&["#3"], 1),
            (&["--status", "discarded"], 2),
            (&["--status", "scheduled,discarded"], 3),
            (&["--order", "finished"], 2),
            (&["--order", "due"], 1),
            (&["--limit", "2"], 2),
        ] {
            assert_eq!(count(arguments), expected, "{arguments:?}");
        }
        for (arguments, told) in [
            (["jobs", "list", "--limit", "0"].as_slice(), "a number from 1 on"),
            (
                &["jobs", "list", "status:nope"],
                "`nope` is no status; there are blocked, scheduled, executing, retryable, complete, cancelled, discarded.",
            ),
            (&["enqueue", "mail", "--in", "99999999999d"], "`99999999999d` is too long: 365000d, which is 1,000 years"),
        ] {
            let error = place.run(arguments).ends(2).err;
            assert!(error.contains(told), "{error}");
        }
        let oldest = place.json(["jobs", "list", "--order", "oldest", "--limit", "1"]);
        assert_eq!(oldest["jobs"][0]["id"], "1");
        let text = place.run(["jobs", "list"]).ends(0).out;
        assert!(text.starts_with("ID  STATUS"), "{text}");
        assert!(text.contains("oops: timed out on tray 2"), "{text}");
    }
}

#[test]
fn jobs_are_cancelled_retried_edited_and_deleted() {
    for place in Place::each() {
        place.dead("print", &["out of paper", "no toner"]);
        place.run(["enqueue", "mail", "--in", "1h", "--tag", "old"]).ends(0);
        place.run(["enqueue", "mail", "--blocked"]).ends(0);
        let status = |id: &str| place.json(["jobs", "show", id])["status"].as_str().unwrap().to_owned();
        // What it would do is told, and not done.
        let dry = place.json(["jobs", "retry", "--where", "print", "--dry-run"]);
        assert_eq!((fields(&dry), texts(&dry["done"])), (vec!["action", "done", "dry_run", "refused"], vec!["1", "2"]));
        assert_eq!(status("1"), "discarded");
        // … and what it would not.
        let dry = place.run(["jobs", "cancel", "1", "3", "77", "--dry-run"]).ends(3).out;
        assert!(dry.starts_with("would cancel 1 job: 3\nrefused: there is no job 77;"), "{dry}");
        assert!(dry.contains("refused: job 1 is discarded and cannot be cancelled"), "{dry}");
        assert!(place.run(["jobs", "delete", "3", "--dry-run"]).ends(3).out.starts_with("no job would be changed"));
        let retried = place.json(["jobs", "retry", "1"]);
        assert_eq!((texts(&retried["done"]), status("1")), (vec!["1"], "scheduled".to_owned()));

        place
            .run([
                "jobs",
                "edit",
                "3",
                "--data",
                "[2]",
                "--priority",
                "9",
                "--tag",
                "new",
                "--max-attempts",
                "7",
                "--due",
                "2h",
            ])
            .ends(0);
        let edited = place.json(["jobs", "show", "3"]);
        assert_eq!(
            (&edited["data"], &edited["priority"], texts(&edited["tags"])),
            (&"[2]".into(), &9.into(), vec!["new"])
        );
        let why = place.run(["jobs", "explain", "3"]).ends(0).out;
        assert!(why.starts_with("It is due in 1 h 59 min") || why.starts_with("It is due in 2 h"), "{why}");
        place.run(["jobs", "edit", "3", "--data", "{"]).ends(2);
        place.run(["jobs", "edit", "3", "--priority", "1000"]).ends(2);

        place.run(["jobs", "run-now", "3", "4"]).ends(0);
        assert_eq!((status("3"), status("4")), ("scheduled".to_owned(), "scheduled".to_owned()));
        assert_eq!(
            place.json(["jobs", "list", "--status", "scheduled", "due:1s"])["jobs"].as_array().unwrap().len(),
            3
        );
        let refused = place.run(["jobs", "run-now", "2"]).ends(3);
        assert!(refused.out.contains("refused: job 2 is discarded and cannot be made due"), "{}", refused.out);

        let cancelled = place.run(["jobs", "cancel", "3", "--reason", "not needed"]).ends(0);
        assert_eq!(cancelled.out, "cancelled 1 job: 3\n");
        assert_eq!(place.json(["jobs", "show", "3"])["cancel_reason"], "not needed (cancelled by ann)");
        let twice = place.run(["jobs", "cancel", "3", "4"]).ends(3);
        assert_eq!(twice.out, "cancelled 1 job: 4\nrefused: job 3 is cancelled and cannot be cancelled\n");

        let refused = place.run(["jobs", "delete", "1", "2", "77"]).ends(3);
        assert!(
            refused.out.contains("job 1 is scheduled and cannot be deleted")
                && refused.out.contains("there is no job 77"),
            "{}",
            refused.out
        );
        place.run(["jobs", "show", "2"]).ends(3);
        // A search takes those alone that can be deleted.
        let deleted = place.json(["jobs", "delete", "--where", "since:1h"]);
        assert_eq!((texts(&deleted["done"]), deleted["refused"].as_array().unwrap().len()), (vec!["3", "4"], 0));
        assert_eq!(place.json(["jobs", "list"])["jobs"].as_array().unwrap().len(), 1);
        place.run(["jobs", "delete", "--where", "since:1h"]).ends(0);
    }
}

#[test]
fn a_complete_job_runs_again_only_when_that_is_said_and_one_that_runs_is_left_alone() {
    for place in Place::each() {
        place.with(async |backend| {
            let _ = backend.enqueue(vec![NewJob::new("mail", "1")]).await.unwrap();
            place.settle(backend, "mail", |_| Outcome::complete(true)).await;
            let _ = backend.enqueue(vec![NewJob::new("print", "1")]).await.unwrap();
            let node = backend.join(&Node::new("a node", Duration::from_secs(60))).await.unwrap();
            assert_eq!(backend.claim(node, [Demand::new("print", 1)].into()).await.unwrap().jobs.len(), 1);
        });
        place.run(["jobs", "retry", "1"]).ends(3);
        place.run(["jobs", "retry", "1", "--again"]).ends(0);
        assert_eq!(place.json(["jobs", "show", "1"])["status"], "scheduled");
        for what in ["retry", "delete", "run-now"] {
            place.run(["jobs", what, "2"]).ends(3);
        }
        place.run(["jobs", "edit", "2", "--priority", "1"]).ends(3);
        // It is asked to stop.
        place.run(["jobs", "cancel", "2"]).ends(0);
        let why = place.run(["jobs", "explain", "2"]).ends(0).out;
        assert!(why.contains("was asked to stop"), "{why}");
    }
}
