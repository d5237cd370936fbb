//! Tags that are paused, and the jobs that are set aside for them.
//!
//! # Invariants
//!
//! - A claim that heeds a pause holds a lock on its row until it has committed. So a pause is over only when no such claim is under way,
//!   and nothing is set aside for it afterwards.
//! - The row is deleted when no job is set aside for it any more: whoever claims takes some back, and so nothing is forgotten when a
//!   process dies in between.

use rexecutor::backend::{JobRow, Paused, Scope};
use sqlx::{PgConnection, Row, postgres::PgRow};

use super::{backend::Database, control::pause, row};
use crate::common::{AT_ONCE, Aside, PausedTags, executors_of};

impl Database {
    /// The tags that are paused. Jobs that were set aside for others are taken back first, as many as fit into one claim.
    pub(super) async fn heed_tags(&self, connection: &mut PgConnection) -> sqlx::Result<PausedTags> {
        let mut tags = PausedTags::default();
        for row in &self.query(&self.queries.find_paused_tags).bind(self.now()).fetch_all(&mut *connection).await? {
            match row.try_get("holds")? {
                true => {
                    tags.names.push(row.try_get("tag")?);
                    let until = row::optional_instant(row, "paused_until").unwrap_or_default();
                    tags.again_at = tags.again_at.into_iter().chain(until).min();
                }
                false => tags.has_over = true,
            }
        }
        if tags.has_over {
            self.take_back(connection).await?;
        }
        Ok(tags)
    }

    async fn take_back(&self, connection: &mut PgConnection) -> sqlx::Result<()> {
        let over = self.query(&self.queries.lock_over_tags).bind(self.now()).fetch_all(&mut *connection).await?;
        let over = over.iter().map(|row| row.try_get("tag")).collect::<sqlx::Result<Vec<String>>>()?;
        if over.is_empty() {
            return Ok(());
        }
        let back = self.query(&self.queries.take_back).bind(self.now()).bind(over.clone()).bind(AT_ONCE);
        let count: i64 = back.fetch_one(&mut *connection).await?.try_get("count")?;
        if count < AT_ONCE {
            self.query(&self.queries.forget_tags).bind(over).execute(connection).await?;
        }
        Ok(())
    }

    /// Sets the claimed jobs aside that have a paused tag, and more of them from the heads of their lines; returns whether there were any.
    pub(super) async fn set_aside(
        &self,
        connection: &mut PgConnection,
        tags: &PausedTags,
        jobs: &mut Vec<JobRow>,
    ) -> sqlx::Result<bool> {
        let (rows, aside) = tags.take_out(jobs);
        if rows.is_empty() {
            return Ok(false);
        }
        self.store_states(&mut *connection, &rows).await?;
        let each = |name: fn(&Aside) -> String| aside.iter().map(name).collect::<Vec<String>>();
        let record = self.query(&self.queries.record_aside);
        let record = record.bind(aside.iter().map(|one| one.job.as_i64()).collect::<Vec<_>>());
        let record = record.bind(each(|one| one.tag.clone()));
        record.bind(aside.iter().map(|one| one.due_at).collect::<Vec<_>>()).execute(&mut *connection).await?;
        let executors: Vec<String> = executors_of(&rows).iter().map(ToString::to_string).collect();
        let more = self.query(&self.queries.set_aside).bind(self.now()).bind(executors);
        more.bind(tags.names.clone()).bind(AT_ONCE).execute(connection).await?;
        Ok(true)
    }

    /// The tags that are paused, for people.
    pub(super) async fn paused_tags(&self, connection: &mut PgConnection) -> sqlx::Result<Vec<Paused>> {
        let rows = self.query(&self.queries.list_tag_pauses).fetch_all(connection).await?;
        let paused = |row: &PgRow| {
            let since = row::optional_instant(row, "paused_at")?;
            let paused = pause(row)?.zip(since);
            let tag: String = row.try_get("tag")?;
            Ok(paused.map(|(pause, since)| Paused::new(Scope::Tag(tag), since, pause)))
        };
        Ok(rows.iter().map(paused).collect::<sqlx::Result<Vec<_>>>()?.into_iter().flatten().collect())
    }
}
