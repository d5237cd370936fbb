//! What is only looked at: statistics, health and the dashboard.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::Stdio,
    time::Duration,
};

use rexecutor::backend::{Backend, Maintain, Node, RunEnd, Tally};

use crate::support::{Place, fields};

#[test]
fn statistics_count_and_health_gives_its_reasons() {
    for place in Place::each() {
        place.dead("print", &["no", "no"]);
        place.run(["enqueue", "mail"]).ends(0);
        let stats = place.json(["stats"]);
        assert_eq!(fields(&stats), ["counts", "executors", "finished", "last_24_hours", "now"]);
        assert_eq!(fields(&stats["counts"]["scheduled"]), ["count", "is_least"]);
        assert_eq!(
            (&stats["counts"]["discarded"]["count"], &stats["executors"]["mail"]["scheduled"]["count"]),
            (&2.into(), &1.into())
        );
        let expected = ["discarded", "is_cut", "jobs", "per_minute", "run_seconds", "since", "wait_seconds"];
        assert_eq!((fields(&stats["finished"]), &stats["finished"]["discarded"]), (expected.to_vec(), &2.into()));
        let text = place.run(["stats"]).ends(0).out;
        assert!(text.contains("2 finished, 2 discarded"), "{text}");

        // As their nodes have counted.
        assert!(!text.contains("runs of the last 24 h"), "nothing is said of nothing: {text}");
        let tally =
            |end| Tally::new("print", end, Duration::ZERO).with(Duration::from_millis(80), Duration::from_secs(2));
        place.with(async |backend| {
            let tallies = vec![tally(RunEnd::Completed), tally(RunEnd::Discarded)];
            backend.history().unwrap().add(tallies).await.unwrap();
        });
        let text = place.run(["stats"]).ends(0).out;
        let line = text.lines().find(|line| line.starts_with("print ") && line.contains(" s ")).unwrap_or_default();
        assert!(text.contains("runs of the last 24 h") && line.contains("  1  "), "{text}");
        let stats = place.json(["stats"]);
        let history = &stats["last_24_hours"];
        assert_eq!((&history["total"]["runs"], &history["executors"]["print"]["failures"]), (&2.into(), &1.into()));

        // Nobody runs anything.
        let ill = place.run(["health"]).ends(1);
        assert!(ill.out.contains("problem: No node is alive"), "{}", ill.out);
        let node =
            place.with(async |backend| backend.join(&Node::new("worker 3", Duration::from_secs(600))).await.unwrap());
        let well = place.json(["health"]);
        assert_eq!((fields(&well), &well["status"]), (vec!["notices", "problems", "status"], &"ok".into()));
        assert_eq!(fields(&well["notices"][0]), ["what", "why"]);
        assert!(well["notices"][0]["what"].as_str().unwrap().contains("of print were discarded"), "{well}");
        place.run(["health", "--strict"]).ends(1);
        place.run(["health", "--max-wait", "1h"]).ends(0);
        let slow = place.run(["health", "--max-wait", "0s"]).ends(1);
        assert!(slow.out.contains("problem: jobs of mail wait for too long"), "{}", slow.out);
        place.run(["cluster", "pause", "--reason", "moving"]).ends(0);
        let paused = place.run(["health"]).ends(0);
        assert!(
            paused.out.contains("notice: The whole cluster is paused (") && paused.out.contains("moving"),
            "{}",
            paused.out
        );
        place.with(async |backend| backend.leave(node).await.unwrap());
    }
    // A database that does not answer is no health, and no failure of the command.
    let place = Place::sqlite();
    let gone = place.run(["--database", "postgres://127.0.0.1:1/shop", "health"]).ends(1);
    assert!(gone.out.contains("problem: the database cannot be used"), "{}", gone.out);
}

fn get(address: &str, path: &str, host: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn the_dashboard_is_served_to_this_machine_alone() {
    for place in Place::each() {
        place.run(["enqueue", "mail", "\"for ada\""]).ends(0);
        let mut served =
            place.command().args(["web", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(served.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().trim_start_matches("open http://").trim_end_matches('/').to_owned();
        let page = get(&address, "/jobs", &address);
        assert!(page.starts_with("HTTP/1.1 200") && page.contains("mail"), "{page}");
        assert!(!page.contains("s3cret"), "{page}");
        // A name that leads here from another site.
        assert!(get(&address, "/jobs", "evil.example").starts_with("HTTP/1.1 403"));
        served.kill().unwrap();
        served.wait().unwrap();
    }
}
