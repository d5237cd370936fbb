//! Comparing two snapshots, job by job.

use serde_json::{Value, json};

use super::{
    change::{BreakingChange, ChangeKind, Part},
    compare::{Finding, compare},
    snapshot::{Described, Job, Schemas, Snapshot},
};
use crate::registry::Undecodable;

pub(super) fn changes(old: &Snapshot, new: &Snapshot) -> Vec<BreakingChange> {
    old.all()
        .flat_map(|(name, was)| match new.runs(name) {
            Some(is) => Part::ALL.iter().flat_map(|part| part_changes(name, *part, was, is)).collect(),
            None => vec![change(name, None, String::new(), ChangeKind::JobRemoved, false)],
        })
        .collect()
}

fn part_changes(name: &str, part: Part, was: &Job, is: &Job) -> Vec<BreakingChange> {
    let nothing = Described::Known(Schemas {
        read: json!({ "type": "null" }),
        written: json!({ "type": "null" }),
        decode: Some(|text| match text {
            "null" => Ok(()),
            _ => Err(Undecodable { path: String::new(), error: "expected `null`".to_owned() }),
        }),
    });
    let (was, is) = match (was.parts.get(&part), is.parts.get(&part)) {
        // Data are always stored, and an output that nobody reads breaks nobody.
        (None, Some(is)) if part == Part::Data => (&nothing, is),
        (Some(was), None) if part != Part::Output => (was, &nothing),
        (Some(was), Some(is)) => (was, is),
        _ => return Vec::new(),
    };
    let change = |finding: &Finding, is_older| change(name, Some(part), finding.path(), finding.kind.clone(), is_older);
    match (was, is) {
        (Described::Known(was), Described::Known(is)) => {
            let certain = compare_read(&was.written, is);
            // What the old program read it may have found in the database, written by one before it.
            let older = compare_read(&was.read, is);
            let older = older.iter().filter(|found| certain.iter().all(|certain| certain.path() != found.path()));
            certain.iter().map(|found| change(found, false)).chain(older.map(|found| change(found, true))).collect()
        }
        (Described::Known(_), Described::Unknown(type_name)) => {
            let kind = ChangeKind::NotDescribed { type_name: type_name.clone() };
            vec![self::change(name, Some(part), String::new(), kind, false)]
        }
        (Described::Unknown(_), _) => Vec::new(),
    }
}

fn change(name: &str, part: Option<Part>, path: String, kind: ChangeKind, is_older: bool) -> BreakingChange {
    BreakingChange { job: name.to_owned(), part, path, kind, is_older }
}

/// What is wrong with reading these values, if the decoder says so, too.
fn compare_read(written: &Value, is: &Schemas) -> Vec<Finding> {
    let mut found = compare(written, &is.read);
    found.retain(|finding| match is.decode {
        Some(decode) if !finding.witnesses.is_empty() => {
            is_confirmed(finding, |value| decode(&value.to_string()).is_ok())
        }
        _ => !finding.is_doubtful,
    });
    found
}

fn is_confirmed(finding: &Finding, decodes: impl Fn(&Value) -> bool) -> bool {
    // Where the same value without its mistake does not decode either, the decoder checks more than the schema says.
    !finding.witnesses.iter().any(&decodes) && (!finding.is_doubtful || finding.control.as_ref().is_some_and(decodes))
}
