//! How jobs went: a table of its own, to which nodes add what they have counted.

use std::time::Duration;

use futures::future::BoxFuture;
use rexecutor::{
    backend::{Histogram, History, HistoryStep, Record, Recorded, Result, RunEnd, Tally},
    job::ExecutorName,
};
use sqlx::{Row, postgres::PgRow};

use super::{
    backend::{Database, PgBackend},
    row,
};
use crate::common::{MOST_MOVED, whole_micros};

impl History for PgBackend {
    fn add(&self, tallies: Vec<Tally>) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.0.limited("could not store how jobs went", self.0.add_history(tallies)))
    }

    fn roll_up(&self, step: HistoryStep) -> BoxFuture<'_, Result<bool>> {
        let work = async move {
            let mut session = self.0.session().await?;
            let roll_up = self.0.query(&self.0.queries.roll_up_history).bind(self.0.now()).bind(step.as_str());
            let roll_up = roll_up.bind(step.kept().num_microseconds()).bind(step.next().map(HistoryStep::as_str));
            let moved: i64 = roll_up.fetch_one(&mut *session).await?.try_get("moved")?;
            session.end().await?;
            Ok(moved >= MOST_MOVED)
        };
        Box::pin(self.0.limited("could not roll up how jobs went", work))
    }

    fn read<'a>(&'a self, executors: Option<&'a [ExecutorName]>, span: Duration) -> BoxFuture<'a, Result<Recorded>> {
        Box::pin(self.0.limited("could not read how jobs went", self.0.read_history(executors, span)))
    }
}

impl Database {
    async fn add_history(&self, tallies: Vec<Tally>) -> sqlx::Result<()> {
        let ages: Vec<i64> = tallies.iter().map(|tally| whole_micros(tally.age)).collect();
        let executors: Vec<String> = tallies.iter().map(|tally| tally.executor.to_string()).collect();
        let ends: Vec<&str> = tallies.iter().map(|tally| tally.end.as_str()).collect();
        let runs: Vec<i64> = tallies.iter().map(|tally| count(tally.run.count())).collect();
        let [run, wait]: [Vec<String>; 2] = [|tally: &Tally| array(&tally.run), |tally: &Tally| array(&tally.wait)]
            .map(|of| tallies.iter().map(of).collect());
        let mut session = self.session().await?;
        let add = self.query(&self.queries.add_history).bind(self.now()).bind(ages).bind(executors).bind(ends);
        add.bind(runs).bind(run).bind(wait).execute(&mut *session).await?;
        session.end().await
    }

    async fn read_history(&self, executors: Option<&[ExecutorName]>, span: Duration) -> sqlx::Result<Recorded> {
        let step = HistoryStep::for_span(span);
        let executors: Option<Vec<String>> =
            executors.map(|executors| executors.iter().map(ToString::to_string).collect());
        let mut transaction = self.begin_reading(Duration::from_secs(5)).await?;
        let read = self.query(&self.queries.read_history).bind(self.now()).bind(step.as_str()).bind(whole_micros(span));
        let rows = read.bind(executors).fetch_all(&mut *transaction).await?;
        transaction.commit().await?;
        let now = rows.first().map(|row| row::instant(row, "now")).transpose()?.ok_or(sqlx::Error::RowNotFound)?;
        let records = rows.iter().filter_map(|row| record(row).transpose());
        Ok(Recorded::new(now, records.collect::<sqlx::Result<_>>()?))
    }
}

/// What a row tells; nothing, if it is there for the present alone, or says what only a newer program understands.
fn record(row: &PgRow) -> sqlx::Result<Option<Record>> {
    let Some(at) = row::optional_instant(row, "at")? else { return Ok(None) };
    let Some(end) = RunEnd::of(row.try_get("ended")?) else { return Ok(None) };
    let executor: String = row.try_get("executor")?;
    let [run, wait] = ["run", "wait"].map(|column| histogram(row, column));
    Ok(Some(Record::new(at, executor, end, run?, wait?)))
}

fn histogram(row: &PgRow, column: &str) -> sqlx::Result<Histogram> {
    let counts: Vec<Option<i64>> = row.try_get(column)?;
    Ok(Histogram::from_counts(counts.into_iter().map(|count| u64::try_from(count.unwrap_or(0)).unwrap_or(0))))
}

/// An array as PostgreSQL reads it.
fn array(histogram: &Histogram) -> String {
    let counts: Vec<String> = histogram.counts().iter().map(|one| count(*one).to_string()).collect();
    format!("{{{}}}", counts.join(","))
}

fn count(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
