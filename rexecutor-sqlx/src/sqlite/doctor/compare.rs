//! Comparing what stands in the file with what the migrations make.

use super::{
    catalog::{Catalog, Column, Kind, Object, Table},
    rebuild::rebuild,
};
use crate::doctor::{Finding, Repair};

/// What differs, in an order in which it can be repaired.
pub(super) fn compare(expected: &Catalog, found: &Catalog) -> Vec<Finding> {
    let mut findings = Vec::new();
    // Whose indexes and triggers come with the repair.
    let mut made = Vec::new();
    for (name, wanted) in &expected.tables {
        match found.tables.get(name) {
            None => {
                let what = format!(
                    "the table `{name}` is missing, and what stood in it is lost: restore a backup if there is one"
                );
                findings.push(Finding::mend("table", what, with_parts(&wanted.sql, name, expected)));
                made.push(name.as_str());
            }
            Some(table) => {
                let (finding, is_rebuilt) = columns(name, wanted, table, expected);
                findings.extend(finding);
                if is_rebuilt {
                    made.push(name);
                }
            }
        }
    }
    for wanted in &expected.objects {
        if made.contains(&wanted.relation.as_str()) && wanted.kind != Kind::View {
            continue;
        }
        let there = found.objects.iter().find(|object| (object.kind, &object.name) == (wanted.kind, &wanted.name));
        let state = match there {
            None => "is missing",
            Some(object) if bare(&object.sql) != bare(&wanted.sql) => "is another one than it should be",
            Some(_) => continue,
        };
        let Object { kind, name, .. } = wanted;
        let drop = there.map(|_| format!("DROP {} {name};\n", kind.name().to_uppercase())).unwrap_or_default();
        let sql = format!("{drop}{}", with_parts(&wanted.sql, name, expected));
        if *kind == Kind::View {
            made.push(name);
        }
        findings.push(Finding::mend(kind.name(), format!("the {} `{name}` {state}", kind.name()), sql));
    }
    for extra in &found.objects {
        let is_ours = expected.objects.iter().any(|object| (object.kind, &object.name) == (extra.kind, &extra.name));
        let is_rebuilt = made.contains(&extra.relation.as_str());
        if !is_ours && !is_rebuilt && expected.tables.contains_key(&extra.relation) {
            let (kind, name) = (extra.kind.name(), &extra.name);
            let what = format!(
                "the {kind} `{name}` on `{}` is not of rexecutor, and every change of a row pays for it",
                extra.relation
            );
            let sql = format!("DROP {} {name};", kind.to_uppercase());
            findings.push(Finding::notice(kind, what, Some(Repair::Sql(sql))));
        }
    }
    findings
}

/// A statement, and those for what stands on what it makes.
pub(super) fn with_parts(sql: &str, relation: &str, expected: &Catalog) -> String {
    let parts = expected.on(relation).map(|object| format!("\n{};", object.sql));
    format!("{sql};{}", parts.collect::<String>())
}

/// Without comments, and with one space for many: how a statement is written says nothing.
fn bare(sql: &str) -> String {
    let lines = sql.lines().map(|line| line.split("--").next().unwrap_or_default());
    lines.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}

/// Compares the columns of a table; also, whether the repair makes it anew.
fn columns(name: &str, wanted: &Table, found: &Table, expected: &Catalog) -> (Vec<Finding>, bool) {
    let of = |table: &Table, name: &str| table.columns.iter().find(|column| column.name == name).cloned();
    let missing: Vec<&Column> = wanted.columns.iter().filter(|column| of(found, &column.name).is_none()).collect();
    let mut problems: Vec<String> = Vec::new();
    for column in &wanted.columns {
        if let Some(there) = of(found, &column.name).filter(|there| there != column) {
            problems.push(format!(
                "the column `{}` of `{name}` is declared as `{}`, and should be `{}`",
                column.name,
                there.declared(),
                column.declared()
            ));
        }
    }
    for column in &found.columns {
        // What needs no value is in nobody's way, as a column of a later version.
        if column.is_required && column.initial.is_none() && of(wanted, &column.name).is_none() {
            problems
                .push(format!("`{name}` has a column `{}` that must have a value, and no row has one", column.name));
        }
    }
    if wanted.traits != found.traits {
        let list =
            |one: &Table, other: &Table| one.traits.difference(&other.traits).cloned().collect::<Vec<_>>().join(", ");
        let parts = [("is not", list(wanted, found)), ("is, and should not be,", list(found, wanted))];
        let parts = parts.iter().filter(|(_, list)| !list.is_empty()).map(|(verb, list)| format!("{verb} {list}"));
        problems.push(format!("`{name}` {}", parts.collect::<Vec<_>>().join(" and ")));
    }
    let missing_text = |column: &Column| format!("the column `{}` of `{name}` is missing", column.name);
    if problems.is_empty() && missing.iter().all(|column| column.can_be_added()) {
        let add = |column: &&Column| {
            let sql = format!("ALTER TABLE {name} ADD COLUMN {};", column.declared());
            Finding::mend("column", missing_text(column), sql)
        };
        return (missing.iter().map(add).collect(), false);
    }
    problems.extend(missing.iter().map(|column| match column.is_required {
        true => format!("{}, and what stood in it is lost: restore a backup if there is one", missing_text(column)),
        false => missing_text(column),
    }));
    let sql = rebuild(name, wanted, found, expected);
    (vec![Finding::mend("column", problems.join("; "), sql)], true)
}

impl Column {
    fn declared(&self) -> String {
        let required = if self.is_required { " NOT NULL" } else { "" };
        let initial = self.initial.as_ref().map(|initial| format!(" DEFAULT {initial}")).unwrap_or_default();
        let key = if self.place_in_key > 0 { " PRIMARY KEY" } else { "" };
        format!("{} {}{required}{initial}{key}", self.name, self.kind)
    }

    fn can_be_added(&self) -> bool {
        self.place_in_key == 0 && (!self.is_required || self.initial.is_some())
    }

    /// What rows are given that have no value.
    pub(super) fn filler(&self) -> String {
        let of_kind = match self.kind.as_str() {
            "INTEGER" => "0",
            _ => "''",
        };
        self.initial.clone().unwrap_or_else(|| of_kind.to_owned())
    }
}
