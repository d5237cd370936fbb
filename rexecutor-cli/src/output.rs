//! What is printed: text for people, or JSON.

use std::io::{ErrorKind, Write};

use comfy_table::{Cell, CellAlignment, Table, presets};
use serde_json::Value;

use crate::failure::Failure;

/// How answers are given.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    pub(crate) json: bool,
}

impl Output {
    /// Prints an answer: its JSON, or the text for it.
    pub(crate) fn answer(self, json: &Value, text: impl FnOnce() -> String) -> Result<(), Failure> {
        match self.json {
            true => print(&escaped(&json.to_string())),
            false => print(&clean(text().trim_end())),
        }
    }
}

/// Prints to the standard output as it is. That nobody reads it any more, as behind `| head`, is no error.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::io(format!("could not print: {error}"))),
        _ => Ok(()),
    }
}

/// Says something to people who are not the program that reads the answer.
pub(crate) fn remark(text: &str) {
    let _ = writeln!(std::io::stderr(), "{}", clean(text));
}

/// Without what could steer a terminal: names, errors and data are somebody else's texts.
pub(crate) fn clean(text: &str) -> String {
    let is_kept = |character: char| !is_unsafe(character) || character == '\n';
    text.chars().map(|character| if is_kept(character) { character } else { '\u{fffd}' }).collect()
}

/// Control characters, and those that turn the direction of a line.
fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
}

/// JSON in which such characters are escaped, which stand in strings alone.
fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        match is_unsafe(character) {
            true => text.push_str(&format!("\\u{:04x}", u32::from(character))),
            false => text.push(character),
        }
    }
    text
}

/// A table without lines. A heading that begins with `>` stands over numbers.
pub(crate) fn table(headings: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(headings.iter().map(|heading| Cell::new(heading.trim_start_matches('>').to_uppercase())));
    for row in rows {
        // One row is one line: a name may have a line break in it.
        table.add_row(row.iter().map(|cell| Cell::new(clean(cell).replace('\n', "\u{fffd}"))));
    }
    for (place, heading) in headings.iter().enumerate() {
        if let (Some(column), true) = (table.column_mut(place), heading.starts_with('>')) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        if let Some(column) = table.column_mut(place) {
            column.set_padding((0, 2));
        }
    }
    let lines = table.to_string();
    lines.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// Facts, one a line.
pub(crate) fn facts(facts: impl IntoIterator<Item = (String, String)>) -> String {
    let facts: Vec<_> = facts.into_iter().filter(|(_, fact)| !fact.is_empty()).collect();
    let width = facts.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let line = |(name, fact): &(String, String)| {
        let indented = fact.replace('\n', &format!("\n{:width$}  ", ""));
        format!("{name:width$}  {indented}\n")
    };
    facts.iter().map(line).collect()
}

/// `1 job`, `2 jobs`.
pub(crate) fn jobs(count: usize) -> String {
    if count == 1 { "1 job".to_owned() } else { format!("{count} jobs") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_steers_a_terminal_is_printed() {
        assert_eq!(clean("a\u{1b}[31mb\u{9b}2J\r\u{202e}c\nd"), "a\u{fffd}[31mb\u{fffd}2J\u{fffd}\u{fffd}c\nd");
        let json = escaped(&serde_json::json!({ "a": "\u{1b}\u{9b}\u{202e}ü" }).to_string());
        assert_eq!(json, r#"{"a":"\u001b\u009b\u202eü"}"#);
        assert_eq!(serde_json::from_str::<Value>(&json).unwrap()["a"], "\u{1b}\u{9b}\u{202e}ü");
    }

    #[test]
    fn a_row_is_a_line_and_numbers_stand_on_the_right() {
        let shown =
            table(&[">jobs", "name"], [vec!["1".to_owned(), "a\nb".to_owned()], vec!["20".to_owned(), String::new()]]);
        assert_eq!(shown, "JOBS  NAME\n   1  a\u{fffd}b\n  20");
        let shown = facts([
            ("a".to_owned(), "1".to_owned()),
            ("bcd".to_owned(), "2\n3".to_owned()),
            ("e".to_owned(), String::new()),
        ]);
        assert_eq!(shown, "a    1\nbcd  2\n     3\n");
    }
}
