//! What the server, its clock and others who work on it do to the jobs.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rexecutor::clock::Clock;
use sqlx::{AssertSqlSafe, Row};

use super::Patient;
use crate::doctor::{Finding, Repair};

/// How far the clocks of the server and of this machine may be apart, in seconds.
const MOST_SKEW: i64 = 5;

const SET_CLOCK: &str = "timedatectl set-ntp true";

impl Patient<'_> {
    /// Numbers that would be given out a second time, as after a restore of the rows alone.
    pub(super) async fn numbers(&mut self) -> sqlx::Result<()> {
        for row in self.all(&self.queries.list_numbers, self.schema.to_owned()).await? {
            let (name, sequence): (String, String) = (row.try_get("name")?, row.try_get("sequence")?);
            let largest: i64 = row.try_get("largest")?;
            let schema = &self.queries.schema;
            let ask = self.queries.find_last_number.replace(&format!("{schema}.jobs_id_seq"), &sequence);
            let row = sqlx::query(AssertSqlSafe(ask)).fetch_one(&mut self.connection).await?;
            let last: i64 = row.try_get("last")?;
            if last < largest {
                let what = format!(
                    "the sequence {sequence} stands at {last}, and {schema}.{name} has the number {largest}: new rows cannot \
                     be stored"
                );
                let sql = format!("SELECT setval('{}', {largest});", sequence.replace('\'', "''"));
                self.findings.push(Finding::mend("sequence", what, sql));
            }
        }
        Ok(())
    }

    /// Whether the tables are a copy of those of another database.
    pub(super) async fn origin(&mut self) -> sqlx::Result<()> {
        let ask = sqlx::query(AssertSqlSafe(self.queries.announce_jobs.clone()));
        let ask = ask.bind(self.queries.channel.clone()).bind(Vec::<String>::new());
        // A role may not be allowed to ask.
        let Ok(row) = ask.fetch_one(&mut self.connection).await else { return Ok(()) };
        let here: (i64, i64) = (row.try_get("cluster")?, row.try_get("database")?);
        let find = sqlx::query(AssertSqlSafe(self.queries.find_origin.clone()));
        let recorded = find.fetch_optional(&mut self.connection).await?;
        let recorded = recorded.map(|row| Ok::<_, sqlx::Error>((row.try_get("cluster")?, row.try_get("database")?)));
        if recorded.transpose()?.is_some_and(|recorded: (i64, i64)| recorded != here) {
            let what = "this is a copy of another database: no node runs jobs here before somebody says that they are \
                        not run there";
            let sql = format!("DELETE FROM {}.origin;", self.queries.schema);
            self.findings.push(Finding::mend("origin", what, sql));
        }
        Ok(())
    }

    /// Executors with limits that claims find no row of.
    pub(super) async fn limits(&mut self) -> sqlx::Result<()> {
        let list = sqlx::query(AssertSqlSafe(self.queries.list_unlockable.clone()));
        for row in list.fetch_all(&mut self.connection).await? {
            let executor: String = row.try_get("executor")?;
            let what = format!("`{executor}` has limits, and no row in `limits`: none of its jobs is claimed");
            self.findings.push(Finding::mend("limits", what, format!("{};", self.queries.make_lockable)));
        }
        Ok(())
    }

    /// Whether the clock has shown a later time before.
    pub(super) async fn stored_clock(&mut self) -> sqlx::Result<()> {
        let rows = self.all(&self.queries.find_latest_clock, None::<DateTime<Utc>>).await?;
        if let Some(row) = rows.first() {
            let before: DateTime<Utc> = row.try_get("before")?;
            let schema = &self.queries.schema;
            let what = format!("the server's clock was set back, or was wrong before: {before} is stored already");
            let sql = format!(
                "UPDATE {schema}.jobs SET inserted_at = clock_timestamp() WHERE inserted_at > clock_timestamp();\n\
                 UPDATE {schema}.nodes SET seen_at = clock_timestamp() WHERE seen_at > clock_timestamp();"
            );
            self.findings.push(Finding::mend("clock", what, sql));
        }
        Ok(())
    }

    /// Whether the clocks of the server and of this machine agree.
    pub(super) async fn clock(&mut self, clock: &dyn Clock) -> sqlx::Result<()> {
        let before = clock.now();
        let rows = self.all(&self.queries.read_clock, None::<DateTime<Utc>>).await?;
        let Some(row) = rows.first() else { return Ok(()) };
        let there: DateTime<Utc> = row.try_get("now")?;
        // The answer may take its time.
        let (now, most) = (clock.now(), TimeDelta::seconds(MOST_SKEW));
        if there < before - most || there > now + most {
            let what =
                format!("the server's clock shows {there}, and that of this machine {now}: one of them is wrong");
            self.findings.push(Finding::problem("clock", what, Some(Repair::Command(SET_CLOCK.to_owned()))));
        }
        Ok(())
    }

    pub(super) async fn settings(&mut self) -> sqlx::Result<()> {
        let list = sqlx::query(AssertSqlSafe(self.queries.list_settings.clone()));
        for row in list.fetch_all(&mut self.connection).await? {
            let (name, what): (String, String) = (row.try_get("name")?, row.try_get("what")?);
            let sql: String = row.try_get("remedy")?;
            self.findings.push(Finding::mend("server", format!("`{name}` is off: {what}"), sql));
        }
        Ok(())
    }

    pub(super) async fn holders(&mut self, longest: Duration) -> sqlx::Result<()> {
        let longest = i64::try_from(longest.as_micros()).unwrap_or(i64::MAX);
        for row in self.all(&self.queries.list_holders, longest).await? {
            let what: String = row.try_get("what")?;
            let what = format!("{what}: dead rows cannot be removed meanwhile, and claims get slower");
            self.findings.push(Finding::mend("horizon", what, row.try_get::<String, _>("remedy")?));
        }
        Ok(())
    }
}
