//! Real processes on real databases while somebody sets the clocks of their machines: `scripts/clocks` runs this.
//!
//! | what | is shown |
//! | --- | --- |
//! | the clock of the machine on which an SQLite file and its programs are | [`on_sqlite`] |
//! | that of a PostgreSQL server | [`on_postgres_the_clock_of_the_server_is_set`] |
//! | that of the machines whose nodes share a PostgreSQL database, whose clock is right | [`on_postgres_the_clocks_of_the_nodes_are_set`] |

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod machine;
#[path = "../it/process.rs"]
mod process;
#[path = "../postgres/server.rs"]
mod server;
mod worker;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::mpsc::{self, Receiver, Sender},
    time::Duration,
};

use rexecutor::{
    backend::{Filter, Inspect, JobRow},
    clock::{Clock, SystemClock},
};

use crate::{machine::Machine, process::Process, server::Server};

/// Longer than anything here takes, and shorter than any step of a clock after which something might wait for it to catch up.
const LIMIT: Duration = Duration::from_secs(40);

/// By how many seconds clocks are set.
const FORWARD: i64 = 600;
const BACK: i64 = -3_600;

/// Some processes on a database, and what they say.
struct Cluster {
    url: String,
    /// Where the processes are.
    machine: Machine,
    nodes: BTreeMap<u32, Process>,
    sender: Sender<String>,
    said: Receiver<String>,
}

impl Cluster {
    fn new(url: String) -> Self {
        let (sender, said) = mpsc::channel();
        let mut cluster = Self { url, machine: Machine::new(), nodes: BTreeMap::new(), sender, said };
        cluster.start_node();
        cluster.start_node();
        cluster
    }

    fn process(&self, role: &str, arguments: &str) -> Process {
        let argument = format!("{} {arguments}", self.url);
        Process::start_with(self.machine.environment(), "worker::child", role, &argument)
    }

    fn start_node(&mut self) {
        let mut process = self.process("node", "");
        process.tell(self.sender.clone());
        self.nodes.insert(process.id(), process);
    }

    /// Has a job enqueued by a process of its own, which has ended when this returns.
    fn enqueue(&self, role: &str, arguments: &str) {
        assert_eq!(self.process(role, arguments).next().as_deref(), Some("done"), "{role} {arguments}");
    }

    /// Waits until a node says something of this kind; gives the number in it.
    fn hear(&self, what: &str, is_meant: impl Fn(i64) -> bool) -> i64 {
        self.hear_each(vec![(what, &is_meant)])
    }

    /// Waits until nodes have said something of each kind, in whatever order; gives the number in the last.
    fn hear_each(&self, mut expected: Vec<(&str, &dyn Fn(i64) -> bool)>) -> i64 {
        let until = SystemClock.elapsed() + LIMIT;
        loop {
            let left = until.saturating_sub(SystemClock.elapsed());
            let kinds = || expected.iter().map(|(what, _)| *what).collect::<Vec<_>>();
            let said = self.said.recv_timeout(left).unwrap_or_else(|_| panic!("nothing was heard of {:?}", kinds()));
            let (what, number) = said.split_once(' ').unwrap();
            let number = number.parse().unwrap();
            expected.retain(|(kind, is_meant)| *kind != what || !is_meant(number));
            if expected.is_empty() {
                return number;
            }
        }
    }

    /// A job with a delay starts after it, and soon.
    fn delay_is_kept(&self, number: u32) {
        let began = SystemClock.elapsed();
        self.enqueue("ordinary", &format!("{number} 1000"));
        self.hear("ordinary", |heard| heard == i64::from(number));
        let took = SystemClock.elapsed() - began;
        assert!(took >= Duration::from_secs(1), "it started {took:?} after it was enqueued");
    }

    /// A job that runs while `set` sets a clock took as long as it did.
    fn run_is_measured(&self, number: u32, set: impl FnOnce()) {
        self.enqueue("waits", &number.to_string());
        self.hear("waits", |heard| heard == i64::from(number));
        let began = SystemClock.elapsed();
        set();
        // What the steps of clocks are made of is not among it.
        let took = self.hear("took", |_| true);
        let most = i64::try_from((SystemClock.elapsed() - began + LIMIT).as_millis()).unwrap();
        assert!((10..most).contains(&took), "{took} ms");
    }

    /// All rows, once all nodes have been killed.
    fn end(self) -> Vec<JobRow> {
        for process in self.nodes.into_values() {
            process.kill();
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let backend = rexecutor_sqlx::connect(&self.url).await.unwrap();
            backend.query(&Filter::All(Vec::new()), usize::MAX).await.unwrap()
        })
    }
}

fn ticks(rows: &[JobRow], executor: &str) -> Vec<i64> {
    let ours = rows.iter().filter(|row| row.executor.as_str() == executor);
    let mut ticks: Vec<i64> = ours.map(|row| row.extras.tick_at.unwrap().timestamp()).collect();
    ticks.sort_unstable();
    ticks
}

/// Each of them is there, once.
#[track_caller]
fn assert_whole(ticks: &[i64]) {
    let (first, last) = (ticks[0], ticks[ticks.len() - 1]);
    let all: Vec<i64> = (first..=last).collect();
    let left_out: Vec<_> = all.iter().filter(|tick| !ticks.contains(tick)).collect();
    let once: BTreeSet<_> = ticks.iter().collect();
    assert_eq!(ticks, all, "{} left out: {left_out:?}; {} came twice", left_out.len(), ticks.len() - once.len());
}

/// The clock by which ticks are due is set.
fn a_clock_that_decides_is_set(mut cluster: Cluster, set: impl Fn(&Cluster, i64)) {
    let first = cluster.hear("second", |_| true);
    cluster.delay_is_kept(1);
    // This one would be due in five minutes.
    cluster.enqueue("ordinary", "2 300000");
    cluster.run_is_measured(3, || set(&cluster, FORWARD));
    cluster.hear("second", |tick| tick >= first + FORWARD);
    cluster.delay_is_kept(4);

    // It is corrected by seconds: a delay that is under way is as much longer.
    cluster.enqueue("ordinary", "5 1000");
    set(&cluster, FORWARD - 3);
    cluster.delay_is_kept(6);
    let last = cluster.hear("second", |_| true);
    cluster.hear("second", |tick| tick > last + 3);

    // A node dies, and the clock is set back by an hour before anybody knows. What is due stays so.
    cluster.enqueue("hangs", "");
    let dead = cluster.hear("hangs", |_| true);
    cluster.enqueue("queues", "6");
    cluster.hear("queues", |number| number == 0);
    cluster.nodes.remove(&u32::try_from(dead).unwrap()).unwrap().kill();
    set(&cluster, FORWARD + BACK);
    let last = |number| number == 5;
    cluster.hear_each(vec![("hangs", &|process| process != dead), ("queues", &last)]);
    cluster.start_node();
    let there = cluster.hear("second", |tick| tick < first);
    cluster.delay_is_kept(7);
    cluster.run_is_measured(8, || set(&cluster, FORWARD + BACK + 120));
    cluster.hear("second", |tick| tick < first && tick > there + 122);

    let rows = cluster.end();
    let (before, after): (Vec<i64>, _) = ticks(&rows, "second").into_iter().partition(|tick| *tick >= first - 60);
    assert!(i64::try_from(before.len()).unwrap() > FORWARD && after.len() > 120, "{} {}", before.len(), after.len());
    assert_whole(&before);
    assert_whole(&after);
    // Of those that were left out the last one has come, or the next one in time.
    assert!(ticks(&rows, "minute").iter().any(|tick| *tick > first + FORWARD - 120));
    let ran: BTreeSet<u32> = ordinary_that_ran(&rows);
    assert_eq!(ran, [1, 2, 4, 5, 6, 7].into());
}

fn ordinary_that_ran(rows: &[JobRow]) -> BTreeSet<u32> {
    let ran = rows.iter().filter(|row| row.executor.as_str() == "ordinary" && row.status.is_finished());
    ran.map(|row| row.data.parse().unwrap()).collect()
}

#[test]
fn on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = Cluster::new(format!("sqlite:{}", folder.path().join("jobs.db").display()));
    a_clock_that_decides_is_set(cluster, |cluster, ahead| cluster.machine.set(ahead));
}

#[test]
fn on_postgres_the_clock_of_the_server_is_set() {
    let machine = Machine::new();
    let server = Server::start_with(machine.environment());
    // The step is that of the server, and those who wait for a step of their own see none: theirs is set along.
    a_clock_that_decides_is_set(Cluster::new(server.url()), |cluster, ahead| {
        machine.set(ahead);
        cluster.machine.set(ahead);
    });
    drop(server);
}

/// The server's clock is right: nothing happens, whatever the clocks of its clients say.
#[test]
fn on_postgres_the_clocks_of_the_nodes_are_set() {
    let server = Server::start();
    let mut cluster = Cluster::new(server.url());
    cluster.hear("second", |_| true);
    cluster.enqueue("ordinary", "1 300000");
    for (number, ahead) in [(10, FORWARD), (20, FORWARD + BACK), (30, 0)] {
        cluster.run_is_measured(number, || cluster.machine.set(ahead));
        cluster.delay_is_kept(number + 1);
    }
    // A delay that is under way is kept, too.
    cluster.enqueue("ordinary", "40 2000");
    cluster.machine.set(BACK);
    cluster.hear("ordinary", |number| number == 40);
    cluster.enqueue("hangs", "");
    let dead = cluster.hear("hangs", |_| true);
    cluster.nodes.remove(&u32::try_from(dead).unwrap()).unwrap().kill();
    cluster.machine.set(2 * BACK);
    cluster.hear("hangs", |process| process != dead);
    let last = cluster.hear("second", |_| true);
    cluster.hear("second", |tick| tick > last + 1);
    let rows = cluster.end();
    assert_whole(&ticks(&rows, "second"));
    assert_eq!(ordinary_that_ran(&rows), [11, 21, 31, 40].into());
    drop(server);
}
