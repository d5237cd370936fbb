//! The live view, in a terminal of the tests' own.

use std::{
    fs,
    io::{Read, Write},
    num::NonZeroU16,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

use rexecutor::clock::{Clock, SystemClock};

use crate::support::{Place, ran};

/// After which what was waited for does not come any more.
const MOST: Duration = Duration::from_secs(60);

/// A terminal of 120 columns and 30 lines in which the view runs. `script`, of every Debian, gives it one.
struct Terminal {
    child: Child,
    input: ChildStdin,
    output: Receiver<Vec<u8>>,
    screen: vt100::Parser,
    /// All that was written to it.
    all: Vec<u8>,
}

impl Terminal {
    fn open(place: &Place, arguments: &str) -> Self {
        Self::sized(place, arguments, 120, 30)
    }

    fn sized(place: &Place, arguments: &str, columns: u16, lines: u16) -> Self {
        let pid = place.folder.path().join("pid");
        let (bin, schema) = (env!("CARGO_BIN_EXE_rexecutor"), &place.schema);
        let shell = format!(
            "stty cols {columns} rows {lines}; echo $$ > {}; exec {bin} --schema {schema} top --every 100ms {arguments}",
            pid.display()
        );
        let mut script = Command::new("script");
        script.args(["--quiet", "--flush", "--return", "--command", &shell, "/dev/null"]);
        script.env("DATABASE_URL", &place.url).env("TERM", "xterm-256color").env_remove("REXECUTOR_CONTEXT");
        script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = script.spawn().expect("`script` of util-linux (Debian: bsdutils)");
        let (sender, output) = channel();
        let mut stdout = child.stdout.take().unwrap();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(read @ 1..) = stdout.read(&mut buffer) {
                if sender.send(buffer[..read].to_vec()).is_err() {
                    break;
                }
            }
        });
        let input = child.stdin.take().unwrap();
        let [lines, columns] = [lines, columns].map(|size| NonZeroU16::new(size).unwrap());
        Self { child, input, output, screen: vt100::Parser::new(lines, columns, 0), all: Vec::new() }
    }

    fn shown(&self) -> String {
        self.screen.screen().contents()
    }

    /// Waits until all of this is on the screen.
    #[track_caller]
    fn shows(&mut self, texts: &[&str]) -> &mut Self {
        self.waits(|shown| texts.iter().all(|text| shown.contains(text)), &format!("{texts:?} never came"))
    }

    /// Waits until this is no longer there.
    #[track_caller]
    fn hides(&mut self, text: &str) -> &mut Self {
        self.waits(|shown| !shown.contains(text), &format!("{text:?} stayed"))
    }

    #[track_caller]
    fn waits(&mut self, is_right: impl Fn(&str) -> bool, problem: &str) -> &mut Self {
        let began = SystemClock.elapsed();
        while !is_right(&self.shown()) {
            match self.output.recv_timeout(MOST) {
                Ok(bytes) if SystemClock.elapsed() - began < MOST => self.takes(&bytes),
                _ => panic!("{problem}:\n{}", self.shown()),
            }
        }
        self
    }

    fn takes(&mut self, bytes: &[u8]) {
        self.screen.process(bytes);
        self.all.extend(bytes);
    }

    fn types(&mut self, keys: &str) -> &mut Self {
        self.input.write_all(keys.as_bytes()).unwrap();
        self.input.flush().unwrap();
        self
    }

    /// Waits for its end, after which the terminal is as it was.
    #[track_caller]
    fn ends(&mut self) {
        while let Ok(bytes) = self.output.recv_timeout(MOST) {
            self.takes(&bytes);
        }
        assert!(self.child.wait().unwrap().success(), "{}", self.shown());
        let screen = self.screen.screen();
        assert!(!screen.alternate_screen() && !screen.hide_cursor(), "{}", self.shown());
    }
}

#[test]
fn it_shows_what_goes_on_while_it_goes_on() {
    for place in Place::each() {
        place.dead("print", &["tray 1 is empty", "tray 2 is empty"]);
        place.run(["enqueue", "mail", "--in", "1h", "--tag", "vip"]).ends(0);
        let mut top = Terminal::open(&place, "");
        top.shows(&["discarded 2", "scheduled 1", "! No node is alive", "EXECUTOR", "mail", "2 discarded"]);
        // Another process enqueues.
        place.run(["enqueue", "report", "--in", "1h"]).ends(0);
        top.shows(&["scheduled 2", "report"]);
        top.types("5").shows(&["LAST ERROR", "oops: tray 1 is empty", "oops: tray 2 is empty"]);
        // The second line, all of it, and back.
        top.types("j\r").shows(&["job        1", "It was discarded at", "tray 1 is empty"]).hides("LAST ERROR");
        top.types("\u{1b}").shows(&["LAST ERROR"]);
        top.types("3").shows(&["in 59 min", "report", "mail"]);
        top.types("/tag:vip\r").shows(&["/tag:vip"]).hides("report");
        top.types("/\u{15}stauts:x\r").shows(&["stauts"]);
        // A mistake stays until it is mended.
        top.shows(&["there is no filter `stauts`"]).types("\u{1b}").shows(&["report"]).hides("there is no filter");
        top.types("?").shows(&["another page", "ends"]).types("?").hides("another page");
        top.types("q").ends();
    }
}

#[test]
fn an_executor_opens_its_jobs() {
    let place = Place::sqlite();
    place.run(["enqueue", "my mail", "--in", "1h"]).ends(0);
    place.run(["enqueue", "report", "--in", "1h"]).ends(0);
    let mut top = Terminal::open(&place, "");
    top.shows(&["my mail", "report"]).types("\r").shows(&["/\"executor:my mail\"", "in 59 min"]).hides("report");
    top.types("\u{3}").ends();
}

#[test]
fn nothing_is_read_while_it_is_held() {
    let place = Place::sqlite();
    let mut top = Terminal::open(&place, "");
    top.shows(&["scheduled 0"]).types(" ").shows(&["held"]);
    place.run(["enqueue", "mail", "--in", "1h"]).ends(0);
    top.types("?").shows(&["another page"]).types("?").hides("another page");
    assert!(top.shown().contains("scheduled 0"), "{}", top.shown());
    top.types(" ").shows(&["scheduled 1"]).hides("held");
    top.types("q").ends();
}

#[test]
fn a_database_that_fails_is_told_and_looked_at_again() {
    let place = Place::sqlite();
    place.run(["enqueue", "mail", "--in", "1h"]).ends(0);
    let mut top = Terminal::open(&place, "");
    top.shows(&["scheduled 1", "mail"]);
    place.sql("ALTER TABLE rexecutor_nodes RENAME TO away");
    // What was seen before stays.
    top.shows(&["no such table: rexecutor_nodes", "mail"]);
    place.sql("ALTER TABLE away RENAME TO rexecutor_nodes");
    top.hides("no such table").shows(&["mail"]);
    top.types("q").ends();
}

#[test]
fn whoever_ends_it_gets_the_terminal_back() {
    let place = Place::sqlite();
    let mut top = Terminal::open(&place, "");
    top.shows(&["scheduled 0"]);
    let pid = fs::read_to_string(place.folder.path().join("pid")).unwrap();
    assert!(Command::new("kill").arg(pid.trim()).status().unwrap().success());
    top.ends();
}

#[test]
fn names_do_not_steer_the_terminal() {
    let place = Place::sqlite();
    place.dead("print", &["\u{1b}[2J\u{1b}]0;owned\u{7}gone\u{9b}31m"]);
    place.run(["enqueue", "a\u{202e}b", "--in", "1h"]).ends(0);
    let mut top = Terminal::open(&place, "");
    // The terminal of this test leaves out what stands for such characters.
    top.shows(&["ab"])
        .types("5")
        .shows(&["LAST ERROR", "oops: [2J]0;ownedgone31m"])
        .types("\r")
        .shows(&["It was discarded at"]);
    top.types("q").ends();
    let all = String::from_utf8(top.all).unwrap();
    assert!(all.contains("a\u{fffd}b") && all.contains("\u{fffd}]0;owned"), "{all:?}");
    assert!(!all.contains(['\u{202e}', '\u{9b}', '\u{7}']) && !all.contains("\u{1b}]0;owned"), "{all:?}");
}

/// On a telephone, say. What is cut says so, and a page always has lines.
#[test]
fn a_small_terminal_shows_what_matters() {
    let place = Place::sqlite();
    for executor in ["a_rather_long_name_of_an_executor", "print", "scan", "copy"] {
        place.dead(executor, &["the tray is empty and nobody is there who could fill it again before tomorrow"]);
    }
    place.run(["enqueue", "mail", "--in", "1h"]).ends(0);
    let mut top = Terminal::sized(&place, "", 40, 10);
    top.shows(&["scheduled 1", "discarded 4", "1 executors", "EXECUTOR", "mail"]);
    top.types("5").shows(&["5 failed", "LAST ERROR", "a_rather_", "…", "oops: the …", "print", "scan", "copy"]);
    // All of what is wrong.
    top.types("/stauts:x\r").shows(&["`stauts:x`: there is no filter", "`executor:stauts:x`"]);
    top.types("\u{1b}").hides("stauts").types("q").ends();
    let mut top = Terminal::sized(&place, "", 12, 4);
    top.shows(&["1 exec"]).types("q").ends();
}

#[test]
fn it_wants_a_terminal_and_a_search_that_makes_sense() {
    let place = Place::sqlite();
    let refused = place.run(["top"]).ends(2);
    assert!(
        refused.err.contains("`top` draws on a terminal; a program asks `rexecutor --json stats`"),
        "{}",
        refused.err
    );
    let refused = place.run(["top", "--every", "1ms"]).ends(2);
    assert!(refused.err.contains("100ms to 1h"), "{}", refused.err);
    let help = ran(place.command().args(["top", "--help"])).ends(0).out;
    assert!(help.contains("--every"), "{help}");
}
