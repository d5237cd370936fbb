//! Takes every program out of the README, the guides and the doc comments, so that `src/bin` can be made of them, and
//! `tests/programs.rs` can run them and compare what they print.

#![allow(clippy::unwrap_used, reason = "a build that fails says where")]

use std::{
    env, fs,
    path::{Path, PathBuf},
};

const DOCUMENTS: &[&str] =
    &["README.md", "docs", "rexecutor/src", "rexecutor-derive/src", "rexecutor-sqlx/src", "rexecutor-testing/src"];

/// Blocks that are no program, or none that can be run by itself.
const SKIPPED: &[&str] = &["ignore", "compile_fail", "test_harness", "text", "sh", "toml", "sql", "console"];

/// A program of a document.
struct Program {
    /// The document and the line.
    place: String,
    /// The name of its file in `src/bin`.
    name: String,
    code: String,
    /// The block of text that follows it, which shows what it prints.
    output: String,
    /// Whether rustdoc is told not to run it, as it would leave a file or needs a server.
    is_not_run: bool,
}

fn main() {
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR").unwrap()).parent().unwrap().to_owned();
    let out = PathBuf::from(env::var("OUT_DIR").unwrap());
    let mut programs = Vec::new();
    for document in DOCUMENTS {
        println!("cargo::rerun-if-changed={}", root.join(document).display());
        for path in files(&root.join(document)) {
            let place = path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
            programs.extend(find(&place, &fs::read_to_string(&path).unwrap()));
        }
    }
    let mut table = String::from("&[\n");
    for Program { place, name, code, output, .. } in programs {
        fs::write(out.join(format!("{name}.rs")), code).unwrap();
        table += &format!("({place:?}, {name:?}, option_env!(\"CARGO_BIN_EXE_{name}\"), {output:?}),\n");
    }
    fs::write(out.join("programs.rs"), table + "]\n").unwrap();
}

/// All documents in this place, in order.
fn files(place: &Path) -> Vec<PathBuf> {
    if place.is_file() {
        return vec![place.to_owned()];
    }
    let mut entries: Vec<_> = fs::read_dir(place).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    let is_document = |path: &PathBuf| path.extension().is_some_and(|kind| kind == "md" || kind == "rs");
    let all = entries.into_iter().flat_map(|entry| if entry.is_dir() { files(&entry) } else { vec![entry] });
    all.filter(is_document).collect()
}

/// The programs of a document: its blocks of code that have a `main`; of those that are not to be run, the ones whose output
/// is shown.
fn find(place: &str, document: &str) -> Vec<Program> {
    let (mut programs, mut heading) = (Vec::<Program>::new(), String::new());
    let mut block: Option<(usize, String, Vec<&str>)> = None;
    // Whether a block of text would show what the last program prints.
    let mut may_show = false;
    for (number, line) in (1..).zip(document.lines()) {
        let Some(line) = text(place, line) else {
            (block, may_show) = (None, false);
            continue;
        };
        match (&mut block, line.trim_start().strip_prefix("```")) {
            (None, Some(info)) => block = Some((number, info.to_owned(), Vec::new())),
            (None, None) if line.starts_with('#') => {
                (heading, may_show) = (line.trim_start_matches('#').to_owned(), false);
            }
            (None, None) => {}
            (Some((_, _, lines)), None) => lines.push(line),
            (Some((start, info, lines)), Some(_)) => {
                if info == "text" && may_show {
                    programs.last_mut().unwrap().output = lines.join("\n");
                }
                let code: String = lines.iter().map(|line| shown(line) + "\n").collect();
                may_show = code.contains("fn main")
                    && !code.contains("fn main() {}")
                    && !SKIPPED.iter().any(|skipped| info.contains(skipped));
                if may_show {
                    let name = if place.ends_with(".md") { format!("{place} {heading}") } else { place.to_owned() };
                    let count = programs.iter().filter(|program| program.name.starts_with(&slug(&name))).count();
                    let name = if count == 0 { slug(&name) } else { format!("{}_{}", slug(&name), count + 1) };
                    let (output, is_not_run) = (String::new(), info.contains("no_run"));
                    programs.push(Program { place: format!("{place}:{start}"), name, code, output, is_not_run });
                }
                block = None;
            }
        }
    }
    programs.retain(|program| !program.is_not_run || !program.output.is_empty());
    programs
}

/// What a line says in a document; nothing, where it is no part of a doc comment.
fn text<'l>(place: &str, line: &'l str) -> Option<&'l str> {
    if place.ends_with(".md") {
        return Some(line);
    }
    let comment = line.trim_start();
    let comment = comment.strip_prefix("///").or_else(|| comment.strip_prefix("//!"))?;
    Some(comment.strip_prefix(' ').unwrap_or(comment))
}

/// A line of code, also if readers do not see it.
fn shown(line: &str) -> String {
    let hidden = line.trim_start();
    match hidden.strip_prefix("# ") {
        Some(code) => code.to_owned(),
        None if hidden == "#" => String::new(),
        None => line.to_owned(),
    }
}

fn slug(name: &str) -> String {
    let name = name.replace("/src", "").replace("docs/", "").replace(".md", "").replace(".rs", "");
    let words = name.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("_")
}
