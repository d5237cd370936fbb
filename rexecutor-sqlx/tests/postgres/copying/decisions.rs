//! No table and no column is forgotten.

use std::collections::{BTreeMap, BTreeSet};

use rexecutor_sqlx::DatabaseCopy;

use super::{Db, POSTGRES, SQLITE, with};

/// The tables of a database, each with its columns.
async fn tables(database: &Db) -> BTreeMap<String, BTreeSet<String>> {
    let sql = match database.is_postgres {
        true => format!(
            "SELECT c.relname || ' ' || a.attname FROM pg_class AS c INNER JOIN pg_attribute AS a ON a.attrelid = c.oid \
             WHERE c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped \
             AND c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = '{}')",
            database.schema
        ),
        false => "SELECT substr(t.name, 11) || ' ' || c.name FROM sqlite_master AS t, pragma_table_info(t.name) AS c \
                  WHERE t.type = 'table' AND t.name LIKE 'rexecutor\\_%' ESCAPE '\\'"
            .to_owned(),
    };
    let mut tables = BTreeMap::<String, BTreeSet<String>>::new();
    for line in database.column(&sql).await {
        let (table, column) = line.split_once(' ').unwrap();
        tables.entry(table.to_owned()).or_default().insert(column.to_owned());
    }
    tables
}

#[tokio::test]
async fn it_is_decided_for_each_table_and_column_whether_it_is_copied() {
    with([SQLITE, POSTGRES], async |[sqlite, postgres]| {
        let (here, there) = (tables(sqlite).await, tables(postgres).await);
        let decisions: BTreeMap<_, _> = DatabaseCopy::decisions().into_iter().collect();
        let known: BTreeSet<&str> = here.keys().chain(there.keys()).map(String::as_str).collect();
        let decided: BTreeSet<&str> = decisions.keys().copied().collect();
        assert_eq!(known, decided, "`copy/tables.rs` says of each table whether it is copied");
        for (table, columns) in decisions {
            let Some(columns) = columns else { continue };
            let columns: BTreeSet<String> = columns.into_iter().map(str::to_owned).collect();
            assert_eq!(there[table], columns, "`copy/tables.rs` has each column of `{table}`");
            let mut columns = columns;
            if table == "jobs" {
                // See `copy/jobs.rs`.
                columns.retain(|column| !["cancel_reason", "errors"].contains(&column.as_str()));
            }
            assert_eq!(here[table], columns, "`copy/tables.rs` has each column of `{table}`");
        }
    })
    .await;
}
