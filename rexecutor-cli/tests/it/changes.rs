//! Dead letters, executors, nodes, the cluster, schedules and pruning.

use std::time::Duration;

use rexecutor::backend::{Claim, Demand, Maintain, Node};

use crate::support::{Place, fields, texts};

#[test]
fn dead_letters_are_grouped_retried_and_purged() {
    for place in Place::each() {
        place.dead("print", &["tray 1 is empty", "tray 22 is empty", "no toner"]);
        place.dead("mail", &["bounced"]);
        let dead = place.json(["dead", "list"]);
        assert_eq!(fields(&dead), ["groups", "is_cut", "now"]);
        assert_eq!(fields(&dead["groups"][0]), ["executor", "first_at", "headline", "jobs", "last", "type"]);
        let first = &dead["groups"][0];
        assert_eq!((&first["headline"], &first["jobs"]), (&"tray # is empty".into(), &2.into()));
        assert_eq!(dead["groups"].as_array().unwrap().len(), 3);
        assert_eq!(place.json(["dead", "list", "--executor", "mail"])["groups"].as_array().unwrap().len(), 1);

        place.run(["dead", "retry"]).ends(2);
        let dry = place.json(["dead", "retry", "--headline", "tray # is empty", "--dry-run"]);
        assert_eq!((fields(&dry), &dry["count"]), (vec!["action", "count", "dry_run", "refused"], &2.into()));
        assert_eq!(place.json(["dead", "list"])["groups"].as_array().unwrap().len(), 3, "nothing was changed");
        assert_eq!(place.run(["dead", "retry", "--headline", "tray # is empty"]).ends(0).out, "retried 2 jobs\n");
        assert_eq!(place.json(["jobs", "list", "--status", "scheduled"])["jobs"].as_array().unwrap().len(), 2);

        assert_eq!(
            place.run(["dead", "purge", "--type", "oops", "--executor", "print", "--dry-run"]).ends(0).out,
            "would purge 1 job\n"
        );
        assert_eq!(
            place.run(["dead", "purge", "--type", "other", "--executor", "print"]).ends(0).out,
            "purged 0 jobs\n"
        );
        assert_eq!(place.run(["dead", "purge", "--type", "oops", "--executor", "print"]).ends(0).out, "purged 1 job\n");
        assert_eq!(place.run(["dead", "purge", "--all"]).ends(0).out, "purged 1 job\n");
        assert_eq!(place.run(["dead", "list"]).ends(0).out, "no job was discarded\n");
    }
}

#[test]
fn executors_the_cluster_and_nodes_are_paused_and_resumed() {
    for place in Place::each() {
        place.run(["enqueue", "mail", "--tag", "vip"]).ends(0);
        let node =
            place.with(async |backend| backend.join(&Node::new("worker 3", Duration::from_secs(600))).await.unwrap());
        let claims = || {
            place.with(async |backend| {
                let claimed = backend.claim(node, [Demand::new("mail", 5)].into()).await.unwrap().jobs;
                for job in &claimed {
                    use rexecutor::backend::{Outcome, Settle, Settlement};
                    let back = Settlement::new(job.id, job.lease, Outcome::GiveBack);
                    backend.settle([back].into()).await.unwrap();
                }
                claimed.len()
            })
        };
        assert_eq!(claims(), 1);
        for scope in [&["executors", "mail"][..], &["cluster"], &["nodes", "worker 3"], &["tags", "vip"]] {
            let (noun, name) = (scope[0], &scope[1..]);
            place.run([noun, "pause"].iter().chain(name).chain(&["--reason", "a test", "--for", "1h"])).ends(0);
            assert_eq!(claims(), 0, "{noun}");
            assert_eq!(place.json(["tags", "list"])["tags"].as_array().unwrap().len(), usize::from(noun == "tags"));
            let again = place.json([noun, "resume"].iter().chain(name));
            assert_eq!((&again["done"], &again["was_paused"]), (&"resume".into(), &true.into()));
            assert_eq!(claims(), 1, "{noun}");
            assert_eq!(place.json([noun, "resume"].iter().chain(name))["was_paused"], false);
        }
        place.run(["executors", "pause", "mail", "--reason", "a test"]).ends(0);
        let executors = place.json(["executors", "list"]);
        assert_eq!(fields(&executors), ["executors", "now", "paused"]);
        let mail = &executors["executors"][0];
        assert_eq!((&mail["paused"]["reason"], &mail["paused"]["by"]), (&"a test".into(), &"ann".into()));
        assert_eq!(fields(&mail["paused"]), ["by", "reason", "since", "until"]);
        let expected = [
            "aging_seconds",
            "circuit_breaker",
            "due",
            "executor",
            "first_due_at",
            "key_rate",
            "max_per_key",
            "max_running",
            "nodes",
            "oldest_wait_seconds",
            "paused",
            "rate",
            "running",
            "throttled_until",
            "waiting",
            "weighs",
        ];
        assert_eq!(fields(mail), expected);
        let why = place.run(["jobs", "explain", "1"]).ends(0).out;
        assert!(why.starts_with("Its executor is paused by ann") && why.contains("a test"), "{why}");
        let shown = place.run(["executors", "list"]).ends(0).out;
        assert!(shown.contains("mail      paused"), "{shown}");

        let nodes = place.json(["nodes", "list"]);
        assert_eq!(fields(&nodes), ["nodes", "now"]);
        let expected = [
            "executors",
            "host",
            "is_silent",
            "label",
            "node",
            "paused",
            "pid",
            "running",
            "seen_at",
            "since",
            "slots",
            "version",
        ];
        assert_eq!((fields(&nodes["nodes"][0]), &nodes["nodes"][0]["label"]), (expected.to_vec(), &"worker 3".into()));
    }
}

/// A circuit breaker that is open is shown with its reason, and closed as a pause is ended.
#[test]
fn case_14_6_an_open_circuit_breaker_is_shown_and_closed() {
    use rexecutor::backend::{CircuitBreaker, Failure, Outcome, Settle, Settlement};
    use rexecutor::job::ErrorType;

    for place in Place::each() {
        place.run(["enqueue", "mail"]).ends(0);
        let minute = Duration::from_secs(60);
        place.with(async |backend| {
            let node = backend.join(&Node::new("worker 3", 10 * minute)).await.unwrap();
            let run = backend.claim(node, [Demand::new("mail", 5)].into()).await.unwrap().jobs.remove(0);
            let failed = Outcome::retry(chrono::TimeDelta::zero(), Failure::new(ErrorType::Timeout, "no answer"));
            let end = Settlement::new(run.id, run.lease, failed);
            let end = end.with_circuit_breaker(Some(CircuitBreaker::new(1, minute, minute)));
            backend.settle([end].into()).await.unwrap();
        });
        let executors = place.json(["executors", "list"]);
        let breaker = &executors["executors"][0]["circuit_breaker"];
        assert_eq!(fields(breaker), ["reason", "since", "state", "until"]);
        assert_eq!((&breaker["state"], &breaker["reason"]), (&"open".into(), &"`timeout`: no answer".into()));
        let shown = place.run(["executors", "list"]).ends(0).out;
        assert!(shown.contains("circuit breaker"), "{shown}");
        let why = place.run(["jobs", "explain", "1"]).ends(0).out;
        assert!(why.starts_with("Its executor is paused by its circuit breaker") && why.contains("no answer"), "{why}");
        assert_eq!(place.json(["executors", "resume", "mail"])["was_paused"], true);
        assert!(place.json(["executors", "list"])["executors"][0]["circuit_breaker"].is_null());
    }
}

#[test]
fn limits_are_set_and_reset() {
    for place in Place::each() {
        let arguments =
            ["--cluster-concurrency", "2", "--rate", "100/1m", "--burst", "10", "--reason", "the provider asked"];
        place.run(["executors", "set-limits", "mail"].iter().chain(&arguments)).ends(0);
        let limits = place.json(["executors", "limits"]);
        let set = &limits["limits"][0];
        assert_eq!(
            fields(set),
            ["by", "executor", "key_rate", "max_per_key", "max_running", "rate", "reason", "since"]
        );
        assert_eq!((&set["max_running"], &set["rate"]["burst"], &set["by"]), (&2.into(), &10.into(), &"ann".into()));
        assert!(place.run(["executors", "limits"]).ends(0).out.contains("the provider asked"));
        // What is not named stays as it was set.
        place.run(["executors", "set-limits", "mail", "--key-rate", "5/1s", "--cluster-concurrency", "3"]).ends(0);
        let set = &place.json(["executors", "limits"])["limits"][0];
        assert_eq!(
            (&set["max_running"], &set["rate"]["jobs"], &set["key_rate"]["jobs"]),
            (&3.into(), &100.into(), &5.into())
        );
        assert_eq!(place.json(["executors", "reset-limits", "mail"])["were_set"], true);
        assert_eq!(place.json(["executors", "reset-limits", "mail"])["were_set"], false);
        assert_eq!(place.run(["executors", "limits"]).ends(0).out, "no limits are set\n");
    }
}

#[test]
fn schedules_are_added_triggered_paused_and_removed() {
    for place in Place::each() {
        let rule = [
            "--executor",
            "report",
            "--cron",
            "0 30 9 * * MON-FRI",
            "--timezone",
            "Europe/Berlin",
            "--data",
            "{\"tenant\":42}",
        ];
        let added = place.run(["schedules", "add", "tenant-42"].iter().chain(&rule)).ends(0).out;
        assert_eq!(added, "`tenant-42` enqueues `report` at 09:30 on weekdays, Berlin time\n");
        place
            .run([
                "schedules",
                "add",
                "often",
                "--executor",
                "poll",
                "--every",
                "5m",
                "--overlap",
                "skip",
                "--missed",
                "skip",
            ])
            .ends(0);
        let schedules = place.json(["schedules", "list", "--ticks", "3"]);
        let expected = [
            "declared_by",
            "description",
            "executor",
            "expression",
            "is_orphaned",
            "last_tick",
            "name",
            "next_tick",
            "next_ticks",
            "origin",
            "paused",
            "timezone",
            "waiting",
        ];
        let often = &schedules["schedules"][0];
        assert_eq!(
            (fields(often), &often["name"], &often["declared_by"]),
            (expected.to_vec(), &"often".into(), &"ann".into())
        );
        let ticks: Vec<chrono::DateTime<chrono::Utc>> =
            texts(&often["next_ticks"]).iter().map(|tick| tick.parse().unwrap()).collect();
        assert_eq!((ticks[1] - ticks[0], ticks.len()), (chrono::TimeDelta::minutes(5), 3));

        let job = place.json(["schedules", "trigger", "tenant-42"])["job"].as_str().unwrap().to_owned();
        assert_eq!(place.json(["jobs", "show", &job])["data"], "{\"tenant\":42}");
        place.run(["schedules", "trigger", "often"]).ends(0);
        let overlap = place.run(["schedules", "trigger", "often"]).ends(0).out;
        assert!(overlap.starts_with("nothing was enqueued"), "{overlap}");
        place.run(["schedules", "pause", "often", "--reason", "too often"]).ends(0);
        assert!(place.run(["schedules", "list"]).ends(0).out.contains("paused  never"));
        assert_eq!(place.json(["schedules", "resume", "often"])["was_paused"], true);
        place.run(["schedules", "remove", "often"]).ends(0);
        place.run(["schedules", "remove", "often"]).ends(3);
        assert_eq!(place.json(["schedules", "list"])["schedules"].as_array().unwrap().len(), 1);
    }
}

#[test]
fn finished_jobs_are_pruned_by_age_or_number_and_counted_before() {
    for place in Place::each() {
        place.dead("print", &["no"; 5]);
        place.dead("mail", &["no"; 2]);
        place.run(["enqueue", "mail"]).ends(0);
        place.run(["prune", "--status", "discarded"]).ends(2);
        place.run(["prune", "--keep", "1"]).ends(2);
        let pruned =
            |arguments: &[&str]| place.json(["prune", "--status", "discarded,complete"].iter().chain(arguments));
        assert_eq!(pruned(&["--older-than", "1h"])["deleted"], 0);
        for (rule, expected) in [
            (&["--keep", "3"][..], 4),
            (&["--keep", "1", "--executor", "print"], 4),
            (&["--older-than", "0s", "--except", "print"], 2),
        ] {
            let dry = pruned(&[rule, &["--dry-run"]].concat());
            assert_eq!(
                (fields(&dry), &dry["would_delete"]),
                (vec!["is_least", "would_delete"], &expected.into()),
                "{rule:?}"
            );
        }
        assert_eq!(pruned(&["--keep", "1", "--executor", "print"])["deleted"], 4);
        assert_eq!(pruned(&["--older-than", "0s"])["deleted"], 3);
        assert_eq!(place.json(["jobs", "list"])["jobs"].as_array().unwrap().len(), 1);
    }
}

/// In a script a variable may be empty.
#[test]
fn nothing_is_changed_where_what_is_meant_is_missing() {
    for place in Place::each() {
        place.run(["enqueue", "mail"]).ends(0);
        for search in ["", " "] {
            for action in ["cancel", "retry", "delete"] {
                let error = place.run(["jobs", action, "--where", search]).ends(2).err;
                assert!(error.contains("this search is of all jobs"), "{error}");
            }
        }
        for span in ["0s", "99999999d"] {
            place.run(["executors", "pause", "mail", "--for", span]).ends(2);
        }
        for arguments in [
            &["executors", "pause", ""][..],
            &["executors", "resume", ""],
            &["executors", "reset-limits", ""],
            &["executors", "set-limits", "", "--cluster-concurrency", "1"],
        ] {
            let error = place.run(arguments).ends(2).err;
            assert!(error.contains("it is empty, and no name"), "{error}");
        }
        let error = place.run(["jobs", "cancel", "--where", "mail", "--limit", "0"]).ends(2).err;
        assert!(error.contains("a number from 1 on"), "{error}");
        assert_eq!(place.json(["jobs", "list"])["jobs"][0]["status"], "scheduled");
        assert_eq!(place.json(["executors", "list"])["executors"][0]["paused"], serde_json::Value::Null);
    }
}
