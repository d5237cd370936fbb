//! What the documentation lists in full: every error of the API, and every line of the log that people read.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use crate::sentences::{files, public_errors};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The text of every source file that is published.
fn sources() -> Vec<String> {
    let folders =
        ["rexecutor/src", "rexecutor-schedule/src", "rexecutor-sqlx/src", "rexecutor-testing/src", "rexecutor-web/src"];
    folders
        .iter()
        .flat_map(|folder| files(&root().join(folder)))
        .map(|file| fs::read_to_string(file).unwrap())
        .collect()
}

/// The rows of a document's table that begins with this cell, cell by cell.
fn rows(document: &str, first: &str) -> Vec<Vec<String>> {
    let text = fs::read_to_string(root().join("docs").join(document)).unwrap();
    let rows = text.lines().skip_while(|line| !line.starts_with(&format!("| {first} |"))).skip(2);
    let cells = |row: &str| row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
    rows.take_while(|row| row.starts_with('|')).map(cells).collect()
}

/// The errors of the API: an enum's variants, and what is no enum by its name.
fn errors() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for text in sources() {
        for name in public_errors(&text) {
            match text.split(&format!("pub enum {name} {{\n")).nth(1) {
                Some(body) => {
                    let lines = body.lines().take_while(|line| *line != "}");
                    let variants = lines.filter_map(|line| line.strip_prefix("    "));
                    let variants = variants.filter(|line| line.starts_with(|first: char| first.is_ascii_uppercase()));
                    let word =
                        |line: &str| line.split(|letter: char| !letter.is_alphanumeric()).next().unwrap().to_owned();
                    found.extend(variants.map(|line| format!("{name}::{}", word(line))));
                }
                None => drop(found.insert(name)),
            }
        }
    }
    found
}

#[test]
fn the_table_of_errors_has_every_error_of_the_api() {
    let (mut listed, rows) = (BTreeSet::new(), rows("errors.md", "error"));
    for row in &rows {
        let [error, happened, why, what_to_do, passes] = row.as_slice() else { panic!("{row:?}") };
        assert!(listed.insert(error.trim_matches('`').to_owned()), "{error} is listed twice");
        assert!([happened, why, what_to_do].iter().all(|cell| !cell.is_empty()), "{row:?}");
        assert!(["yes", "no", "as its cause"].contains(&passes.as_str()), "{row:?}");
    }
    let errors = errors();
    assert!(errors.len() > 60 && errors.contains("StartError::NoRuntime"), "{errors:?}");
    let missing: Vec<_> = errors.difference(&listed).collect();
    assert!(missing.is_empty(), "docs/errors.md has no row for {missing:?}");
    let gone: Vec<_> = listed.difference(&errors).collect();
    assert!(gone.is_empty(), "docs/errors.md has rows for errors that do not exist: {gone:?}");
}

/// The text of a macro's arguments, to the parenthesis that ends them.
fn arguments(text: &str) -> &str {
    let (mut depth, mut is_text, mut is_escaped) = (1, false, false);
    for (at, letter) in text.char_indices() {
        match letter {
            _ if is_escaped => is_escaped = false,
            '\\' if is_text => is_escaped = true,
            '"' => is_text = !is_text,
            '(' if !is_text => depth += 1,
            ')' if !is_text => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &text[..at];
        }
    }
    panic!("a macro does not end")
}

/// The last literal among a macro's arguments, without what makes a line of several.
fn message(arguments: &str) -> String {
    let end = arguments.rfind('"').unwrap_or_else(|| panic!("no message in {arguments}"));
    let start = arguments[..end].rfind('"').unwrap();
    let mut words = arguments[start + 1..end].split("\\\n").map(str::trim_start);
    let first = words.next().unwrap().to_owned();
    words.fold(first, |text, more| text + more)
}

/// Every line of INFO and above that the sources can write, with its level.
fn said() -> BTreeMap<String, &'static str> {
    let mut said = BTreeMap::new();
    for text in sources() {
        let text = text.split("#[cfg(test)]\nmod ").next().unwrap();
        assert!(!text.contains("tracing::event!"), "write `tracing::warn!` or its like");
        for (level, name) in [("ERROR", "tracing::error!("), ("WARN", "tracing::warn!("), ("INFO", "tracing::info!(")] {
            for rest in text.split(name).skip(1) {
                let message = message(arguments(rest)).replace('`', "");
                let before = said.insert(message.clone(), level);
                assert!(before.is_none_or(|before| before == level), "`{message}` has two levels");
            }
        }
    }
    said
}

#[test]
fn the_list_of_lines_has_every_line_that_people_read() {
    let mut listed = BTreeMap::new();
    for row in rows("logs.md", "level") {
        let [level, line, meaning] = row.as_slice() else { panic!("{row:?}") };
        assert!(!meaning.is_empty(), "{row:?}");
        let line = line.split('`').nth(1).unwrap().to_owned();
        assert!(listed.insert(line.clone(), level.clone()).is_none(), "`{line}` is listed twice");
    }
    let said: BTreeMap<String, String> = said().into_iter().map(|(line, level)| (line, level.to_owned())).collect();
    assert!(said.len() > 20, "{said:?}");
    let missing: Vec<_> = said.iter().filter(|(line, level)| listed.get(*line) != Some(level)).collect();
    assert!(missing.is_empty(), "docs/logs.md does not list, or lists at another level, {missing:?}");
    let gone: Vec<_> = listed.keys().filter(|line| !said.contains_key(*line)).collect();
    assert!(gone.is_empty(), "docs/logs.md lists lines that nothing says: {gone:?}");
}

/// What the span of a run has is listed, too.
#[test]
fn the_list_of_a_runs_fields_is_the_one_of_its_span() {
    let runs = fs::read_to_string(root().join("rexecutor/src/engine/dispatcher/runs.rs")).unwrap();
    let span = arguments(runs.split("tracing::info_span!(").nth(1).unwrap());
    let fields: Vec<&str> = span.split("job.").skip(2).map(|rest| rest.split(' ').next().unwrap()).collect();
    let listed: Vec<String> =
        rows("logs.md", "field").into_iter().map(|row| row[0].trim_matches('`').to_owned()).collect();
    assert_eq!(listed, fields.iter().map(|field| format!("job.{field}")).collect::<Vec<_>>());
}

/// The documents of the repository that people read.
fn documents() -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![root()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if path.is_dir() && !name.starts_with('.') && name != "target" {
                folders.push(path);
            } else if name.ends_with(".md") || name == "llms.txt" {
                found.push(path);
            }
        }
    }
    found
}

/// What a page calls a heading in its address.
fn anchor(heading: &str) -> String {
    let letters = heading.trim_start_matches('#').trim().chars().filter_map(|letter| match letter {
        ' ' | '-' => Some('-'),
        letter if letter.is_alphanumeric() || letter == '_' => Some(letter),
        _ => None,
    });
    letters.collect::<String>().to_lowercase()
}

/// The anchors of a document.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut is_code = false;
    let headings = text.lines().filter(|line| {
        is_code ^= line.starts_with("```");
        !is_code && line.starts_with('#')
    });
    headings.map(anchor).collect()
}

#[test]
fn every_link_of_a_document_leads_somewhere() {
    let (mut count, mut dead) = (0, Vec::new());
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        // Those of the sources are rustdoc's, which checks them.
        if document.components().any(|part| part.as_os_str() == "src") {
            continue;
        }
        for link in text.split("](").skip(1).filter_map(|rest| rest.split_once(')').map(|(link, _)| link)) {
            if link.contains("://") || link.contains(char::is_whitespace) {
                continue;
            }
            count += 1;
            let (file, heading) = link.split_once('#').map_or((link, None), |(file, heading)| (file, Some(heading)));
            let target = if file.is_empty() { document.clone() } else { document.parent().unwrap().join(file) };
            let is_there = match heading {
                Some(heading) => fs::read_to_string(&target).is_ok_and(|text| anchors(&text).contains(heading)),
                None => target.exists(),
            };
            if !is_there {
                dead.push(format!("{}: {link}", document.display()));
            }
        }
    }
    assert!(count > 100, "{count}");
    assert!(dead.is_empty(), "{dead:#?}");
}
