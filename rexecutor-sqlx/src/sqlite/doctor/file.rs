//! The file itself: who may write to it, how it is kept, and whether it is sound.

use std::{fs, path::Path};

use sqlx::{Row, SqliteConnection};

use super::super::queries;
use crate::doctor::{Finding, Repair};

/// How much of a file may be free before it is worth a notice, in bytes and as a part of all.
const MOST_FREE: i64 = 4 * 1024 * 1024;

/// The longest log that checkpoints leave behind where all is well, in bytes.
const LONGEST_LOG: u64 = 64 * 1024 * 1024;

/// The cache that SQLite has by itself, in pages of 4 KiB.
const CACHE_BYTES: i64 = 2_000 * 1024;

fn command(text: String) -> Option<Repair> {
    Some(Repair::Command(text))
}

/// A path as the shell reads it.
fn shown(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', "'\\''"))
}

/// A file that nobody may write to.
pub(super) fn closed(path: &Path) -> Option<Finding> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let is_closed = |path: &Path| path.metadata().is_ok_and(|found| found.permissions().readonly());
    match (is_closed(path), folder.filter(|folder| is_closed(folder))) {
        (true, _) => Some(not_writable(path)),
        (false, Some(folder)) => {
            let what = format!("nobody may write to the folder {}, where SQLite keeps its log", folder.display());
            Some(Finding::problem("permissions", what, command(format!("chmod u+w {}", shown(folder)))))
        }
        _ => None,
    }
}

pub(super) fn not_writable(path: &Path) -> Finding {
    let what = format!("`{}` cannot be written to", path.display());
    Finding::problem("permissions", what, command(format!("chmod u+w {}", shown(path))))
}

/// What SQLite keeps beside the file: of somebody else, if a command was once run as another user.
pub(super) fn beside(path: &Path) -> Vec<Finding> {
    let mut findings = Vec::new();
    let beside = |suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        std::path::PathBuf::from(name)
    };
    let Ok(file) = fs::metadata(path) else { return findings };
    for other in ["-wal", "-shm"].map(beside) {
        let Ok(found) = fs::metadata(&other) else { continue };
        if owner(&found) != owner(&file) {
            let what = format!("`{}` belongs to another user than the database", other.display());
            let repair = format!("chown --reference={} {}", shown(path), shown(&other));
            findings.push(Finding::problem("permissions", what, command(repair)));
        }
    }
    let log = beside("-wal");
    if let Some(bytes) = fs::metadata(&log).ok().map(|log| log.len()).filter(|bytes| *bytes > LONGEST_LOG) {
        let what = format!(
            "the log `{}` has {} MiB: a reader keeps it from being moved into the database, or has",
            log.display(),
            bytes / 1024 / 1024
        );
        let sql = Repair::Sql("PRAGMA wal_checkpoint(TRUNCATE);".to_owned());
        findings.push(Finding::notice("journal", what, Some(sql)));
    }
    findings
}

#[cfg(unix)]
fn owner(file: &fs::Metadata) -> (u32, u32) {
    use std::os::unix::fs::MetadataExt;
    (file.uid(), file.gid())
}

#[cfg(not(unix))]
fn owner(_: &fs::Metadata) {}

/// How the file is kept.
pub(super) async fn kept(connection: &mut SqliteConnection, path: &Path) -> sqlx::Result<Vec<Finding>> {
    let row = sqlx::query(queries::describe_file()).fetch_one(connection).await?;
    let number = |column: &str| row.try_get::<i64, _>(column);
    let (page, pages, free) = (number("page_size")?, number("pages")?, number("free_pages")?);
    let mut findings = Vec::new();
    let mut notice = |check, what: String, sql: &str| {
        findings.push(Finding::notice(check, what, Some(Repair::Sql(sql.to_owned()))));
    };
    let journal: String = row.try_get("journal_mode")?;
    if journal != "wal" {
        let what = format!("the journal is kept as `{journal}`: whoever writes keeps all readers waiting");
        notice("journal", what, "PRAGMA journal_mode = WAL;");
    }
    if page < 4096 {
        let what = format!("pages have {page} bytes: a job takes several, and each of them is written");
        let sql = "PRAGMA journal_mode = DELETE;\nPRAGMA page_size = 4096;\nVACUUM;\nPRAGMA journal_mode = WAL;";
        notice("pages", what, sql);
    }
    let cache = number("cache_size")?;
    let bytes = if cache < 0 { cache.saturating_neg().saturating_mul(1024) } else { cache.saturating_mul(page) };
    if bytes < CACHE_BYTES {
        let what = format!("the file asks for a page cache of {} KiB, where SQLite has 2,000 by itself", bytes / 1024);
        notice("cache", what, "PRAGMA default_cache_size = 0;");
    }
    if free.saturating_mul(page) > MOST_FREE && free > pages / 2 {
        let what = format!(
            "{} of the {} MiB of `{}` are free",
            free * page / 1024 / 1024,
            pages * page / 1024 / 1024,
            path.display()
        );
        notice("pages", what, "VACUUM;");
    }
    Ok(findings)
}

/// What SQLite itself finds to be damaged.
pub(super) async fn integrity(connection: &mut SqliteConnection, path: &Path) -> sqlx::Result<Vec<Finding>> {
    let mut indexes: Vec<String> = Vec::new();
    let mut rest = Vec::new();
    for row in sqlx::query(queries::check_integrity()).fetch_all(connection).await? {
        let problem: String = row.try_get("problem")?;
        match problem.rsplit_once(" index ").filter(|(_, name)| !name.contains(' ')) {
            Some((_, index)) if indexes.iter().all(|known| known != index) => indexes.push(index.to_owned()),
            Some(_) => {}
            None if problem == "ok" => {}
            None => rest.push(problem),
        }
    }
    let of_index = |index: String| {
        let what = format!("the index `{index}` does not say what stands in its table");
        Finding::mend("integrity", what, format!("REINDEX {index};"))
    };
    let mut findings: Vec<Finding> = indexes.into_iter().map(of_index).collect();
    if let Some(first) = rest.first() {
        findings.push(damaged(path, first));
    }
    Ok(findings)
}

pub(super) fn damaged(path: &Path, problem: &str) -> Finding {
    let mut saved = path.as_os_str().to_owned();
    saved.push(".recovered");
    let what = format!("the file is damaged ({problem}): restore a backup, or save what can be read");
    let repair = format!("sqlite3 {} .recover | sqlite3 {}", shown(path), shown(Path::new(&saved)));
    Finding::problem("integrity", what, command(repair))
}

/// Rows whose owner is gone, as a program leaves them that switched references off.
pub(super) async fn references(connection: &mut SqliteConnection) -> sqlx::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for row in sqlx::query(queries::check_references()).fetch_all(connection).await? {
        let (table, parent): (String, String) = (row.try_get("relation")?, row.try_get("parent")?);
        let rows: i64 = row.try_get("rows")?;
        let column = match table.as_str() {
            "rexecutor_job_errors" => "job",
            _ => "node",
        };
        let what = format!("{rows} rows of `{table}` are about rows of `{parent}` that are gone");
        let sql = format!("DELETE FROM {table} WHERE {column} NOT IN (SELECT id FROM {parent});");
        findings.push(Finding::notice("references", what, Some(Repair::Sql(sql))));
    }
    Ok(findings)
}
