//! What stands in a file, as SQLite tells it.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{ConnectOptions, Row, SqliteConnection, sqlite::SqliteConnectOptions};

use super::super::{migrate, queries};

/// What of ours stands in a file.
#[derive(Debug, Default)]
pub(super) struct Catalog {
    pub(super) tables: BTreeMap<String, Table>,
    /// Indexes, views and triggers.
    pub(super) objects: Vec<Object>,
}

#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) sql: String,
    pub(super) columns: Vec<Column>,
    /// What is said of it beside that.
    pub(super) traits: BTreeSet<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) is_required: bool,
    pub(super) initial: Option<String>,
    /// Which column of the primary key it is, from 1 on.
    pub(super) place_in_key: i64,
}

/// An index, a view or a trigger.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) kind: Kind,
    pub(super) name: String,
    /// On what it stands.
    pub(super) relation: String,
    pub(super) sql: String,
}

/// In the order in which they are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Index,
    View,
    Trigger,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Index => "index",
            Self::View => "view",
            Self::Trigger => "trigger",
        }
    }
}

impl Catalog {
    pub(super) async fn read(connection: &mut SqliteConnection) -> sqlx::Result<Self> {
        let mut catalog = Self::default();
        for row in sqlx::query(queries::list_objects()).fetch_all(&mut *connection).await? {
            let (name, sql): (String, String) = (row.try_get("name")?, row.try_get("sql")?);
            let relation = row.try_get("relation")?;
            let kind = match row.try_get::<&str, _>("type")? {
                "table" => {
                    catalog.tables.insert(name, Table { sql, ..Table::default() });
                    continue;
                }
                "index" => Kind::Index,
                "view" => Kind::View,
                _ => Kind::Trigger,
            };
            catalog.objects.push(Object { kind, name, relation, sql });
        }
        catalog.objects.sort_by_key(|object| object.kind);
        for row in sqlx::query(queries::list_columns()).fetch_all(&mut *connection).await? {
            if let Some(table) = catalog.tables.get_mut(&row.try_get::<String, _>("relation")?) {
                table.columns.push(Column {
                    name: row.try_get("name")?,
                    kind: row.try_get("type")?,
                    is_required: row.try_get("is_required")?,
                    initial: row.try_get("initial")?,
                    place_in_key: row.try_get("place_in_key")?,
                });
            }
        }
        for row in sqlx::query(queries::list_traits()).fetch_all(connection).await? {
            if let Some(table) = catalog.tables.get_mut(&row.try_get::<String, _>("relation")?) {
                table.traits.insert(row.try_get("trait")?);
            }
        }
        Ok(catalog)
    }

    /// What the migrations make, in a database in memory.
    pub(super) async fn expected() -> sqlx::Result<Self> {
        let mut connection = SqliteConnectOptions::new().disable_statement_logging().connect().await?;
        for sql in migrate::whole() {
            sqlx::raw_sql(sql).execute(&mut connection).await?;
        }
        Self::read(&mut connection).await
    }

    pub(super) fn has_jobs(&self) -> bool {
        self.tables.contains_key("rexecutor_jobs")
    }

    /// What stands on a table or a view.
    pub(super) fn on<'a>(&'a self, relation: &'a str) -> impl Iterator<Item = &'a Object> {
        self.objects.iter().filter(move |object| object.relation == relation && object.name != relation)
    }
}
