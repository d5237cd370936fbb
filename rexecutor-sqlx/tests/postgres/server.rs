//! A PostgreSQL server of a test's own, to be stopped in the middle of its work.

use std::{
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU16, Ordering},
};

pub(crate) struct Server {
    folder: tempfile::TempDir,
    programs: PathBuf,
    address: Ipv4Addr,
    port: u16,
    /// That of the server's processes, beside their own.
    environment: Vec<(String, String)>,
}

#[allow(dead_code, reason = "not every test program does all of it")]
impl Server {
    pub(crate) fn start() -> Self {
        Self::start_with(Vec::new())
    }

    pub(crate) fn start_with(environment: Vec<(String, String)>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (address, port) = address();
        let server = Self { folder, programs: programs(), address, port, environment };
        std::fs::create_dir(server.data()).unwrap();
        if is_root() {
            run(Command::new("chown").args(["-R", "postgres"]).arg(server.folder.path()));
        }
        let data = server.data();
        run(server.program("initdb").arg("-D").arg(data).args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "-N"]));
        server.resume();
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@{}/postgres", self.place())
    }

    /// Its address and its port.
    pub(crate) fn place(&self) -> String {
        format!("{}:{}", self.address, self.port)
    }

    /// From the next reading of its settings on.
    pub(crate) fn ask_for_passwords(&self) {
        std::fs::write(self.data().join("pg_hba.conf"), "host all all 127.0.0.1/32 scram-sha-256\n").unwrap();
    }

    /// Stops it as a crash does.
    pub(crate) fn crash(&self) {
        run(self.program("pg_ctl").arg("-D").arg(self.data()).args(["-m", "immediate", "-w", "stop"]));
    }

    pub(crate) fn resume(&self) {
        let folder = self.folder.path();
        let options = format!("-p {} -h {} -k {}", self.port, self.address, folder.display());
        let log = folder.join("log");
        let start = ["-w", "-o", &options, "start"];
        let mut command = self.program("pg_ctl");
        let started = succeeds(command.arg("-D").arg(self.data()).arg("-l").arg(&log).args(start));
        assert!(started, "{command:?}: {}", std::fs::read_to_string(log).unwrap_or_default());
    }

    /// Stops the main process and all the others from doing anything, as a machine does that hangs.
    pub(crate) fn freeze(&self) {
        self.signal("-STOP");
    }

    /// Lets them go on.
    pub(crate) fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let text = std::fs::read_to_string(self.data().join("postmaster.pid")).unwrap();
        let main: u32 = text.lines().next().unwrap().parse().unwrap();
        // First the one that starts others.
        send(signal, main);
        children(main).into_iter().for_each(|child| send(signal, child));
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// PostgreSQL refuses to run as root.
    fn program(&self, name: &str) -> Command {
        let path = self.programs.join(name);
        let mut command = match is_root() {
            true => {
                let mut command = Command::new("setpriv");
                command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "env"]);
                command
            }
            false => Command::new("env"),
        };
        // Not that of `setpriv`, which is somebody else when it begins.
        command.args(self.environment.iter().map(|(name, value)| format!("{name}={value}"))).arg(path);
        command.current_dir(self.folder.path());
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.data().join("postmaster.pid").exists() {
            self.thaw();
        }
        let _ = self.program("pg_ctl").arg("-D").arg(self.data()).args(["-m", "immediate", "stop"]).output();
    }
}

/// No other process listens at it, also while the server is stopped: all of 127.0.0.0/8 is this machine.
fn address() -> (Ipv4Addr, u16) {
    static SERVERS: AtomicU16 = AtomicU16::new(0);
    // A process has an identity of at most 22 bits.
    let [_, high, middle, low] = std::process::id().to_be_bytes();
    let address = Ipv4Addr::new(127, 64 + high, middle, low);
    (address, 10_000 + SERVERS.fetch_add(1, Ordering::Relaxed))
}

/// Sends a signal to a process.
pub(crate) fn send(signal: &str, process: u32) {
    // It may have ended.
    let _ = Command::new("kill").args([signal, &process.to_string()]).output().unwrap();
}

fn children(parent: u32) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let is_child = |id: &u32| {
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        // The name, in brackets, may contain anything.
        stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(1)) == Some(&parent.to_string())
    };
    ids.filter(is_child).collect()
}

fn run(command: &mut Command) {
    assert!(succeeds(command), "{command:?}");
}

fn succeeds(command: &mut Command) -> bool {
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).status().unwrap().success()
}

pub(crate) fn is_root() -> bool {
    std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self").unwrap()) == 0
}

/// Where the server's programs are: `scripts/postgres` says so; otherwise those of Debian's newest version.
fn programs() -> PathBuf {
    if let Some(folder) = std::env::var_os("REXECUTOR_POSTGRES_PROGRAMS") {
        return folder.into();
    }
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions.map(|version| version.path().join("bin")).filter(|bin| bin.join("initdb").exists()).max();
    newest.unwrap_or_else(|| Path::new("/usr/local/bin").to_owned())
}
