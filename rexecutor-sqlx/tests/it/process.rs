//! This test program again, as a process of its own that can be sent signals.

use std::{
    io::{BufRead, BufReader, Lines, Write},
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
    sync::mpsc::Sender,
};

const ROLE: &str = "REXECUTOR_TEST_ROLE";
const ARGUMENT: &str = "REXECUTOR_TEST_ARGUMENT";

/// A process. It is killed when the value is dropped.
pub(crate) struct Process {
    child: Child,
    /// `None`: a thread reads them.
    lines: Option<Lines<BufReader<ChildStdout>>>,
    /// Whom signals go to: the process, or the one that it has started.
    target: u32,
}

impl Process {
    /// Runs this test in a process of its own, where [`role`] tells it what to do.
    #[allow(dead_code, reason = "not every test program has one")]
    pub(crate) fn start(test: &str, role: &str, argument: &str) -> Self {
        Self::run(Command::new(std::env::current_exe().unwrap()), test, role, argument)
    }

    /// The same in this environment beside its own.
    #[allow(dead_code, reason = "not every test program has one")]
    pub(crate) fn start_with(environment: Vec<(String, String)>, test: &str, role: &str, argument: &str) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.envs(environment);
        Self::run(command, test, role, argument)
    }

    /// Its number.
    #[allow(dead_code, reason = "not every test program asks")]
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whatever it says from now on is sent there.
    #[allow(dead_code, reason = "most tests ask it what it has said")]
    pub(crate) fn tell(&mut self, sender: Sender<String>) {
        let lines = self.lines.take().unwrap();
        std::thread::spawn(move || said(lines).try_for_each(|said| sender.send(said)));
    }

    /// The same as process 1 of a container.
    #[cfg(target_os = "linux")]
    #[allow(dead_code, reason = "not every test program has one")]
    pub(crate) fn start_as_1(test: &str, role: &str, argument: &str) -> Self {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--pid", "--fork", "--kill-child"]);
        command.arg(std::env::current_exe().unwrap());
        let mut process = Self::run(command, test, role, argument);
        assert_eq!(process.next().as_deref(), Some("1"), "its number: this test needs `unshare` of util-linux");
        let children = format!("/proc/{0}/task/{0}/children", process.child.id());
        process.target = std::fs::read_to_string(children).unwrap().trim().parse().unwrap();
        process
    }

    fn run(mut command: Command, test: &str, role: &str, argument: &str) -> Self {
        command.args(["--exact", test, "--nocapture"]).env(ROLE, role).env(ARGUMENT, argument);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = Some(BufReader::new(child.stdout.take().unwrap()).lines());
        Self { target: child.id(), child, lines }
    }

    /// What the process says next; `None` when it has ended.
    pub(crate) fn next(&mut self) -> Option<String> {
        said(self.lines.as_mut()?).next()
    }

    #[allow(dead_code, reason = "not every test program sends any")]
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").args([&format!("-{name}"), &self.target.to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// Waits until it has ended.
    #[allow(dead_code, reason = "not every test program lets one end")]
    pub(crate) fn end(mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// Sends it a signal again and again, until it has ended.
    #[allow(dead_code, reason = "not every test program sends any")]
    pub(crate) fn signal_until_it_ends(mut self, name: &str) -> ExitStatus {
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            // It may have ended just now.
            let _ = Command::new("kill").args([&format!("-{name}"), &self.target.to_string()]).output().unwrap();
        }
    }

    /// Kills it with SIGKILL, and returns what it had said that nobody had read yet.
    #[allow(dead_code, reason = "not every test program kills one")]
    pub(crate) fn kill(mut self) -> Vec<String> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        std::iter::from_fn(|| self.next()).collect()
    }
}

fn said(lines: impl Iterator<Item = std::io::Result<String>>) -> impl Iterator<Item = String> {
    lines.map_while(Result::ok).filter_map(|line| Some(line.strip_prefix("said ")?.to_owned()))
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// In such a process, its role and what it was given; `None` in any other.
pub(crate) fn role() -> Option<(String, String)> {
    Some((std::env::var(ROLE).ok()?, std::env::var(ARGUMENT).ok()?))
}

pub(crate) fn say(what: impl ToString) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\nsaid {}", what.to_string()).unwrap();
    out.flush().unwrap();
}
