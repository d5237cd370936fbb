//! What is told of an expectation that was not met.

use std::{error::Error, fmt};

use super::{
    condition::{Condition, Field, Kind, Test, Wanted, shown},
    difference::differences,
};
use crate::{
    causes::chain,
    model::{BackendError, Filter, JobRow},
};

/// An expectation that was not met, in words.
pub struct Mismatch(String);

crate::debug_as_sentence!(Mismatch);

/// How many jobs a table shows.
const ROWS: usize = 20;

/// How much of a job's data a table shows.
const DATA: usize = 48;

impl Mismatch {
    pub(super) fn backend(error: BackendError) -> Self {
        Self(format!("could not look for the jobs: {}", chain(&error)))
    }

    pub(super) fn new(expected: &Wanted<'_>, matching: &[JobRow], all: &[JobRow]) -> Self {
        let mut text = headline(expected, matching.len());
        if !expected.conditions.is_empty() {
            text.push_str("\n\nwanted:");
            for Condition { field, wanted, .. } in &expected.conditions {
                text.push_str(&format!("\n  {:<9} {wanted}", name(*field)));
            }
        }
        let mut others: Vec<&JobRow> = all.iter().filter(|row| !matching.contains(row)).collect();
        if !matching.is_empty() {
            text.push_str("\n\nthese match:");
            text.push_str(&table(&matching.iter().collect::<Vec<_>>()));
        }
        let is_too_few = expected.kind != Kind::Refuted && expected.count.is_none_or(|count| matching.len() < count);
        let place = nearest(expected, &others).filter(|_| is_too_few && !expected.conditions.is_empty());
        if let Some(place) = place {
            let row = others.remove(place);
            text.push_str(&format!("\n\nthe nearest is job {}:", row.id));
            text.push_str(&compared(expected, row));
        }
        if all.is_empty() {
            text.push_str("\n\nno job was enqueued at all");
        } else if !others.is_empty() && expected.kind != Kind::Refuted {
            text.push_str("\n\nthe others:");
            text.push_str(&table(&others));
        }
        text.push('\n');
        Self(text)
    }
}

fn headline(expected: &Wanted<'_>, found: usize) -> String {
    let what = match expected.kind {
        Kind::Executed => "executed",
        Kind::Enqueued | Kind::Refuted => "enqueued",
    };
    match (expected.kind, expected.count) {
        (Kind::Refuted, _) => format!("expected that no such job was enqueued, found {found}"),
        (_, Some(1)) => format!("expected exactly 1 {what} job, found {found}"),
        (_, Some(count)) => format!("expected exactly {count} {what} jobs, found {found}"),
        (_, None) => format!("expected at least 1 {what} job, found none"),
    }
}

/// The job that meets the most conditions; of several the one whose data differ in the fewest places, then the newest.
fn nearest(expected: &Wanted<'_>, rows: &[&JobRow]) -> Option<usize> {
    let distance = |row: &JobRow| {
        let unmet: Vec<_> = expected.conditions.iter().filter(|condition| !condition.is_met_by(row)).collect();
        let places: usize = unmet.iter().map(|condition| details(condition, row).len()).sum();
        (unmet.len(), places, std::cmp::Reverse(row.id))
    };
    (0..rows.len()).min_by_key(|place| distance(rows[*place]))
}

/// The job field by field, as far as they were asked for; what differs is marked.
fn compared(expected: &Wanted<'_>, row: &JobRow) -> String {
    let mut text = String::new();
    for condition in &expected.conditions {
        let mark = if condition.is_met_by(row) { ' ' } else { '!' };
        text.push_str(&format!("\n{mark} {:<9} {}", name(condition.field), actual(condition.field, row)));
        if mark == '!' {
            details(condition, row).iter().for_each(|wanted| text.push_str(&format!("\n              {wanted}")));
        }
    }
    text
}

/// Where the job differs, if there is more to say than that it does.
fn details(condition: &Condition<'_>, row: &JobRow) -> Vec<String> {
    match &condition.test {
        Test::Filter(Filter::Data(wanted)) => differences(wanted, &row.data),
        Test::Filter(Filter::Metadata(wanted)) => differences(wanted, row.metadata.as_deref().unwrap_or("null")),
        Test::Data(test) => match test(&row.data) {
            Err(error) => vec![format!("which is no data of this executor: {error}")],
            Ok(_) => Vec::new(),
        },
        _ => Vec::new(),
    }
}

fn name(field: Field) -> &'static str {
    match field {
        Field::Executor => "executor",
        Field::Status => "status",
        Field::Priority => "priority",
        Field::Due => "due",
        Field::Data => "data",
        Field::Metadata => "metadata",
        Field::Tags => "tags",
    }
}

fn actual(field: Field, row: &JobRow) -> String {
    match field {
        Field::Executor => row.executor.to_string(),
        Field::Status => row.status.to_string(),
        Field::Priority => row.priority.to_string(),
        Field::Due => shown(row.scheduled_at),
        Field::Data => row.data.clone(),
        Field::Metadata => row.metadata.clone().unwrap_or_else(|| "none".to_owned()),
        Field::Tags => row.tags.join(", "),
    }
}

const COLUMNS: [Field; 6] = [Field::Executor, Field::Status, Field::Priority, Field::Due, Field::Data, Field::Tags];

/// A line for each job, in columns.
fn table(rows: &[&JobRow]) -> String {
    let head: Vec<String> = std::iter::once("id").chain(COLUMNS.map(name)).map(str::to_owned).collect();
    let line = |row: &&JobRow| -> Vec<String> {
        std::iter::once(row.id.to_string()).chain(COLUMNS.map(|field| short(actual(field, row)))).collect()
    };
    let lines: Vec<Vec<String>> = std::iter::once(head).chain(rows.iter().take(ROWS).map(line)).collect();
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..=COLUMNS.len()).map(width).collect();
    let mut text = String::new();
    for line in &lines {
        let cells = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        let cells = cells.collect::<Vec<_>>().join("  ");
        text.push_str(&format!("\n  {}", cells.trim_end()));
    }
    if rows.len() > ROWS {
        text.push_str(&format!("\n  … and {} more", rows.len() - ROWS));
    }
    text
}

fn short(cell: String) -> String {
    match cell.char_indices().nth(DATA) {
        Some((end, _)) => format!("{}…", &cell[..end]),
        None => cell,
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Mismatch {}
