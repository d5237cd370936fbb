//! What stands in a schema, as the server tells it.

use std::{collections::BTreeMap, sync::Arc};

use sqlx::{AssertSqlSafe, PgConnection, Row, postgres::PgRow};

use super::super::queries::Queries;

/// What stands in a schema.
#[derive(Debug, Default)]
pub(super) struct Catalog {
    pub(super) relations: BTreeMap<String, Relation>,
    pub(super) parts: Vec<Part>,
}

/// A table.
#[derive(Debug)]
pub(super) struct Relation {
    pub(super) is_unlogged: bool,
    /// By what an update tells a subscriber which row it is about: a letter of the catalogue.
    pub(super) identity: String,
    pub(super) is_published: bool,
    pub(super) settings: BTreeMap<String, String>,
    pub(super) columns: Vec<Column>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) collation: Option<String>,
    pub(super) is_required: bool,
    pub(super) initial: Option<String>,
    /// A letter of the catalogue; empty: it is none.
    pub(super) identity: String,
}

/// What belongs to tables, or stands beside them.
#[derive(Debug)]
pub(super) struct Part {
    /// `None` for a function.
    pub(super) relation: Option<String>,
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) definition: String,
    pub(super) is_valid: bool,
}

/// What a [`Part`] is, in the order in which they are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Constraint,
    Index,
    Function,
    Trigger,
}

impl Catalog {
    /// Reads it. The search path must be empty.
    pub(super) async fn read(connection: &mut PgConnection, queries: &Queries, schema: &str) -> sqlx::Result<Self> {
        let mut catalog = Self::default();
        for row in all(connection, &queries.list_relations, schema).await? {
            catalog.relations.insert(row.try_get("name")?, relation(&row)?);
        }
        for row in all(connection, &queries.list_columns, schema).await? {
            if let Some(relation) = catalog.relations.get_mut(&row.try_get::<String, _>("relation")?) {
                relation.columns.push(column(&row)?);
            }
        }
        for row in all(connection, &queries.list_parts, schema).await? {
            catalog.parts.extend(part(&row)?);
        }
        Ok(catalog)
    }

    /// Puts other names into all definitions.
    pub(super) fn rename(&mut self, renamed: impl Fn(&str) -> String) {
        for part in &mut self.parts {
            part.definition = renamed(&part.definition);
        }
        for column in self.relations.values_mut().flat_map(|relation| &mut relation.columns) {
            column.initial = column.initial.as_deref().map(&renamed);
        }
    }

    pub(super) fn part(&self, wanted: &Part) -> Option<&Part> {
        self.parts
            .iter()
            .find(|part| (part.kind, &part.relation, &part.name) == (wanted.kind, &wanted.relation, &wanted.name))
    }
}

async fn all(connection: &mut PgConnection, sql: &Arc<str>, schema: &str) -> sqlx::Result<Vec<PgRow>> {
    sqlx::query(AssertSqlSafe(sql.clone())).bind(schema.to_owned()).fetch_all(connection).await
}

fn relation(row: &PgRow) -> sqlx::Result<Relation> {
    let settings: Vec<String> = row.try_get("settings")?;
    let pair = |setting: &String| setting.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    Ok(Relation {
        is_unlogged: row.try_get("is_unlogged")?,
        identity: row.try_get("identity")?,
        is_published: row.try_get("is_published")?,
        settings: settings.iter().filter_map(pair).collect(),
        columns: Vec::new(),
    })
}

fn column(row: &PgRow) -> sqlx::Result<Column> {
    Ok(Column {
        name: row.try_get("name")?,
        kind: row.try_get("type")?,
        collation: row.try_get("collation")?,
        is_required: row.try_get("is_required")?,
        initial: row.try_get("initial")?,
        identity: row.try_get("identity")?,
    })
}

fn part(row: &PgRow) -> sqlx::Result<Option<Part>> {
    let kind = match row.try_get::<&str, _>("kind")? {
        "constraint" => Kind::Constraint,
        "index" => Kind::Index,
        "function" => Kind::Function,
        "trigger" => Kind::Trigger,
        _ => return Ok(None),
    };
    Ok(Some(Part {
        relation: row.try_get("relation")?,
        name: row.try_get("name")?,
        kind,
        definition: row.try_get("definition")?,
        is_valid: row.try_get("is_valid")?,
    }))
}
