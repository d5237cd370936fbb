//! The order of the modules: each knows those before it, and none of those after it.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The modules of `src`, from the plain data up to what a program imports. ARCHITECTURE.md says what each is for.
const ORDER: &[&str] = &[
    "limits",
    "causes",
    "json",
    "slab",
    "clock",
    "signals",
    "model",
    "meters",
    "validate",
    "schedule",
    "backend",
    "global",
    "context",
    "typed",
    "backoff",
    "criteria",
    "executing",
    "builder",
    "bulk",
    "manage",
    "steps",
    "cluster",
    "observe",
    "history",
    "metrics",
    "schedules",
    "results",
    "events",
    "batches",
    "pruner",
    "engine",
    "registry",
    "schema",
    "workflows",
    "testing",
    "node",
    "job",
    "executor",
    "middleware",
    "prelude",
];

#[test]
fn a_module_knows_only_those_before_it() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let found: BTreeSet<String> = entries(&src).map(|path| module(&path)).collect();
    let mut listed: BTreeSet<String> = ORDER.iter().map(|name| (*name).to_owned()).collect();
    listed.extend(["lib".to_owned(), "docs".to_owned()]);
    assert_eq!(found, listed, "every module has its place in the order");
    let mut wrong = Vec::new();
    for (rank, name) in ORDER.iter().enumerate() {
        for file in files(&src, name) {
            let text = without_tests(&fs::read_to_string(&file).unwrap());
            let later = known(&text).into_iter().filter(|other| ORDER[rank + 1..].contains(&other.as_str()));
            wrong.extend(later.map(|other| format!("{} knows `{other}`", file.display())));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_order_is_the_one_that_is_written_down() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ARCHITECTURE.md");
    let text = fs::read_to_string(path).unwrap();
    let rows = text.lines().skip_while(|line| !line.starts_with("| layer ")).skip(2);
    let rows = rows.take_while(|line| line.starts_with('|')).filter_map(|row| row.split('|').nth(2));
    let written: Vec<&str> = rows.flat_map(|modules| modules.split('`').skip(1).step_by(2)).collect();
    assert_eq!(written, ORDER);
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path())
}

fn module(path: &Path) -> String {
    path.file_stem().unwrap().to_str().unwrap().to_owned()
}

/// A module's files, whether it is one or a folder.
fn files(folder: &Path, name: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut left: Vec<PathBuf> = entries(folder).filter(|path| module(path) == name).collect();
    while let Some(path) = left.pop() {
        match path.is_dir() {
            true => left.extend(entries(&path)),
            false => found.push(path),
        }
    }
    found
}

/// The code of a file: its unit tests may know everything, and a comment may speak of it.
fn without_tests(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The modules that stand behind `crate::`, alone or in braces.
fn known(code: &str) -> BTreeSet<String> {
    let mut known = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        let (mut depth, mut at_start, mut name) = (0, true, String::new());
        for character in rest.chars() {
            match character {
                'a'..='z' | '_' if at_start => name.push(character),
                '{' => (depth, at_start) = (depth + 1, depth == 0),
                '}' if depth == 1 => break,
                '}' => depth -= 1,
                ',' if depth == 1 => at_start = true,
                ' ' | '\n' => continue,
                _ if depth == 0 => break,
                _ => at_start = false,
            }
            if !at_start || character == ',' {
                known.insert(std::mem::take(&mut name));
            }
        }
        known.insert(name);
    }
    known
}

/// A file is of one idea: the source files of all published crates.
#[test]
fn no_file_is_longer_than_350_lines() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let crates = entries(&root).map(|folder| folder.join("src")).filter(|src| src.is_dir());
    let mut left: Vec<PathBuf> = crates.collect();
    let mut count = 0;
    while let Some(path) = left.pop() {
        if path.is_dir() {
            left.extend(entries(&path));
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            let lines = fs::read_to_string(&path).unwrap().lines().count();
            assert!(lines <= 350, "{} has {lines} lines", path.display());
            count += 1;
        }
    }
    assert!(count > 400, "{count}");
}

#[test]
fn modules_behind_crate_are_found_alone_and_in_braces() {
    let code =
        "use crate::{\n    backend::{self, Claim},\n    model,\n    engine::x,\n};\nfn f(_: crate::node::Node) {}";
    let found: Vec<String> = known(code).into_iter().filter(|name| !name.is_empty()).collect();
    assert_eq!(found, ["backend", "engine", "model", "node"]);
}
