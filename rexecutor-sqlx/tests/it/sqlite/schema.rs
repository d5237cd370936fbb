//! The SQL files against the tables.

use std::{fs, path::Path};

use sqlx::{Executor, Row, SqlSafeStr};

use super::File;

fn sources() -> impl Iterator<Item = String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/sqlite");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| fs::read_to_string(path).unwrap())
}

fn queries() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/sqlite/queries");
    let files = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    // Where one of them is put together with another, it stands for itself here.
    let found = fs::read_to_string(folder.join("first_due.sql")).unwrap();
    files
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read_to_string(path).unwrap()))
        .map(|(name, sql)| (name, sql.replace("{found}", &found)))
        .collect()
}

#[tokio::test]
async fn every_statement_is_prepared_and_loaded_by_somebody() {
    let file = File::new();
    file.open().await.close().await;
    let mut connection = file.connect().await;
    let sources: Vec<String> = sources().collect();
    for (name, sql) in queries() {
        let loaded = format!("include_str!(\"queries/{name}\")");
        assert!(sources.iter().any(|source| source.contains(&loaded)), "nobody loads {name}");
        let sql = sqlx::AssertSqlSafe(sql.replace("{filter}", "TRUE")).into_sql_str();
        connection.prepare(sql).await.unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

/// What reads the whole table, or sorts, gets slower with every job that is kept.
#[tokio::test]
async fn trap_32_no_frequent_statement_scans_the_table() {
    let file = File::new();
    file.open().await.close().await;
    let mut connection = file.connect().await;
    for (name, sql) in queries() {
        // A query by hand reads what it was asked for; a query of the schema's version is not of this table.
        if name == "query_jobs.sql" {
            continue;
        }
        let sql = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
        let rows = sqlx::query(sql).fetch_all(&mut connection).await.unwrap();
        for step in rows.iter().map(|row| row.get::<String, _>("detail")) {
            let is_scan = step.starts_with("SCAN rexecutor_job") && !step.contains("INDEX");
            assert!(!is_scan, "{name}: {step}");
        }
    }
}

/// SQLite prepares a statement anew, which takes longer than most of them run, whenever a parameter is bound that its
/// planner has looked at. It looks at limits.
#[test]
fn no_limit_is_a_mere_parameter() {
    for (name, sql) in queries() {
        let words: Vec<&str> = sql.split_whitespace().collect();
        let is_mere = |pair: &[&str]| matches!(pair, ["LIMIT" | "OFFSET", limit] if limit.starts_with('?'));
        assert!(!words.windows(2).any(is_mere), "{name}");
    }
}
