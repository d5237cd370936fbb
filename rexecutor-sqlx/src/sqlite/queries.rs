//! The statements.

use std::sync::LazyLock;

use rexecutor::{
    backend::{Marks, lifecycle},
    limits::MAX_ERRORS,
};

use super::{due_rows, row};
use crate::copy::MOVABLE;

macro_rules! queries {
    ($($name:ident),* $(,)?) => {
        $(
            /// The text of the file of this name.
            pub(super) fn $name() -> &'static str {
                static SQL: LazyLock<String> =
                    LazyLock::new(|| render(include_str!(concat!("queries/", stringify!($name), ".sql"))));
                &SQL
            }
        )*

        /// Every statement, by the name of its file.
        #[cfg(test)]
        pub(super) fn all() -> Vec<(&'static str, &'static str)> {
            vec![$((stringify!($name), $name())),*]
        }
    };
}

queries! {
    add_gone, add_history, aim_copy, await_jobs, begin_source_copy, begin_target_copy, check_integrity,
    check_references, claim_first, claim_found, claim_jobs, close_breaker, complete_alike, complete_members,
    complete_ranges, complete_runs, complete_with_outputs, count_backlog, count_chunk_bytes, count_flow_jobs,
    count_left, count_members, count_other_jobs, count_outgoing, count_runs, count_skipped, count_status, count_waiting,
    create_migrations, declare_limit, delete_dead_nodes, delete_entry, delete_history, delete_incoming, delete_jobs,
    delete_key_tokens, delete_listener, delete_node, delete_node_pause, delete_outgoing, delete_parts, delete_pause,
    delete_ranges, delete_rows, delete_runs, delete_steps, describe_file, end_tag_pause, end_tasks, expect_changes,
    find_aside, find_breakers, find_causes, find_conflicts, find_content, find_contents, find_controls, find_due,
    find_due_entries, find_end, find_ended_flows, find_entry, find_errors, find_file, find_first_due, find_fleeting,
    find_flow, find_from, find_incoming, find_key, find_known_jobs, find_last_event, find_last_job, find_latest_clock,
    find_levels, find_listener, find_lost_jobs, find_migrations, find_movable, find_node, find_node_pause,
    find_oldest_node, find_paused_tags, find_progress, find_reserved, find_rival, find_running, find_runs, find_seen,
    find_step, find_stopping, find_tagged, find_taken_tasks, find_task, find_tasks, find_unfinished, find_unserved,
    find_untold_tasks, find_version, finish_source_copy, finish_target_copy, first_due, forget_aside, forget_bare_flows,
    forget_flows, forget_tags, insert_alike, insert_chunks, insert_errors, insert_flow, insert_incoming, insert_jobs,
    insert_listener, insert_migration, insert_node, insert_number, insert_outgoing, insert_schedules,
    insert_source_copy, insert_task_edges, insert_tasks, list_alive, list_audit, list_chunks, list_columns,
    list_controls, list_copies, list_due, list_entries, list_events, list_finished, list_flow_jobs, list_flows,
    list_history, list_last_numbers, list_limits, list_members, list_new_jobs, list_nodes, list_objects, list_outgoing,
    list_pauses, list_queues, list_schedules, list_seen, list_steps, list_stored, list_tag_pauses, list_tasks,
    list_traits, list_upstream, lock_backlog, lock_copy, lock_jobs, lock_states, mark_trials, move_schedule,
    outdate_nodes, prune_audit, prune_by_age, prune_by_length, quarantine_jobs, query_jobs, read_history, read_parts,
    read_rows, record_aside, record_audit, release_tasks, renew_listener, renew_node, report_progress, reset_limits,
    rewind_schedule, set_aside, set_back_breakers, set_back_jobs, set_back_key_throttles, set_back_throttles,
    set_limits, set_number, settle_key_tokens, store_backlog, store_breaker, store_content, store_entry, store_events,
    store_executors, store_flow, store_key_tokens, store_node_pause, store_pause, store_served, store_states,
    store_step, store_tag_pause, store_tasks, store_tokens, sweep_chunks, sweep_flows, sweep_progress, take_back,
    tell_completed, tell_progress, tell_tasks, throttle_executor, throttle_key, trim_errors, trim_events, update_node,
    walk_jobs, walk_keys, walk_lines, walk_queue, write_rows,
}

/// Which jobs wait to be claimed: the one place where it is said in SQL, but for the index that goes with it.
const PENDING: &str = "status IN ('scheduled', 'retryable')";

/// Which jobs stand in a line and do not run: the one place where it is said in SQL, but for the index that goes with it.
const IN_LINE: &str = "line IS NOT NULL AND (status = 'blocked' OR status = 'scheduled' OR status = 'retryable' OR \
                       (status = 'discarded' AND line <> 0))";

/// Whether there may be something to decide about a flow that has not ended.
const MAY_HAVE_ENDED: &str = "watches & 2 <> 0
    OR (
        watches & 1 <> 0
        AND EXISTS (SELECT 1 FROM rexecutor_jobs WHERE rexecutor_jobs.flow = rexecutor_flows.id AND status = 'discarded')
    )
    OR NOT EXISTS (
        SELECT 1 FROM rexecutor_jobs
        WHERE rexecutor_jobs.flow = rexecutor_flows.id AND status IN ('blocked', 'scheduled', 'executing', 'retryable')
    )";

/// Which jobs may be pruned, as far as flows go: those of one that has not ended are counted yet.
const IN_NO_OPEN_FLOW: &str = "rexecutor_jobs.flow IS NULL OR NOT EXISTS (SELECT 1 FROM rexecutor_flows AS open WHERE open.id = \
                               rexecutor_jobs.flow AND open.finished_at IS NULL)";
/// How many tokens a job costs, whatever else stands in its extras.
const WEIGHT: &str = "coalesce(
    CASE WHEN json_valid(job.extras) THEN max(1, min(4294967295, CAST(job.extras ->> 'weight' AS INTEGER))) END, 1
)";

/// A walk over keys that have a rate, the tokens of which take `{interval}`, and `{burst}` a key may have.
fn rated(sql: &str, interval: &str, burst: &str) -> String {
    let sql = sql.replace("{due_at}", DUE_AT).replace("{kept}", KEPT);
    render(&sql.replace("{interval}", interval).replace("{burst}", burst))
}

pub(super) fn walk_rated_keys() -> &'static str {
    static SQL: LazyLock<String> = LazyLock::new(|| rated(include_str!("queries/walk_keys.sql"), "?7", "?8"));
    &SQL
}

pub(super) fn walk_rated_lines() -> &'static str {
    static SQL: LazyLock<String> = LazyLock::new(|| rated(include_str!("queries/walk_lines.sql"), "?6", "?7"));
    &SQL
}

/// When a job is due and its key has a token, and nothing holds it back. A bucket is no emptier than empty.
const DUE_AT: &str = "max(job.scheduled_at, coalesce((
    SELECT (
        max(min(kept.full_at, ?2 * 1000 + {burst} * {interval}) - ({burst} - 1) * {interval}, coalesce(kept.held_until, 0)) + 999
    ) / 1000
    FROM rexecutor_key_buckets AS kept
    WHERE kept.executor = ?1 AND kept.key = job.group_key
), 0))";

const KEPT: &str =
    "(SELECT kept.full_at FROM rexecutor_key_buckets AS kept WHERE kept.executor = ?1 AND kept.key = met.key),
    (SELECT kept.held_until FROM rexecutor_key_buckets AS kept WHERE kept.executor = ?1 AND kept.key = met.key)";

/// Whether anybody listens for the events of what is told of.
const HEARD: &str = "EXISTS (
    SELECT 1 FROM rexecutor_listeners AS listener
    WHERE listener.until_at > unixepoch()
        AND (listener.executors IS NULL OR told.executor IN (SELECT value FROM json_each(listener.executors)))
)";

fn render(sql: &str) -> String {
    let [stopping, awaited, steps, member, skipped, fleeting] =
        [Marks::STOPPING, Marks::AWAITED, Marks::STEPS, Marks::MEMBER, Marks::SKIPPED, Marks::FLEETING]
            .map(|mark| mark.stored().unwrap_or_default().to_string());
    let sql = sql.replace("{movable}", &MOVABLE.stored().unwrap_or_default().to_string());
    let sql = sql.replace("{skipped}", &skipped).replace("{fleeting}", &fleeting);
    let [aside, aside_from] = [lifecycle::ASIDE, lifecycle::ASIDE_FROM].map(|at| at.timestamp_micros().to_string());
    let sql = sql.replace("{aside_from}", &aside_from).replace("{aside}", &aside);
    let sql = sql.replace("{trial}", &Marks::TRIAL.stored().unwrap_or_default().to_string());
    let sql = sql.replace("{columns}", &row::COLUMNS).replace("{states}", &row::STATES);
    let sql = sql.replace("{awaited}", &awaited).replace("{steps}", &steps).replace("{member}", &member);
    let sql = sql.replace("{in_no_open_flow}", IN_NO_OPEN_FLOW).replace("{may_have_ended}", MAY_HAVE_ENDED);
    let sql = sql.replace("{max_errors}", &MAX_ERRORS.to_string()).replace("{in_line}", IN_LINE);
    let sql = sql.replace("{light_columns}", &due_rows::LIGHT_COLUMNS).replace("{weight}", WEIGHT);
    let sql = sql.replace("{due_at}", "job.scheduled_at").replace("{kept}", "NULL, NULL").replace("{heard}", HEARD);
    sql.replace("{due_columns}", &due_rows::COLUMNS).replace("{pending}", PENDING).replace("{stopping}", &stopping)
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use sqlx::{Executor, Row, SqlSafeStr, SqliteConnection};

    use super::*;
    use crate::{SqliteBackend, sqlite::extras};

    async fn connect() -> (tempfile::TempDir, SqliteConnection) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jobs.db");
        SqliteBackend::open(&path).await.unwrap().close().await;
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path);
        (folder, sqlx::ConnectOptions::connect(&options).await.unwrap())
    }

    /// Where one of them is put together with another, it stands for itself here.
    fn whole() -> impl Iterator<Item = (&'static str, String)> {
        let whole = |sql: &str| match sql {
            sql if sql == insert_jobs() => extras::INSERT.clone(),
            sql => {
                let sql = sql.replace("{found}", first_due()).replace("{filter}", "TRUE");
                let sql = sql.replace("{beyond}", "<").replace("{direction}", "DESC");
                // Of a table that is copied.
                let sql = sql.replace("{table}", "limits").replace("{row}", "executor").replace("{key}", "executor");
                let sql = sql.replace("{range}", "TRUE").replace("{values}", "(?1)").replace("{job}", "executor");
                let sql = sql.replace("{otherwise}", "NOTHING");
                sql.replace(
                    "{within}",
                    "status = 'complete' AND (status = 'complete' OR status = 'cancelled' OR status = 'discarded')",
                )
            }
        };
        let rated = [("walk_rated_keys", walk_rated_keys()), ("walk_rated_lines", walk_rated_lines())];
        all().into_iter().chain(rated).map(move |(name, sql)| (name, whole(sql)))
    }

    #[test]
    fn every_file_is_loaded() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/sqlite/queries");
        let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
        let mut files: Vec<_> = files.collect();
        files.sort();
        let mut loaded: Vec<_> = all().into_iter().map(|(name, _)| format!("{name}.sql")).collect();
        loaded.sort();
        assert_eq!(files, loaded);
    }

    #[tokio::test]
    async fn every_statement_is_prepared() {
        let (_folder, mut connection) = connect().await;
        for (name, sql) in whole() {
            let sql = sqlx::AssertSqlSafe(sql).into_sql_str();
            connection.prepare(sql).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    }

    /// What reads the whole table, or sorts, gets slower with every job that is kept.
    #[tokio::test]
    async fn trap_32_no_frequent_statement_scans_the_table() {
        let (_folder, mut connection) = connect().await;
        // A query by hand reads what it was asked for, and a walk is looked at below.
        for (name, sql) in whole().filter(|(name, _)| !["query_jobs", "walk_jobs"].contains(name)) {
            let sql = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
            let rows = sqlx::query(sql).fetch_all(&mut connection).await.unwrap();
            for step in rows.iter().map(|row| row.get::<String, _>("detail")) {
                let is_scan = step.starts_with("SCAN rexecutor_job") && !step.contains("INDEX");
                assert!(!is_scan, "{name}: {step}");
            }
        }
    }

    /// A page that few jobs match asks for one row after the other, and stops at the end of its window.
    #[tokio::test]
    async fn a_walk_reads_row_by_row_along_the_primary_key() {
        let (_folder, mut connection) = connect().await;
        let sql = walk_jobs().replace("{filter}", "executor = 'none'").replace("{within}", "TRUE");
        let sql = sql.replace("{beyond}", "<").replace("{direction}", "DESC");
        let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
        let rows = sqlx::query(explain).fetch_all(&mut connection).await.unwrap();
        let steps: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
        let expected = [
            "CO-ROUTINE rexecutor_jobs",
            "SEARCH rexecutor_jobs USING INTEGER PRIMARY KEY (rowid<?)",
            "SCAN rexecutor_jobs",
        ];
        assert_eq!(steps, expected);
    }

    /// However many future jobs of higher priority there are, a claim does not read them, and sorts nothing.
    #[tokio::test]
    async fn trap_31_a_claim_looks_its_jobs_up_in_the_index_of_those_that_are_ready() {
        let (_folder, mut connection) = connect().await;
        let claims = ["find_levels", "claim_jobs", "find_due", "find_first_due", "first_due"];
        for (name, sql) in whole().filter(|(name, _)| claims.contains(name)) {
            let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
            let rows = sqlx::query(explain).fetch_all(&mut connection).await.unwrap();
            let steps: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
            let mut jobs = steps.iter().filter(|step| step.contains("rexecutor_jobs ")).peekable();
            assert!(jobs.peek().is_some(), "{name}: {steps:?}");
            assert!(jobs.all(|step| step.starts_with("SEARCH")), "{name} reads the whole table: {steps:?}");
            let looks_up = |step: &String| step.contains("rexecutor_jobs_ready (executor=?");
            assert!(steps.iter().any(looks_up), "{name}: {steps:?}");
            let sorts = |step: &String| step.contains("TEMP B-TREE") && sql.contains("UPDATE");
            assert!(!steps.iter().any(sorts), "{name}: {steps:?}");
        }
    }

    /// A page of the audit log looks at a bounded number of rows, by the index that leaves the fewest.
    #[tokio::test]
    async fn a_page_of_the_audit_log_is_found_by_an_index() {
        let (_folder, mut connection) = connect().await;
        let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", list_audit()));
        let rows = sqlx::query(explain).fetch_all(&mut connection).await.unwrap();
        let steps: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
        let looks: Vec<_> = steps.iter().filter(|step| step.contains(" each ")).map(String::as_str).collect();
        let expected = [
            "SEARCH each USING INDEX rexecutor_audit_object (kind=? AND object=? AND id<?)",
            "SEARCH each USING INDEX rexecutor_audit_who (who=? AND id<?)",
            "SEARCH each USING INTEGER PRIMARY KEY (rowid<?)",
        ];
        assert_eq!(looks, expected, "{steps:#?}");
        let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", prune_audit()));
        let rows = sqlx::query(explain).fetch_all(&mut connection).await.unwrap();
        let steps: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
        let by_time = "SEARCH old USING COVERING INDEX rexecutor_audit_kept_until (kept_until<?)";
        assert!(steps.iter().any(|step| step == by_time), "{steps:#?}");
    }

    /// However many entries there are, those that are due are looked up.
    #[tokio::test]
    async fn a_look_for_due_entries_finds_each_by_an_index() {
        let (_folder, mut connection) = connect().await;
        // So that the planner takes the table for what it is.
        let insert = "INSERT INTO rexecutor_schedule_entries (name, due_at, last_at, entry)
                      WITH RECURSIVE each (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM each WHERE n < 10000)
                      SELECT 'entry ' || n, CASE WHEN n % 4000 = 0 THEN 1 ELSE 1000000 + n END, 0, '{}' FROM each";
        sqlx::raw_sql(insert).execute(&mut connection).await.unwrap();
        sqlx::raw_sql("ANALYZE").execute(&mut connection).await.unwrap();
        let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", find_due_entries()));
        let rows = sqlx::query(explain).fetch_all(&mut connection).await.unwrap();
        let steps: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
        let entries: Vec<_> = steps.iter().filter(|step| step.contains("rexecutor_schedule_entries")).collect();
        assert_eq!(entries.len(), 3, "{steps:#?}");
        for (step, column) in entries.into_iter().zip(["due_at<?", "last_at>?", "due_at>?"]) {
            assert!(step.starts_with("SEARCH") && step.contains(column), "{steps:#?}");
        }
        let due = sqlx::query(find_due_entries()).bind(2).bind(60_000_002).fetch_all(&mut connection).await.unwrap();
        let names: Vec<Option<String>> = due.iter().map(|row| row.get("name")).collect();
        assert_eq!(names, [Some("entry 4000".to_owned()), Some("entry 8000".to_owned()), None]);
        assert_eq!(due[2].get::<i64, _>("due_at"), 1_000_001);
    }

    /// However many jobs and keys there are, a walk over keys reads a job by its number or by the start of an index.
    #[tokio::test]
    async fn a_walk_over_keys_looks_each_step_up() {
        let (_folder, mut connection) = connect().await;
        let keys: &[&str] = &[
            "rexecutor_jobs_keyed (executor=? AND group_key>?)",
            "rexecutor_jobs_keyed (executor=? AND group_key=? AND priority>?)",
            "rexecutor_jobs_keyed (executor=? AND group_key=? AND priority=? AND scheduled_at<?)",
        ];
        let lines: &[&str] = &[
            "rexecutor_jobs_line (executor=? AND group_key>?)",
            "rexecutor_jobs_line (executor=? AND group_key=?)",
            "rexecutor_jobs_keyed_executing (executor=? AND group_key=?)",
        ];
        let walks =
            [(walk_keys(), keys), (walk_lines(), lines), (walk_rated_keys(), keys), (walk_rated_lines(), lines)];
        for (sql, looks) in walks {
            let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
            let rows = sqlx::query(explain).fetch_all(&mut connection).await.unwrap();
            let steps: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
            let jobs = |step: &&String| step.contains("job USING") || step.contains("rexecutor_jobs USING");
            assert!(steps.iter().filter(jobs).all(|step| step.starts_with("SEARCH")), "{steps:#?}");
            for look in looks {
                assert!(steps.iter().any(|step| step.contains(look)), "{look}: {steps:#?}");
            }
            let buckets = |step: &&String| step.contains(" kept");
            let by_key = |step: &String| step.contains("SEARCH kept USING PRIMARY KEY (executor=? AND key=?)");
            assert!(steps.iter().filter(buckets).all(by_key), "{steps:#?}");
        }
    }

    /// SQLite prepares a statement anew, which takes longer than most of them run, whenever a parameter is bound that its
    /// planner has looked at. It looks at limits.
    #[test]
    fn no_limit_is_a_mere_parameter() {
        for (name, sql) in all() {
            let words: Vec<&str> = sql.split_whitespace().collect();
            let is_mere = |pair: &[&str]| matches!(pair, ["LIMIT" | "OFFSET", limit] if limit.starts_with('?'));
            assert!(!words.windows(2).any(is_mere), "{name}");
        }
    }
}
