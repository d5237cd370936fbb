//! Tags that are paused, and the jobs that are set aside for them.
//!
//! # Invariant
//!
//! - The row of a pause is deleted when no job is set aside for it any more: whoever claims takes some back, and so nothing is forgotten
//!   when a process dies in between.

use rexecutor::{
    backend::{JobRow, Paused},
    job::JobId,
};
use serde_json::{Value, json};
use sqlx::{Row, SqliteConnection};

use super::{
    admit, queries,
    row::{instant_of, micros},
    script::{self, Answer},
    work::Work,
    write,
};
use crate::common::{AT_ONCE, Aside, PausedTags, executors_of};

/// The tags that are paused, as they were found. Jobs that were set aside for others are taken back first, as many as fit into one claim.
pub(super) async fn heed(work: &mut Work<'_>, answer: Option<&Answer>) -> Result<PausedTags, sqlx::Error> {
    let (mut tags, mut over) = (PausedTags::default(), Vec::new());
    for row in answer.into_iter().flat_map(|answer| &answer.rows) {
        let tag: String = row.try_get("tag")?;
        let until = row.try_get::<Option<i64>, _>("paused_until")?;
        let until = until.and_then(|micros| instant_of(micros, "paused_until").ok());
        let is_over: bool = row.try_get("is_over")?;
        if is_over || until.is_some_and(|until| until <= work.now) {
            over.push(tag);
        } else {
            tags.names.push(tag);
            tags.again_at = tags.again_at.into_iter().chain(until).min();
        }
    }
    tags.has_over = !over.is_empty();
    if tags.has_over {
        take_back(work, &over).await?;
    }
    Ok(tags)
}

async fn take_back(work: &mut Work<'_>, over: &[String]) -> Result<(), sqlx::Error> {
    let over = script::json(&over)?;
    let find = sqlx::query_scalar(queries::find_aside()).bind(&over).bind(AT_ONCE);
    let jobs: Vec<i64> = find.fetch_all(&mut *work.conn).await?;
    let numbers = script::json(&jobs)?;
    let back = sqlx::query(queries::take_back()).bind(&numbers).bind(micros(work.now));
    back.execute(&mut *work.conn).await?;
    sqlx::query(queries::forget_aside()).bind(numbers).execute(&mut *work.conn).await?;
    sqlx::query(queries::forget_tags()).bind(over).execute(&mut *work.conn).await.map(drop)
}

/// Sets the claimed jobs aside that have a paused tag, and more of them from the heads of their lines; returns whether there were any.
pub(super) async fn set_aside(
    work: &mut Work<'_>,
    tags: &PausedTags,
    jobs: &mut Vec<JobRow>,
) -> Result<bool, sqlx::Error> {
    let (rows, aside) = tags.take_out(jobs);
    if rows.is_empty() {
        return Ok(false);
    }
    write::store_states(work, &rows).await?;
    record(work, &aside).await?;
    let names = script::json(&tags.names)?;
    for executor in executors_of(&rows) {
        let find = sqlx::query_as(queries::find_tagged()).bind(executor.to_string()).bind(micros(work.now));
        let found: Vec<(i64, String, i64)> = find.bind(&names).bind(AT_ONCE).fetch_all(&mut *work.conn).await?;
        let due_at = |micros| instant_of(micros, "scheduled_at").unwrap_or(work.now);
        let more: Vec<Aside> =
            found.into_iter().map(|(id, tag, at)| Aside { job: JobId::from(id), tag, due_at: due_at(at) }).collect();
        record(work, &more).await?;
        let numbers = script::json(&more.iter().map(|one| one.job).collect::<Vec<_>>())?;
        sqlx::query(queries::set_aside()).bind(numbers).execute(&mut *work.conn).await?;
    }
    Ok(true)
}

async fn record(work: &mut Work<'_>, aside: &[Aside]) -> Result<(), sqlx::Error> {
    let rows = Value::from_iter(aside.iter().map(|one| json!([one.job, one.tag, micros(one.due_at)])));
    sqlx::query(queries::record_aside()).bind(rows.to_string()).execute(&mut *work.conn).await.map(drop)
}

/// The tags that are paused, for people.
pub(super) async fn paused(conn: &mut SqliteConnection) -> Result<Vec<Paused>, sqlx::Error> {
    let rows = sqlx::query(queries::list_tag_pauses()).fetch_all(conn).await?;
    let paused = rows.iter().map(|row| admit::read(row).map_err(sqlx::Error::Decode));
    Ok(paused.collect::<Result<Vec<_>, _>>()?.into_iter().filter_map(|(_, paused)| paused).collect())
}
