//! Machines whose clocks can be set while programs run on them: `libfaketime` tells these programs what the time is.
//!
//! Time that nobody can set passes for them as for everybody: what sleeps on a real machine sleeps on through a step of its clock.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

/// Where Debian's package `libfaketime` has it, on one architecture or another.
const FOLDERS: &str = "/usr/lib";

/// A machine.
pub(crate) struct Machine {
    folder: tempfile::TempDir,
}

impl Machine {
    /// Its clock is right.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // A server that runs as somebody else reads it, too.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let machine = Self { folder };
        machine.set(0);
        machine
    }

    /// Sets its clock: it is ahead by so many seconds from now on.
    pub(crate) fn set(&self, ahead: i64) {
        let (new, clock) = (self.folder.path().join("new"), self.folder.path().join("clock"));
        // In one step: a program that reads half of it would be somewhere else in time.
        fs::write(&new, format!("{ahead:+}\n")).unwrap();
        fs::rename(new, clock).unwrap();
    }

    /// The environment of a program on this machine.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        let clock = self.folder.path().join("clock");
        let pairs = [
            ("LD_PRELOAD", library()),
            ("FAKETIME_TIMESTAMP_FILE", clock.to_str().unwrap().to_owned()),
            // A step is there at once.
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ];
        pairs.map(|(name, value)| (name.to_owned(), value)).into()
    }
}

/// The library for programs of several threads.
fn library() -> String {
    let name = "faketime/libfaketimeMT.so.1";
    let folders = fs::read_dir(FOLDERS).unwrap().map(|entry| entry.unwrap().path());
    let mut candidates = folders.chain([Path::new(FOLDERS).to_owned()]).map(|folder| folder.join(name));
    let found = candidates.find(|path| path.exists());
    found.expect("this needs Debian's package `faketime`: run `scripts/clocks`").to_str().unwrap().to_owned()
}
