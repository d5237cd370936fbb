//! Comparing what stands in the schema with what the migrations make.

use super::{
    catalog::{Catalog, Kind, Part, Relation},
    columns::{self, quoted},
};
use crate::doctor::{Finding, Repair};

/// What differs, in an order in which it can be repaired; `schema` is its quoted name. Of temporary tables it is not said
/// what is in functions.
pub(super) fn compare(expected: &Catalog, found: &Catalog, schema: &str, is_temporary: bool) -> Vec<Finding> {
    let table = |name: &str| format!("{schema}.{}", quoted(name));
    let mut findings = Vec::new();
    let mut missing = Vec::new();
    for (name, wanted) in &expected.relations {
        match found.relations.get(name) {
            None => {
                findings.push(missing_table(&table(name), name, wanted, expected));
                missing.push(name);
            }
            Some(relation) => findings.extend(columns::compare(&table(name), &wanted.columns, &relation.columns)),
        }
    }
    for wanted in &expected.parts {
        let comes_with_its_table =
            wanted.relation.as_ref().is_some_and(|relation| missing.contains(&relation)) && !is_foreign(wanted);
        if !comes_with_its_table {
            findings.extend(part(wanted, found, schema, is_temporary));
        }
    }
    for extra in &found.parts {
        let is_ours = extra.relation.as_ref().is_some_and(|relation| expected.relations.contains_key(relation));
        if is_ours && expected.part(extra).is_none() && !has_same(expected, extra) {
            findings.extend(self::extra(extra, schema));
        }
    }
    for (name, wanted) in &expected.relations {
        if let Some(relation) = found.relations.get(name) {
            findings.extend(settings(&table(name), wanted, relation));
            findings.extend(logging(&table(name), wanted, relation));
            findings.extend(identity(&table(name), relation));
        }
    }
    findings
}

/// A foreign key is made after all tables.
fn is_foreign(part: &Part) -> bool {
    part.kind == Kind::Constraint && part.definition.starts_with("FOREIGN KEY")
}

/// Whether there is a constraint like it under another name.
fn has_same(catalog: &Catalog, wanted: &Part) -> bool {
    wanted.kind == Kind::Constraint
        && catalog.parts.iter().any(|part| {
            (part.kind, &part.relation, &part.definition) == (wanted.kind, &wanted.relation, &wanted.definition)
        })
}

fn missing_table(table: &str, name: &str, wanted: &Relation, expected: &Catalog) -> Finding {
    let own: Vec<&Part> =
        expected.parts.iter().filter(|part| part.relation.as_deref() == Some(name) && !is_foreign(part)).collect();
    let columns = wanted.columns.iter().map(|column| column.declared());
    let constraints = own.iter().filter(|part| part.kind == Kind::Constraint);
    let constraints = constraints.map(|part| format!("CONSTRAINT {} {}", quoted(&part.name), part.definition));
    let lines: Vec<String> = columns.chain(constraints).map(|line| format!("    {line}")).collect();
    let unlogged = if wanted.is_unlogged { "UNLOGGED " } else { "" };
    let mut sql = format!("CREATE {unlogged}TABLE {table} (\n{}\n)", lines.join(",\n"));
    if !wanted.settings.is_empty() {
        let settings = wanted.settings.iter().map(|(name, value)| format!("{name} = {value}"));
        sql.push_str(&format!(" WITH ({})", settings.collect::<Vec<_>>().join(", ")));
    }
    sql.push(';');
    for part in own.iter().filter(|part| part.kind != Kind::Constraint) {
        sql.push_str(&format!("\n{};", part.definition));
    }
    let what = format!("the table {table} is missing, and what stood in it is lost: restore a backup if there is one");
    Finding::mend("table", what, sql)
}

fn part(wanted: &Part, found: &Catalog, schema: &str, is_temporary: bool) -> Option<Finding> {
    let Part { relation, name, kind, definition, .. } = wanted;
    let table = format!("{schema}.{}", quoted(relation.as_deref().unwrap_or_default()));
    let ident = quoted(name);
    let there = found.part(wanted);
    let is_changed =
        there.is_some_and(|part| part.definition != *definition) && !(is_temporary && *kind == Kind::Function);
    let is_invalid = there.is_some_and(|part| !part.is_valid);
    let state = match there {
        None if has_same(found, wanted) => return None,
        None => "is missing",
        Some(_) if is_changed => "is another one than it should be",
        Some(_) if is_invalid => "is not valid, and is not used",
        Some(_) => return None,
    };
    let concurrently = definition.replacen("INDEX ", "INDEX CONCURRENTLY ", 1);
    let (check, what, sql) = match kind {
        Kind::Constraint => {
            let add = format!("ALTER TABLE {table} ADD CONSTRAINT {ident} {definition};");
            let drop = format!("ALTER TABLE {table} DROP CONSTRAINT {ident};");
            let sql = match there {
                None => add,
                Some(_) if !is_changed && is_foreign(wanted) => {
                    format!("ALTER TABLE {table} VALIDATE CONSTRAINT {ident};")
                }
                Some(_) => format!("{drop}\n{add}"),
            };
            ("constraint", format!("the constraint `{name}` of {table} {state}"), sql)
        }
        Kind::Index => {
            let sql = match there {
                None => format!("{concurrently};"),
                Some(_) if !is_changed => format!("REINDEX INDEX CONCURRENTLY {schema}.{ident};"),
                Some(_) => format!("DROP INDEX CONCURRENTLY {schema}.{ident};\n{concurrently};"),
            };
            ("index", format!("the index `{name}` of {table} {state}"), sql)
        }
        Kind::Function => ("function", format!("the function {schema}.{name} {state}"), format!("{definition};")),
        Kind::Trigger => {
            let sql = match there {
                None => format!("{definition};"),
                Some(_) if !is_changed => format!("ALTER TABLE {table} ENABLE TRIGGER {ident};"),
                Some(_) => format!("DROP TRIGGER {ident} ON {table};\n{definition};"),
            };
            ("trigger", format!("the trigger `{name}` of {table} {state}"), sql)
        }
    };
    Some(Finding::mend(check, what, sql))
}

/// What somebody has added, which each job pays for.
fn extra(part: &Part, schema: &str) -> Option<Finding> {
    let table = format!("{schema}.{}", quoted(part.relation.as_deref().unwrap_or_default()));
    let ident = quoted(&part.name);
    let (check, sql) = match part.kind {
        Kind::Constraint => ("constraint", format!("ALTER TABLE {table} DROP CONSTRAINT {ident};")),
        Kind::Index => ("index", format!("DROP INDEX CONCURRENTLY {schema}.{ident};")),
        Kind::Trigger => ("trigger", format!("DROP TRIGGER {ident} ON {table};")),
        Kind::Function => return None,
    };
    let what = format!(
        "{table} has a {check} `{}` that is not of rexecutor, and that every change of a row pays for",
        part.name
    );
    Some(Finding::notice(check, what, Some(Repair::Sql(sql))))
}

fn settings(table: &str, wanted: &Relation, found: &Relation) -> Vec<Finding> {
    let mut findings = Vec::new();
    let off = |relation: &Relation| {
        relation
            .settings
            .get("autovacuum_enabled")
            .is_some_and(|value| ["false", "off", "0", "no"].contains(&value.as_str()))
    };
    if off(found) {
        let what = format!("autovacuum is switched off for {table}: dead rows stay, and it gets slower and slower");
        findings.push(Finding::mend("autovacuum", what, format!("ALTER TABLE {table} RESET (autovacuum_enabled);")));
    }
    let differs = |(name, value): &(&String, &String)| found.settings.get(*name) != Some(*value);
    let set: Vec<_> = wanted.settings.iter().filter(differs).map(|(name, value)| format!("{name} = {value}")).collect();
    let is_extra = |name: &&String| !wanted.settings.contains_key(*name) && *name != "autovacuum_enabled";
    let reset: Vec<_> = found.settings.keys().filter(is_extra).cloned().collect();
    let mut sql = Vec::new();
    if !set.is_empty() {
        sql.push(format!("ALTER TABLE {table} SET ({});", set.join(", ")));
    }
    if !reset.is_empty() {
        sql.push(format!("ALTER TABLE {table} RESET ({});", reset.join(", ")));
    }
    if !sql.is_empty() {
        let names =
            set.iter().map(|one| one.split(' ').next().unwrap_or_default()).chain(reset.iter().map(String::as_str));
        let what =
            format!("{table} has other settings than it was made with: {}", names.collect::<Vec<_>>().join(", "));
        findings.push(Finding::notice("settings", what, Some(Repair::Sql(sql.join("\n")))));
    }
    findings
}

fn logging(table: &str, wanted: &Relation, found: &Relation) -> Option<Finding> {
    match (wanted.is_unlogged, found.is_unlogged) {
        (false, true) => {
            let what = format!("{table} is unlogged: a crash of the server empties it");
            Some(Finding::mend("settings", what, format!("ALTER TABLE {table} SET LOGGED;")))
        }
        (true, false) => {
            let what = format!("{table} is logged, and what stands in it is worth nothing after a crash");
            let sql = format!("ALTER TABLE {table} SET UNLOGGED;");
            Some(Finding::notice("settings", what, Some(Repair::Sql(sql))))
        }
        _ => None,
    }
}

fn identity(table: &str, found: &Relation) -> Option<Finding> {
    let sql = format!("ALTER TABLE {table} REPLICA IDENTITY DEFAULT;");
    match found.identity.as_str() {
        "n" if found.is_published => {
            let what = format!("{table} is published and has no replica identity: no row of it can be changed");
            Some(Finding::mend("replica_identity", what, sql))
        }
        "n" => {
            let what = format!("{table} has no replica identity: once it is published, no row of it can be changed");
            Some(Finding::notice("replica_identity", what, Some(Repair::Sql(sql))))
        }
        "f" => {
            let what = format!("each change of a row of {table} writes the whole row to the log");
            Some(Finding::notice("replica_identity", what, Some(Repair::Sql(sql))))
        }
        _ => None,
    }
}
