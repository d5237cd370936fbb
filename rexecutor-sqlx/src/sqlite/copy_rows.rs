//! Rows of the tables that are copied, whatever their columns.

use std::collections::HashMap;

use futures::TryStreamExt;
use rexecutor::{backend::Failure, job::JobError};
use serde_json::Value as Json;
use sqlx::{
    AssertSqlSafe, Row as _, Sqlite, SqliteConnection,
    query::Query,
    sqlite::{SqliteArguments, SqliteRow},
};

use super::{
    extras::heavy,
    queries,
    row::{Problem, instant_of, micros, small_of},
    script::json,
};
use crate::copy::{
    CopyError, Result, jobs,
    store::{BYTES, Page, Range},
    tables::JOBS,
    value::{Column, Kind, Row, Table, Value},
};

/// What is done for one of the two databases: its own failures, and those of the copy.
pub(super) type Step<T> = sqlx::Result<Result<T>>;

/// The most rows in one statement: it has a value for each of their columns.
const MOST_ROWS: usize = 500;

/// Part of the jobs in rows that are copied.
static JOB_ERRORS: Table = Table { name: "job_errors", columns: &[Column { name: "job", kind: Kind::Long }], keys: 1 };

/// Whether the table of jobs has the column here.
fn is_stored(table: &Table, column: &Column) -> bool {
    table.name != JOBS.name || !["cancel_reason", "errors"].contains(&column.name)
}

/// A template with a table in it, and with what else stands in braces.
fn of_table(sql: &str, table: &Table, more: &[(&str, &str)]) -> String {
    let job = table.columns.first().map_or("id", |column| column.name);
    let sql = sql.replace("{table}", table.name).replace("{key}", &Table::names(table.key_columns()));
    more.iter().fold(sql.replace("{job}", job), |sql, (name, value)| sql.replace(name, value))
}

/// The columns, and NULL in the place of those that are not here.
fn all_columns(table: &Table) -> String {
    let column = |column: &Column| match is_stored(table, column) {
        true => column.name.to_owned(),
        false => format!("NULL AS {}", column.name),
    };
    table.columns.iter().map(column).collect::<Vec<_>>().join(", ")
}

fn marks(count: usize) -> String {
    format!("({})", vec!["?"; count].join(", "))
}

/// Rows between two keys.
pub(super) async fn read_rows(conn: &mut SqliteConnection, table: &'static Table, range: Range<'_>) -> Step<Page> {
    let mut conditions = Vec::new();
    for (comparison, key) in [(">", range.after), ("<=", range.upto)] {
        if key.is_some() {
            conditions.push(format!("({}) {comparison} {}", Table::names(table.key_columns()), marks(table.keys)));
        }
    }
    let condition = if conditions.is_empty() { "TRUE".to_owned() } else { conditions.join(" AND ") };
    let more = [("{row}", &*all_columns(table)), ("{range}", &condition)];
    // The first mark is the limit's: those after it have the next numbers.
    let sql = of_table(queries::read_rows(), table, &more);
    let (from, limit) = sql.rsplit_once("?1").unwrap_or((&sql, ""));
    let sql = format!("{from}?{limit}");
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for value in [range.after, range.upto].into_iter().flatten().flatten() {
        query = bind(query, value)?;
    }
    let query = query.bind(i64::try_from(range.limit).unwrap_or(i64::MAX));
    let (mut rows, mut bytes, mut is_end) = (Vec::new(), 0, true);
    {
        let mut stream = query.fetch(&mut *conn);
        while let Some(stored) = stream.try_next().await? {
            match read(table, &stored) {
                Ok(row) => rows.push(row),
                Err(problem) => return Ok(Err(problem)),
            }
            bytes += rows.last().map_or(0, |row: &Row| row.iter().map(Value::bytes).sum::<usize>());
            if bytes > BYTES || rows.len() >= range.limit {
                is_end = false;
                break;
            }
        }
    }
    Ok(add_errors(conn, table, &mut rows).await?.map(|()| Page { rows, is_end }))
}

/// The rows of jobs.
pub(super) async fn read_parts(conn: &mut SqliteConnection, table: &'static Table, ids: &[i64]) -> Step<Vec<Row>> {
    let sql = of_table(queries::read_parts(), table, &[("{row}", &all_columns(table))]);
    let stored = sqlx::query(AssertSqlSafe(sql)).bind(json(&ids)?).fetch_all(&mut *conn).await?;
    match stored.iter().map(|stored| read(table, stored)).collect::<Result<Vec<Row>>>() {
        Ok(mut rows) => Ok(add_errors(conn, table, &mut rows).await?.map(|()| rows)),
        Err(error) => Ok(Err(error)),
    }
}

pub(super) async fn delete_parts(conn: &mut SqliteConnection, table: &Table, ids: &[i64]) -> sqlx::Result<()> {
    let sql = of_table(queries::delete_parts(), table, &[]);
    sqlx::query(AssertSqlSafe(sql)).bind(json(&ids)?).execute(conn).await.map(drop)
}

/// Stores rows; those that are there already are replaced, or left as they are.
pub(super) async fn write_rows(
    conn: &mut SqliteConnection,
    table: &'static Table,
    rows: &[Row],
    replace: bool,
) -> Step<()> {
    let errors = match errors_of(table, rows) {
        Ok(errors) => errors,
        Err(error) => return Ok(Err(error)),
    };
    let columns: Vec<&Column> = table.columns.iter().filter(|column| is_stored(table, column)).collect();
    let names = columns.iter().map(|column| column.name).collect::<Vec<_>>().join(", ");
    let set = columns.iter().skip(table.keys).map(|column| format!("{0} = excluded.{0}", column.name));
    let otherwise = match replace {
        true => format!("UPDATE SET {}", set.collect::<Vec<_>>().join(", ")),
        false => "NOTHING".to_owned(),
    };
    for rows in rows.chunks(MOST_ROWS) {
        let values = vec![marks(columns.len()); rows.len()].join(", ");
        let more = [("{row}", &*names), ("{values}", &values), ("{otherwise}", &otherwise)];
        let sql = of_table(queries::write_rows(), table, &more);
        let mut query = sqlx::query(AssertSqlSafe(sql)).persistent(rows.len() == MOST_ROWS);
        for row in rows {
            for (column, value) in table.columns.iter().zip(row).filter(|(column, _)| is_stored(table, column)) {
                query = match table.name == JOBS.name && column.name == "extras" {
                    true => bind(query, &jobs::joined_extras(row, heavy(jobs::content_bytes(row))))?,
                    false => bind(query, value)?,
                };
            }
        }
        query.execute(&mut *conn).await?;
    }
    if table.name == JOBS.name {
        let ids: Vec<i64> = rows.iter().map(jobs::id).collect();
        delete_parts(conn, &JOB_ERRORS, &ids).await?;
        if !errors.is_empty() {
            sqlx::query(queries::insert_errors()).bind(json(&errors)?).execute(conn).await?;
        }
    }
    Ok(Ok(()))
}

/// Deletes the rows with these rows' keys.
pub(super) async fn delete_rows(conn: &mut SqliteConnection, table: &Table, rows: &[Row]) -> sqlx::Result<()> {
    for rows in rows.chunks(MOST_ROWS) {
        let values = vec![marks(table.keys); rows.len()].join(", ");
        let sql = of_table(queries::delete_rows(), table, &[("{values}", &values)]);
        let mut query = sqlx::query(AssertSqlSafe(sql)).persistent(false);
        for value in rows.iter().flat_map(|row| table.key(row)) {
            query = bind(query, value)?;
        }
        query.execute(&mut *conn).await?;
    }
    Ok(())
}

type Statement<'q> = Query<'q, Sqlite, SqliteArguments>;

fn bind<'q>(query: Statement<'q>, value: &Value) -> sqlx::Result<Statement<'q>> {
    Ok(match value {
        Value::Null => query.bind(None::<i64>),
        Value::Long(value) => query.bind(*value),
        Value::Text(text) => query.bind(text.clone()),
        Value::Bytes(bytes) => query.bind(bytes.clone()),
        Value::Texts(texts) => query.bind(json(texts)?),
        Value::Longs(longs) => query.bind(json(longs)?),
    })
}

fn read(table: &Table, stored: &SqliteRow) -> Result<Row> {
    let mut row = Row::with_capacity(table.columns.len());
    for (place, column) in table.columns.iter().enumerate() {
        match value(stored, place, column.kind) {
            Ok(value) => row.push(value.unwrap_or(Value::Null)),
            Err(problem) => {
                let problem = format!("`{}`: {problem}", column.name);
                return Err(CopyError::Row { row: table.shown(&row), problem });
            }
        }
    }
    if table.name == JOBS.name {
        jobs::split_extras(&mut row);
        jobs::normalize(&mut row);
    }
    Ok(row)
}

fn value(stored: &SqliteRow, place: usize, kind: Kind) -> Result<Option<Value>, Problem> {
    Ok(match kind {
        Kind::Small | Kind::Int | Kind::Long | Kind::Bool | Kind::Instant | Kind::Local => {
            stored.try_get::<Option<i64>, _>(place)?.map(Value::Long)
        }
        Kind::Text => stored.try_get::<Option<String>, _>(place)?.map(Value::Text),
        Kind::Bytes => stored.try_get::<Option<Vec<u8>>, _>(place)?.map(Value::Bytes),
        Kind::Texts => list(stored, place)?.map(Value::Texts),
        Kind::Longs => list(stored, place)?.map(Value::Longs),
    })
}

fn list<T: serde::de::DeserializeOwned>(stored: &SqliteRow, place: usize) -> Result<Option<Vec<T>>, Problem> {
    let Some(list) = stored.try_get::<Option<String>, _>(place)? else { return Ok(None) };
    Ok(Some(serde_json::from_str(&list)?))
}

/// Adds the errors of jobs to their rows.
async fn add_errors(conn: &mut SqliteConnection, table: &Table, rows: &mut [Row]) -> Step<()> {
    if table.name != JOBS.name || rows.is_empty() {
        return Ok(Ok(()));
    }
    let ids: Vec<i64> = rows.iter().map(jobs::id).collect();
    let stored = sqlx::query(queries::find_errors()).bind(json(&ids)?).fetch_all(conn).await?;
    let mut errors: HashMap<i64, Vec<String>> = HashMap::new();
    for row in &stored {
        let job = row.try_get("job")?;
        match read_error(row) {
            Ok(error) => errors.entry(job).or_default().push(error),
            Err(problem) => {
                let row = format!("an error of job {job}");
                return Ok(Err(CopyError::Row { row, problem: problem.to_string() }));
            }
        }
    }
    for row in rows {
        if let Some(errors) = errors.remove(&jobs::id(row)) {
            jobs::set(row, jobs::ERRORS, Value::Texts(errors));
            jobs::normalize(row);
        }
    }
    Ok(Ok(()))
}

fn read_error(row: &SqliteRow) -> Result<String, Problem> {
    let failure = Failure::new(row.try_get::<String, _>("error_type")?.into(), row.try_get::<String, _>("details")?);
    let attempt = small_of(row.try_get("attempt")?, "attempt")?;
    let error = JobError::new(attempt, failure, instant_of(row.try_get("recorded_at")?, "recorded_at")?);
    Ok(serde_json::to_string(&error)?)
}

/// The errors of jobs as `insert_errors.sql` takes them.
fn errors_of(table: &Table, rows: &[Row]) -> Result<Vec<Json>> {
    if table.name != JOBS.name {
        return Ok(Vec::new());
    }
    let errors = rows.iter().flat_map(|row| {
        row.get(jobs::ERRORS).map_or(&[][..], Value::texts).iter().map(|error| {
            let JobError { attempt, error_type, details, recorded_at, .. } = serde_json::from_str(error)
                .map_err(|problem| CopyError::Row { row: table.shown(row), problem: format!("`errors`: {problem}") })?;
            Ok(serde_json::json!([jobs::id(row), attempt, error_type.as_str(), details, micros(recorded_at)]))
        })
    });
    errors.collect()
}
