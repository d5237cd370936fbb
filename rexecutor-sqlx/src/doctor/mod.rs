//! Examining a database: what in it is not as this version left it, and how it is repaired.
//!
//! What the tables should be is not written down a second time. The migrations are run in a schema that is rolled back, or in a
//! database in memory, and both are read in the same way and compared.

mod finding;

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Datelike, Utc};
use rexecutor::{
    clock::{Clock, SystemClock},
    schedule::TimeZoneData,
};

pub use self::finding::{Finding, Level, Repair};
#[cfg(feature = "sqlite")]
use crate::url::sqlite_path;
use crate::{AnyOptions, UrlError, any_options::Scheme};

/// Examines a database that is used by this crate: its tables, columns, indexes, settings, rights, and what else keeps jobs from
/// running as they should. Nothing is changed: each [`Finding`] has the statement or the command that repairs it.
///
/// | found | SQLite | PostgreSQL |
/// | --- | --- | --- |
/// | tables, columns, types, constraints, indexes, triggers and functions that are missing or changed | yes | yes |
/// | indexes that are invalid or damaged | yes | yes |
/// | what the database itself says of its integrity | yes | |
/// | numbers that are given out a second time | | yes |
/// | settings of the tables and of the server, as autovacuum and `fsync` | | yes |
/// | rights that the role lacks, row security that hides rows, replica identities | | yes |
/// | transactions, prepared transactions and replication slots that keep dead rows | | yes |
/// | the journal, the page cache, free pages, permissions of the files | yes | |
/// | a copy of another database | | yes |
/// | a wrong clock, old time zone rules | yes | yes |
///
/// On PostgreSQL it runs the migrations in one transaction that is rolled back, in a schema of its own, or among the session's
/// temporary tables if the role may not create a schema.
///
/// # Examples
///
/// ```
/// use rexecutor_sqlx::{AnyOptions, Doctor};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let url = format!("sqlite:{}", folder.path().join("jobs.db").display());
/// rexecutor_sqlx::connect(&url).await?.close().await;
/// let findings = Doctor::new(AnyOptions::new()).examine(&url).await?;
/// assert!(findings.is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "it looks at nothing until `examine` is called and awaited"]
pub struct Doctor {
    #[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "a file has no schema"))]
    options: AnyOptions,
    longest_transaction: Duration,
    checks_content: bool,
    clock: Arc<dyn Clock>,
}

/// For how long a transaction may be open before it is a finding.
const LONGEST_TRANSACTION: Duration = Duration::from_secs(600);

/// After how many years time zone rules are old: several countries change theirs in each.
const OLD_RULES: i32 = 2;

impl Doctor {
    /// Examines what these options open. Nothing is created or migrated, whatever they say.
    pub fn new(options: AnyOptions) -> Self {
        let clock = Arc::new(SystemClock);
        Self { options, longest_transaction: LONGEST_TRANSACTION, checks_content: true, clock }
    }

    /// For how long a transaction of another program may be open on PostgreSQL before it is a finding. The default is 10 minutes.
    pub fn longest_transaction(mut self, longest: Duration) -> Self {
        self.longest_transaction = longest;
        self
    }

    /// Whether an SQLite file is read from its beginning to its end to find damage. The default is that it is; a gigabyte takes
    /// some seconds.
    pub fn checks_content(mut self, checks: bool) -> Self {
        self.checks_content = checks;
        self
    }

    /// Takes this for the clock of the machine. The default is the operating system's.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// What is not as it should be; problems before notices.
    ///
    /// # Errors
    ///
    /// When the URL makes no sense, or the database cannot be reached.
    pub async fn examine(self, url: impl AsRef<str>) -> Result<Vec<Finding>, UrlError> {
        let url = url.as_ref();
        let now = self.clock.now();
        let mut findings = match Scheme::of(url)? {
            #[cfg(feature = "sqlite")]
            Scheme::Sqlite => match sqlite_path(url)? {
                Some(path) => {
                    crate::sqlite::examine(&path, now, self.checks_content).await.map_err(UrlError::Sqlite)?
                }
                None => {
                    return Err(UrlError::Address { problem: "there is nothing to examine in memory".to_owned() });
                }
            },
            #[cfg(feature = "postgres")]
            Scheme::Postgres => {
                let options = self.options.postgres();
                options.examine(url, &*self.clock, self.longest_transaction).await.map_err(UrlError::Postgres)?
            }
        };
        findings.extend(old_rules(TimeZoneData::used().version(), now));
        findings.sort_by_key(|finding| finding.level);
        Ok(findings)
    }
}

/// Time zone rules that have not been brought up to date for years. Of those that do not say of which version they are nothing is known.
fn old_rules(version: Option<&str>, now: DateTime<Utc>) -> Option<Finding> {
    let version = version?;
    let year: i32 = version.get(..4)?.parse().ok()?;
    let what = format!("the time zone rules of this machine are those of {version}, and laws have changed since");
    let repair = Repair::Command("apt-get install --only-upgrade tzdata".to_owned());
    (now.year() - year >= OLD_RULES).then(|| Finding::notice("time_zones", what, Some(repair)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_old_after_two_years() {
        let at =
            |year: i32| chrono::NaiveDate::from_ymd_opt(year, 6, 1).unwrap().and_time(chrono::NaiveTime::MIN).and_utc();
        assert_eq!(old_rules(Some("2026f"), at(2027)), None);
        let found = old_rules(Some("2026f"), at(2028)).unwrap();
        assert!(found.what.contains("2026f") && found.repair.unwrap().text().contains("tzdata"), "{}", found.what);
        assert_eq!(old_rules(None, at(2028)), None);
    }

    #[test]
    fn the_rules_that_are_compiled_in_are_of_a_known_version() {
        let rules = TimeZoneData::compiled_in();
        let year: i32 = rules.version().unwrap()[..4].parse().unwrap();
        assert!(year >= 2025);
    }
}
