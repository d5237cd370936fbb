//! One wrong program a file, with the exact words beside it; and right ones that must compile and run.

/// The compiler whose own words are compared. Those of `#[job]` are compared with every compiler.
const PINNED: &str = "rustc 1.95.";

#[test]
fn jobs_compile_and_mistakes_are_told() {
    let tests = trybuild::TestCases::new();
    tests.pass("tests/pass/*.rs");
    tests.compile_fail("tests/fail/*.rs");
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let version = std::process::Command::new(rustc).arg("--version").output().unwrap().stdout;
    if String::from_utf8_lossy(&version).starts_with(PINNED) {
        tests.compile_fail("tests/fail-rustc/*.rs");
    } else {
        println!("skipped tests/fail-rustc: the words there are those of {PINNED}x");
    }
}
