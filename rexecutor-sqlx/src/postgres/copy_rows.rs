//! Rows of the tables that are copied, whatever their columns.

use chrono::{DateTime, NaiveDateTime, Utc};
use futures::TryStreamExt;
use sqlx::{
    AssertSqlSafe, Decode, PgConnection, Postgres, Row as _, ValueRef,
    error::BoxDynError,
    postgres::{PgArguments, PgRow},
    query::Query,
};

use super::{backend::Database, row};
use crate::copy::{
    CopyError, Result, jobs,
    store::{BYTES, Page, Range},
    tables::JOBS,
    value::{Column, Kind, Row, Table, Value},
};

type Statement = Query<'static, Postgres, PgArguments>;

impl Database {
    /// A template with a table in it, and with what else stands in braces.
    fn of_table(&self, sql: &str, table: &Table, more: &[(&str, &str)]) -> String {
        let job = table.columns.first().map_or("id", |column| column.name);
        let filled = |part: &str| {
            let part = part.replace("{table}", table.name).replace("{row}", &Table::names(table.columns));
            let part = part.replace("{key}", &Table::names(table.key_columns())).replace("{job}", job);
            more.iter().fold(part, |part, (name, value)| part.replace(name, value))
        };
        // The name of the schema may contain anything.
        sql.split(&self.queries.schema).map(filled).collect::<Vec<_>>().join(&self.queries.schema)
    }

    pub(super) fn copy_query(&self, sql: String) -> Statement {
        sqlx::query(AssertSqlSafe(sql)).persistent(!self.options.transaction_pooling)
    }

    /// Rows between two keys. The connection is not to be used again where this is not the end.
    pub(super) async fn read_rows(
        &self,
        connection: &mut PgConnection,
        table: &'static Table,
        range: Range<'_>,
    ) -> sqlx::Result<Result<Page>> {
        let (mut conditions, mut next) = (Vec::new(), 2);
        for (comparison, key) in [(">", range.after), ("<=", range.upto)] {
            if key.is_some() {
                conditions.push(format!(
                    "({}) {comparison} ({})",
                    Table::names(table.key_columns()),
                    marks(table, next)
                ));
                next += table.keys;
            }
        }
        let condition = if conditions.is_empty() { "TRUE".to_owned() } else { conditions.join(" AND ") };
        let sql = self.of_table(&self.queries.read_rows, table, &[("{range}", &condition)]);
        let mut query = self.copy_query(sql).bind(i64::try_from(range.limit).unwrap_or(i64::MAX));
        for key in [range.after, range.upto].into_iter().flatten() {
            for (column, value) in table.key_columns().iter().zip(key) {
                query = bind_key(query, column.kind, value);
            }
        }
        let (mut rows, mut bytes) = (Vec::new(), 0);
        let mut stream = query.fetch(connection);
        while let Some(stored) = stream.try_next().await? {
            let row = match read(table, &stored) {
                Ok(row) => row,
                Err(problem) => return Ok(Err(problem)),
            };
            bytes += row.iter().map(Value::bytes).sum::<usize>();
            rows.push(row);
            if bytes > BYTES && rows.len() < range.limit {
                return Ok(Ok(Page { rows, is_end: false }));
            }
        }
        let is_end = rows.len() < range.limit;
        Ok(Ok(Page { rows, is_end }))
    }

    /// The rows of jobs.
    pub(super) async fn read_parts(
        &self,
        connection: &mut PgConnection,
        table: &'static Table,
        ids: &[i64],
    ) -> sqlx::Result<Result<Vec<Row>>> {
        let query = self.copy_query(self.of_table(&self.queries.read_parts, table, &[])).bind(ids.to_vec());
        let rows = query.fetch_all(connection).await?;
        Ok(rows.iter().map(|stored| read(table, stored)).collect())
    }

    pub(super) async fn delete_parts(
        &self,
        connection: &mut PgConnection,
        table: &'static Table,
        ids: &[i64],
    ) -> sqlx::Result<u64> {
        let query = self.copy_query(self.of_table(&self.queries.delete_parts, table, &[])).bind(ids.to_vec());
        Ok(query.execute(connection).await?.rows_affected())
    }

    /// The statement that stores rows.
    pub(super) fn write_rows(&self, table: &'static Table, rows: &[Row], replace: bool) -> Result<Statement> {
        let values = table.columns.iter().map(|column| match column.kind {
            Kind::Texts => elements(column, ""),
            Kind::Longs => elements(column, "::BIGINT"),
            _ => format!("new.{}", column.name),
        });
        let values = values.collect::<Vec<_>>().join(", ");
        let set = table.columns.iter().skip(table.keys).map(|column| format!("{0} = excluded.{0}", column.name));
        let otherwise = match replace {
            true => format!("UPDATE SET {}", set.collect::<Vec<_>>().join(", ")),
            false => "NOTHING".to_owned(),
        };
        let more = [("{values}", &*values), ("{arrays}", &arrays(table.columns)), ("{otherwise}", &otherwise)];
        let sql = self.of_table(&self.queries.write_rows, table, &more);
        bind_rows(self.copy_query(sql), table, table.columns, rows)
    }

    /// The statement that deletes the rows with these rows' keys.
    pub(super) fn delete_rows(&self, table: &'static Table, rows: &[Row]) -> Result<Statement> {
        let keys = table.key_columns();
        let more = [("{values}", &*Table::names(keys)), ("{arrays}", &arrays(keys))];
        let sql = self.of_table(&self.queries.delete_rows, table, &more);
        bind_rows(self.copy_query(sql), table, keys, rows)
    }
}

/// The elements of a list that has come as JSON.
fn elements(column: &Column, cast: &str) -> String {
    let name = column.name;
    format!(
        "CASE WHEN new.{name} IS NOT NULL THEN ARRAY(SELECT one{cast} FROM json_array_elements_text(new.{name}::JSON) AS list (one)) END"
    )
}

fn sql_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Small => "SMALLINT",
        Kind::Int => "INTEGER",
        Kind::Long => "BIGINT",
        Kind::Bool => "BOOLEAN",
        Kind::Text | Kind::Texts | Kind::Longs => "TEXT",
        Kind::Bytes => "BYTEA",
        Kind::Instant => "TIMESTAMPTZ",
        Kind::Local => "TIMESTAMP",
    }
}

fn arrays(columns: &[Column]) -> String {
    let array = |(place, column): (usize, &Column)| format!("${place}::{} []", sql_type(column.kind));
    (1..).zip(columns).map(array).collect::<Vec<_>>().join(", ")
}

fn marks(table: &Table, first: usize) -> String {
    let mark = |(place, column): (usize, &Column)| format!("${place}::{}", sql_type(column.kind));
    (first..).zip(table.key_columns()).map(mark).collect::<Vec<_>>().join(", ")
}

fn bind_key(query: Statement, kind: Kind, value: &Value) -> Statement {
    match (kind, value) {
        (Kind::Instant, Value::Long(micros)) => query.bind(DateTime::<Utc>::from_timestamp_micros(*micros)),
        // Where it does not fit, nothing has such a key.
        (Kind::Int | Kind::Small, Value::Long(value)) => {
            query.bind(i32::try_from(*value).unwrap_or(if *value < 0 { i32::MIN } else { i32::MAX }))
        }
        (_, Value::Long(value)) => query.bind(*value),
        (_, value) => query.bind(value.text().map(str::to_owned)),
    }
}

fn bind_rows(mut query: Statement, table: &Table, columns: &[Column], rows: &[Row]) -> Result<Statement> {
    for (place, column) in columns.iter().enumerate() {
        let each = Each { table, column, place, rows };
        query = match column.kind {
            Kind::Small => query.bind(each.values(|value| Ok(i16::try_from(long(value)?)?))?),
            Kind::Int => query.bind(each.values(|value| Ok(i32::try_from(long(value)?)?))?),
            Kind::Long => query.bind(each.values(long)?),
            Kind::Bool => query.bind(each.values(|value| Ok(long(value)? != 0))?),
            Kind::Bytes => query.bind(each.values(|value| match value {
                Value::Bytes(bytes) => Ok(bytes.clone()),
                _ => Err("no bytes".into()),
            })?),
            Kind::Instant => query.bind(each.values(instant)?),
            Kind::Local => query.bind(each.values(|value| Ok::<NaiveDateTime, _>(instant(value)?.naive_utc()))?),
            Kind::Text | Kind::Texts | Kind::Longs => query.bind(each.values(text)?),
        };
    }
    Ok(query)
}

/// A column of all rows.
struct Each<'r> {
    table: &'r Table,
    column: &'r Column,
    place: usize,
    rows: &'r [Row],
}

impl Each<'_> {
    fn values<T>(&self, value: impl Fn(&Value) -> Result<T, BoxDynError>) -> Result<Vec<Option<T>>> {
        let problem = |row: &Row, problem: BoxDynError| CopyError::Row {
            row: self.table.shown(row),
            problem: format!("`{}`: {problem}, which PostgreSQL cannot store", self.column.name),
        };
        let one = |row: &Row| match row.get(self.place) {
            None | Some(Value::Null) => Ok(None),
            Some(stored) => value(stored).map(Some).map_err(|error| problem(row, error)),
        };
        self.rows.iter().map(one).collect()
    }
}

fn long(value: &Value) -> Result<i64, BoxDynError> {
    value.long().ok_or_else(|| "no number".into())
}

fn instant(value: &Value) -> Result<DateTime<Utc>, BoxDynError> {
    let micros = long(value)?;
    let instant = DateTime::from_timestamp_micros(micros).filter(|at| *at == super::filter::storable(*at));
    instant.ok_or_else(|| format!("{micros} microseconds after 1970 is no time").into())
}

fn text(value: &Value) -> Result<String, BoxDynError> {
    let has_null = match value {
        Value::Text(text) => text.contains('\0'),
        value => value.texts().iter().any(|text| text.contains('\0')),
    };
    if has_null {
        return Err("U+0000".into());
    }
    Ok(match value {
        Value::Text(text) => text.clone(),
        Value::Longs(longs) => serde_json::to_string(longs)?,
        value => serde_json::to_string(value.texts())?,
    })
}

fn read(table: &Table, stored: &PgRow) -> Result<Row> {
    let mut row = Row::with_capacity(table.columns.len());
    for (place, column) in table.columns.iter().enumerate() {
        match value(stored, place, column) {
            Ok(value) => row.push(value),
            Err(problem) => {
                let problem = format!("`{}`: {problem}", column.name);
                return Err(CopyError::Row { row: table.shown(&row), problem });
            }
        }
    }
    if table.name == JOBS.name {
        jobs::normalize(&mut row);
    }
    Ok(row)
}

fn value(stored: &PgRow, place: usize, column: &Column) -> Result<Value, BoxDynError> {
    let raw = stored.try_get_raw(place)?;
    if raw.is_null() {
        return Ok(Value::Null);
    }
    Ok(match column.kind {
        Kind::Small => Value::Long(i16::from_be_bytes(raw.as_bytes()?.try_into()?).into()),
        Kind::Int => Value::Long(i32::from_be_bytes(raw.as_bytes()?.try_into()?).into()),
        Kind::Long => Value::Long(i64::from_be_bytes(raw.as_bytes()?.try_into()?)),
        Kind::Bool => Value::Long(raw.as_bytes()?.iter().any(|byte| *byte != 0).into()),
        Kind::Text => Value::Text(str::from_utf8(raw.as_bytes()?)?.to_owned()),
        Kind::Bytes => Value::Bytes(raw.as_bytes()?.to_vec()),
        // Both are microseconds since 2000.
        Kind::Instant | Kind::Local => {
            let micros = i64::from_be_bytes(raw.as_bytes()?.try_into()?);
            Value::Long(row::Micros(micros).instant(column.name)?.timestamp_micros())
        }
        Kind::Texts => Value::Texts(Decode::<Postgres>::decode(raw)?),
        Kind::Longs => {
            let longs: Vec<Option<i64>> = Decode::<Postgres>::decode(raw)?;
            Value::Longs(longs.into_iter().map(Option::unwrap_or_default).collect())
        }
    })
}
