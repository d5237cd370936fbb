//! The statements, with the name of the schema in them.

use std::sync::Arc;

use rexecutor::{
    backend::{Marks, lifecycle},
    limits::MAX_ERRORS,
};

use super::{extras, large::LARGE, row};
use crate::copy::MOVABLE;

/// The longest name of a schema: the channel's name, which contains it, may have 63 bytes.
const MAX_SCHEMA_BYTES: usize = 63 - PREFIX.len();

const PREFIX: &str = "rexecutor:";

macro_rules! queries {
    ($($name:ident),* $(,)?) => {
        /// The text of every statement, under the name of its file.
        #[derive(Debug)]
        #[cfg_attr(not(any(test, feature = "__testing")), expect(dead_code, reason = "some are asked before there is a schema"))]
        pub(super) struct Queries {
            /// The schema's name, quoted.
            pub(super) schema: String,
            /// On which channel nodes notify each other.
            pub(super) channel: String,
            /// Walks over keys that have a rate.
            pub(super) rated: Rated,
            $(pub(super) $name: Arc<str>,)*
        }

        impl Queries {
            /// Puts a schema's name into the statements; the error says what is wrong with it.
            pub(super) fn new(schema: &str) -> Result<Self, &'static str> {
                check(schema)?;
                let quoted = format!("\"{}\"", schema.replace('"', "\"\""));
                Ok(Self {
                    $($name: render(include_str!(concat!("queries/", stringify!($name), ".sql")), &quoted),)*
                    rated: Rated::new(&quoted),
                    channel: format!("{PREFIX}{schema}"),
                    schema: quoted,
                })
            }

            /// Every statement, to be prepared by a test.
            #[cfg(any(test, feature = "__testing"))]
            pub(super) fn all(&self) -> Vec<(&'static str, &Arc<str>)> {
                let rated = [("walk_rated_keys", &self.rated.walk_keys), ("walk_rated_lines", &self.rated.walk_lines)];
                [$((stringify!($name), &self.$name)),*].into_iter().chain(rated).collect()
            }
        }
    };
}

queries! {
    add_gone, add_history, aim_copy, announce_in_any, announce_jobs, await_jobs, begin_source_copy, begin_target_copy,
    claim_from_cursors, claim_jobs, claim_large_jobs, claim_met, close_breaker, complete_members, complete_runs,
    complete_with_outputs, count_backlog, count_chunk_bytes, count_flow_jobs, count_left, count_members, count_old_jobs,
    count_other_jobs, count_outgoing, count_runs, count_skipped, count_status, count_waiting, create_migrations,
    create_schema, declare_limits, delete_dead_nodes, delete_entries, delete_incoming, delete_jobs, delete_listener,
    delete_node, delete_node_pause, delete_old_jobs, delete_outgoing, delete_parts, delete_pause, delete_rows,
    delete_runs, delete_steps, drop_schema, end_tag_pause, end_tasks, find_conflict, find_conflicts,
    find_connection_limit, find_controls, find_due_entries, find_end, find_ended_flows, find_first_due, find_fleeting,
    find_flow, find_from, find_incoming, find_key, find_known_jobs, find_last_number, find_latest_clock, find_lost_jobs,
    find_missing_grants, find_movable, find_node_pause, find_oldest_node, find_origin, find_paused_tags, find_progress,
    find_reserved, find_rival, find_running, find_schema, find_scratch, find_step, find_taken_tasks, find_task,
    find_tasks, find_unfinished, find_unserved, find_untold_tasks, find_version, finish_source_copy, finish_target_copy,
    forget_bare_flows, forget_flows, forget_tags, hold_inserts, insert_alike, insert_chunks, insert_flow,
    insert_incoming, insert_job, insert_jobs, insert_listener, insert_migration, insert_node, insert_one,
    insert_outgoing, insert_schedules, insert_source_copy, insert_task_edges, insert_tasks, keep_listening, list_alive,
    list_audit, list_chunks, list_columns, list_controls, list_copies, list_due, list_entries, list_events,
    list_finished, list_flow_jobs, list_flows, list_holders, list_last_numbers, list_limits, list_new_jobs, list_nodes,
    list_numbers, list_old_columns, list_old_jobs, list_old_programs, list_outgoing, list_parts, list_pauses,
    list_queues, list_relations, list_schedules, list_seen, list_settings, list_steps, list_stored, list_tag_pauses,
    list_tasks, list_unlockable, list_upstream, lock_backlog, lock_breakers, lock_content, lock_copy, lock_entries,
    lock_flows, lock_jobs, lock_key_of_job, lock_limits, lock_lost_jobs, lock_migrations, lock_over_tags, lock_states,
    lock_unique_key, lock_unique_keys, lower_number, make_lockable, mark_trials, move_schedule, notify_nodes,
    outdate_nodes, prune_audit, prune_by_age, prune_by_length, quarantine_jobs, query_jobs, raise_number, read_clock,
    read_history, read_old_jobs, read_parts, read_rows, record_aside, record_audit, record_origin, release_tasks,
    release_unique_key, release_unique_keys, renew_listener, renew_node, report_progress, reserve_entries,
    reserve_numbers, reset_limits, rewind_schedule, roll_up_history, set_aside, set_back_jobs, set_back_throttles,
    set_limits, store_backlog, store_breakers, store_content, store_content_in_any, store_entries, store_flow,
    store_key_tokens, store_node_pause, store_pause, store_states, store_step, store_tag_pause, store_tasks,
    store_tokens, sweep_chunks, sweep_flows, sweep_progress, take_back, take_numbers, take_places, tell_completed,
    tell_pause, tell_started, tell_tasks, throttle_executors, throttle_keys, trim_events, update_node, walk_jobs,
    walk_keys, walk_lines, walk_queue, write_rows,
}

impl Queries {
    /// Asked before there is a schema.
    pub(super) const CONNECTION_LIMIT: &'static str = include_str!("queries/find_connection_limit.sql");
}

/// Which jobs wait to be claimed: the one place where it is said in SQL, but for the index that goes with it.
const PENDING: &str = "status IN ('scheduled', 'retryable')";

/// Which jobs stand in a line and do not run: the one place where it is said in SQL, but for the index that goes with it.
const IN_LINE: &str = "line IS NOT NULL AND (status IN ('blocked', 'scheduled', 'retryable') OR \
                       (status = 'discarded' AND line <> 0))";

/// Whether there may be something to decide about a flow that has not ended.
const MAY_HAVE_ENDED: &str = "flows.watches & 2 <> 0
    OR (
        flows.watches & 1 <> 0
        AND EXISTS (SELECT FROM {schema}.jobs WHERE jobs.flow = flows.id AND jobs.status = 'discarded')
    )
    OR NOT EXISTS (
        SELECT FROM {schema}.jobs
        WHERE jobs.flow = flows.id AND jobs.status IN ('blocked', 'scheduled', 'executing', 'retryable')
    )";

/// Which jobs may be pruned, as far as flows go: those of one that has not ended are counted yet.
const IN_NO_OPEN_FLOW: &str = "flow IS NULL OR NOT EXISTS (SELECT FROM {schema}.flows AS open WHERE open.id = jobs.flow AND \
                               open.finished_at IS NULL)";
/// How many tokens a job costs, whatever else stands in its extras.
const WEIGHT: &str = r#"coalesce(substring(job.extras FROM '"weight": ?([0-9]{1,10})')::BIGINT, 1)"#;

/// Walks over keys that have a rate.
#[derive(Debug)]
pub(super) struct Rated {
    pub(super) walk_keys: Arc<str>,
    pub(super) walk_lines: Arc<str>,
}

impl Rated {
    fn new(schema: &str) -> Self {
        let rated = |sql: &str, interval: &str, burst: &str| {
            let sql = sql.replace("{due_at}", DUE_AT).replace("{kept}", "kept.full_at, kept.held_until");
            let sql = sql.replace("{join_kept}", JOIN_KEPT).replace("{interval}", interval).replace("{burst}", burst);
            render(&sql, schema)
        };
        Self {
            walk_keys: rated(include_str!("queries/walk_keys.sql"), "$7::BIGINT", "$8::BIGINT"),
            walk_lines: rated(include_str!("queries/walk_lines.sql"), "$6::BIGINT", "$7::BIGINT"),
        }
    }
}

/// When a job is due and its key has a token, and nothing holds it back. A bucket is no emptier than empty.
const DUE_AT: &str = "greatest(job.scheduled_at, (
    SELECT TIMESTAMPTZ 'epoch' + (
        (
            greatest(
                least(kept.full_at, (extract(EPOCH FROM present.now) * 1000000)::BIGINT * 1000 + {burst} * {interval})
                - ({burst} - 1) * {interval},
                kept.held_until
            ) + 999
        ) / 1000
    ) * INTERVAL '1 microsecond'
    FROM {schema}.key_buckets AS kept
    WHERE kept.executor = $2 AND kept.key = job.group_key
))";

const JOIN_KEPT: &str = "LEFT JOIN {schema}.key_buckets AS kept ON kept.executor = $2 AND kept.key = met.key";

/// Stores events: the one place where it is said in which order their columns come.
const TELL: &str = "INSERT INTO {schema}.events (at, kind, job, executor, attempt, tags, node, due_at, error, detail)";

/// Whether anybody listens for the events of what is told of, by the database's own time.
const HEARD: &str = "EXISTS (
    SELECT FROM {schema}.listeners AS listener
    WHERE listener.until_at > clock_timestamp() AND (listener.executors IS NULL OR told.executor = ANY (listener.executors))
)";

/// The substitutions in a statement. The schema's name comes last: it may contain anything.
pub(super) fn render(sql: &str, schema: &str) -> Arc<str> {
    let [stopping, awaited] =
        [Marks::STOPPING, Marks::AWAITED].map(|mark| mark.stored().unwrap_or_default().to_string());
    let sql =
        sql.replace("{columns}", &row::COLUMNS).replace("{claimed}", &row::CLAIMED).replace("{states}", &row::STATES);
    let sql = sql.replace("{extra_columns}", &extras::COLUMNS).replace("{extra_values}", &extras::VALUES);
    let [aside, aside_from] =
        [lifecycle::ASIDE, lifecycle::ASIDE_FROM].map(|at| format!("TIMESTAMPTZ '{}'", at.to_rfc3339()));
    let sql = sql.replace("{aside_from}", &aside_from).replace("{aside}", &aside);
    let sql = sql.replace("{trial}", &Marks::TRIAL.stored().unwrap_or_default().to_string());
    let sql = sql.replace("{steps}", &Marks::STEPS.stored().unwrap_or_default().to_string());
    let sql = sql.replace("{max_errors}", &MAX_ERRORS.to_string()).replace("{large}", &LARGE.to_string());
    let sql = sql.replace("{in_line}", IN_LINE).replace("{awaited}", &awaited).replace("{weight}", WEIGHT);
    let sql = sql.replace("{due_at}", "job.scheduled_at").replace("{join_kept}", "");
    let sql = sql.replace("{kept}", "NULL::BIGINT AS full_at, NULL::BIGINT AS held_until");
    let sql = sql.replace("{movable}", &MOVABLE.stored().unwrap_or_default().to_string());
    let [member, skipped, fleeting] =
        [Marks::MEMBER, Marks::SKIPPED, Marks::FLEETING].map(|mark| mark.stored().unwrap_or_default().to_string());
    let sql = sql.replace("{member}", &member).replace("{skipped}", &skipped).replace("{fleeting}", &fleeting);
    let sql = sql.replace("{in_no_open_flow}", IN_NO_OPEN_FLOW).replace("{may_have_ended}", MAY_HAVE_ENDED);
    let sql = sql.replace("{tell}", TELL).replace("{heard}", HEARD);
    sql.replace("{pending}", PENDING).replace("{stopping}", &stopping).replace("{schema}", schema).into()
}

fn check(schema: &str) -> Result<(), &'static str> {
    match schema {
        "" => Err("it is empty"),
        name if name.len() > MAX_SCHEMA_BYTES => Err("it is longer than 53 bytes"),
        name if name.contains('\0') => Err("it contains U+0000"),
        name if name.starts_with("pg_") => Err("PostgreSQL keeps names that begin with `pg_` for itself"),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_is_quoted_and_what_cannot_name_one_is_refused() {
        let queries = Queries::new(r#"we"ird {schema} Name"#).unwrap();
        assert!(queries.delete_node.contains(r#"DELETE FROM "we""ird {schema} Name".nodes"#));
        for name in ["", "a\0b", "pg_mine", &"x".repeat(54)] {
            assert!(Queries::new(name).is_err(), "{name:?}");
        }
        assert!(Queries::new(&"x".repeat(53)).is_ok());
    }

    #[test]
    fn every_file_is_loaded() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/postgres/queries");
        let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
        let mut files: Vec<_> = files.collect();
        files.sort();
        let queries = Queries::new("s").unwrap();
        let loaded = queries.all().into_iter().filter(|(name, _)| !name.starts_with("walk_rated_"));
        let mut loaded: Vec<_> = loaded.map(|(name, _)| format!("{name}.sql")).collect();
        loaded.sort();
        assert_eq!(files, loaded);
    }
}
