//! Every program of the README, of the guides and of the doc comments, as a binary: it ends well, and prints what stands
//! beside it.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

use std::process::Command;

/// Where it stands, its name, the binary, and what it prints.
type Program = (&'static str, &'static str, Option<&'static str>, &'static str);

const PROGRAMS: &[Program] = include!(concat!(env!("OUT_DIR"), "/programs.rs"));

/// Case 1: a program that was copied from the documentation printed nothing.
#[test]
fn case_01_every_program_of_the_documentation_prints_what_stands_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    assert!(PROGRAMS.len() > 10, "{}", PROGRAMS.len());
    for (place, name, binary, output) in PROGRAMS {
        let binary = binary.unwrap_or_else(|| {
            let code = format!("include!(concat!(env!(\"OUT_DIR\"), \"/{name}.rs\"));");
            panic!("{place}: write docs/src/bin/{name}.rs: {code}, and name it in docs/Cargo.toml")
        });
        let ran = Command::new(binary).current_dir(&folder).output().unwrap();
        let printed = String::from_utf8_lossy(&ran.stdout);
        let complaint = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success() && complaint.is_empty(), "{place}: {}\n{printed}{complaint}", ran.status);
        assert_eq!(printed.trim_end(), output.trim_end(), "{place}: printed, and promised");
    }
}
