//! Several statements in one hand-over to the connection's thread.
//!
//! The driver runs statements on a thread of its own, and the way there and back takes longer than most statements do.
//! It takes several in one text, which stays prepared like any other: `?1` is the same argument in all of them.

use std::{sync::Arc, time::Duration};

use futures::TryStreamExt;
use rexecutor::clock::{Clock, SystemClock};
use sqlx::{
    Arguments, AssertSqlSafe, Either, Encode, Executor, Sqlite, SqliteConnection, Type,
    sqlite::{SqliteArguments, SqliteRow},
};

use super::error::is_busy;

/// Statements that run one after the other, until one fails.
#[derive(Debug, Default)]
pub(super) struct Script {
    sql: String,
    arguments: SqliteArguments,
}

/// What a statement has answered.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) rows: Vec<SqliteRow>,
}

impl Script {
    /// Adds a statement.
    pub(super) fn then(mut self, statement: &'static str) -> Self {
        self.sql.push_str(statement);
        self.sql.push_str(";\n");
        self
    }

    /// Adds a statement that answers `count` times what this one does, which is one value, in as many columns.
    pub(super) fn then_columns(mut self, statement: &'static str, count: usize) -> Self {
        let columns = vec![format!("(\n{statement})"); count];
        self.sql.push_str("SELECT ");
        self.sql.push_str(&columns.join(", "));
        self.sql.push_str(";\n");
        self
    }

    /// Adds a statement that works on `{found}`: what this one finds, `count` times with arguments of its own.
    pub(super) fn then_with(mut self, statement: &'static str, found: &'static str, count: usize) -> Self {
        let parts = vec![format!("SELECT id FROM (\n{found})"); count];
        self.sql.push_str(&statement.replace("{found}", &parts.join(" UNION ALL ")));
        self.sql.push_str(";\n");
        self
    }

    /// Adds the next argument.
    pub(super) fn bind<'t>(mut self, value: impl Encode<'t, Sqlite> + Type<Sqlite>) -> Result<Self, sqlx::Error> {
        self.arguments.add(value).map_err(sqlx::Error::Encode)?;
        Ok(self)
    }

    /// The same with these statements before the others.
    pub(super) fn after(mut self, statements: &str) -> Self {
        self.sql.insert_str(0, statements);
        self
    }

    /// Answers of all statements, in their order.
    ///
    /// # Errors
    ///
    /// When one of them fails; then those after it have not run.
    pub(super) async fn run(self, conn: &mut SqliteConnection) -> Result<Vec<Answer>, sqlx::Error> {
        Self::send(Arc::new(self.sql), self.arguments, conn).await
    }

    /// … after the statement `undo`, whose answer is left out, if there is one. It waits until `deadline` for other
    /// processes' locks: for statements of which only the first may meet one.
    pub(super) async fn run_patiently(
        self,
        conn: &mut SqliteConnection,
        undo: &str,
        deadline: Duration,
    ) -> Result<Vec<Answer>, sqlx::Error> {
        let mut sql = Arc::new(if undo.is_empty() { self.sql } else { format!("{undo}{}", self.sql) });
        let mut is_undone = undo.is_empty();
        let may_wait = || SystemClock.elapsed() < deadline;
        loop {
            match Self::send(sql.clone(), self.arguments.clone(), conn).await {
                Err(error) if is_busy(&error) && may_wait() => {
                    if !std::mem::replace(&mut is_undone, true) {
                        sql = Arc::new(sql.split_at(undo.len()).1.to_owned());
                    }
                }
                Ok(mut answers) if !is_undone => {
                    answers.drain(..1.min(answers.len()));
                    return Ok(answers);
                }
                answers => return answers,
            }
        }
    }

    async fn send(
        sql: Arc<String>,
        arguments: SqliteArguments,
        conn: &mut SqliteConnection,
    ) -> Result<Vec<Answer>, sqlx::Error> {
        #[cfg(test)]
        super::economy::count();
        // Nothing in the text comes from outside: all of it is constant but for its order.
        let query = sqlx::query_with(AssertSqlSafe(sql), arguments);
        let mut results = conn.fetch_many(query);
        let (mut answers, mut rows) = (Vec::new(), Vec::new());
        while let Some(result) = results.try_next().await? {
            match result {
                Either::Right(row) => rows.push(row),
                Either::Left(_) => answers.push(Answer { rows: std::mem::take(&mut rows) }),
            }
        }
        Ok(answers)
    }
}

/// A value as JSON, to be bound.
pub(super) fn json(value: &impl serde::Serialize) -> Result<String, sqlx::Error> {
    serde_json::to_string(value).map_err(|error| sqlx::Error::Encode(error.into()))
}
