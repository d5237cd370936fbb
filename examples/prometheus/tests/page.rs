//! The program is run, and its page is read, until every metric is on it that says something here.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
};

/// Ends the program, whatever the test comes to.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn page(address: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET /metrics HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn prometheus_can_read_what_the_program_counts() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_example-prometheus"));
    let mut program = Program(program.env("PORT", "0").stdout(Stdio::piped()).spawn().unwrap());
    let mut line = String::new();
    BufReader::new(program.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("http://").and_then(|rest| rest.strip_suffix("/metrics")).unwrap();
    let expected = [
        "# TYPE rexecutor_jobs_enqueued_total counter",
        "# HELP rexecutor_jobs_enqueued_total jobs that this process has enqueued",
        "rexecutor_jobs_enqueued_total{executor=\"send_mail\",result=\"inserted\"}",
        "rexecutor_runs_started_total{executor=\"resize_image\"}",
        "rexecutor_runs_ended_total{executor=\"send_mail\",outcome=\"completed\"}",
        "rexecutor_runs_ended_total{executor=\"send_mail\",outcome=\"retried\"}",
        "# TYPE rexecutor_runs_in_progress gauge",
        "# TYPE rexecutor_run_wait_seconds histogram",
        "rexecutor_run_duration_seconds_bucket{executor=\"send_mail\",outcome=\"completed\",le=\"0.25\"}",
        "rexecutor_queue_due_jobs{executor=\"resize_image\"}",
        "rexecutor_queue_oldest_wait_seconds{executor=\"send_mail\"}",
        "rexecutor_nodes{state=\"alive\"} 1",
    ];
    // Each look is an answer of the program. It says all of it within seconds, or never.
    let is_whole = |page: &String| expected.iter().all(|line| page.contains(line));
    let found = (0..100_000).map(|_| page(address)).find(is_whole);
    assert!(found.is_some_and(|page| page.starts_with("HTTP/1.1 200")), "{}", page(address));
}
