//! What becomes of each table when a database is copied.
//!
//! A test fails when a table or a column is added to a database and not here.

use super::value::{Column, Kind, Table};

/// What becomes of a table.
#[derive(Debug)]
pub(crate) enum Decision {
    Copied(&'static Table),
    Left,
}

macro_rules! tables {
    ($($constant:ident = $name:literal: key { $($key:ident: $key_kind:ident),* } $($column:ident: $kind:ident),*;)*) => {
        $(pub(crate) static $constant: Table = Table {
            name: $name,
            columns: &[
                $(Column { name: stringify!($key), kind: Kind::$key_kind },)*
                $(Column { name: stringify!($column), kind: Kind::$kind },)*
            ],
            keys: [$(stringify!($key)),*].len(),
        };)*
    };
}

tables! {
    // Where a job's errors and the reason of its cancelling stand differs between the databases: see `jobs.rs`.
    JOBS = "jobs": key { id: Long }
        executor: Text, status: Text, priority: Int, scheduled_at: Instant, attempt: Int, max_attempts: Int, lease: Long,
        node: Long, marks: Int, inserted_at: Instant, attempted_at: Instant, finished_at: Instant, deadline_at: Instant,
        group_key: Text, line: Small, flow: Long, unique_key: Bytes, tags: Texts, cancel_reason: Text, errors: Texts,
        metadata: Text, data: Text, output: Text, extras: Text;
    FLOWS = "flows": key { id: Long }
        inserted_at: Instant, finished_at: Instant, watches: Int, gone: Long, is_bare: Bool, flow: Text;
    TASKS = "tasks": key { job: Long }
        flow: Long, name: Text, run_when: Text, wanted: Int, succeeded: Int, failed: Int, skipped: Int, told: Small;
    TASK_EDGES = "task_edges": key { successor: Long, place: Int } predecessor: Long;
    STEPS = "steps": key { job: Long, kind: Text, name: Text }
        place: Int, until_at: Instant, done_at: Instant, output: Text;
    PROGRESS = "progress": key { job: Long } lease: Long, report: Text;
    CHUNKS = "chunks": key { job: Long, lease: Long, number: Long } attempt: Int, text: Text;
    ASIDE = "aside": key { job: Long } tag: Text, due_at: Instant;
    SCHEDULES = "schedules": key { key: Text } last_tick_at: Instant, last_local_at: Local;
    SCHEDULE_ENTRIES = "schedule_entries": key { name: Text } due_at: Instant, last_at: Instant, entry: Text;
    CONTROLS = "controls": key { executor: Text }
        paused_at: Instant, paused_until: Instant, paused_by: Text, pause_reason: Text;
    NODE_PAUSES = "node_pauses": key { label: Text }
        paused_at: Instant, paused_until: Instant, paused_by: Text, pause_reason: Text;
    TAG_PAUSES = "tag_pauses": key { tag: Text }
        paused_at: Instant, paused_until: Instant, paused_by: Text, pause_reason: Text, is_over: Bool;
    SET_LIMITS = "set_limits": key { executor: Text }
        set_at: Instant, max_running: Long, max_per_key: Long, rate_jobs: Long, rate_period: Long, rate_interval: Long,
        rate_burst: Long, key_rate_jobs: Long, key_rate_period: Long, key_rate_interval: Long, key_rate_burst: Long,
        set_by: Text, reason: Text;
    LIMITS = "limits": key { executor: Text } full_at: Long, throttled_until: Instant, served_key: Text;
    BREAKERS = "breakers": key { executor: Text }
        failures: Text, opened_at: Instant, open_until: Instant, pause: Long, reason: Text;
    KEY_BUCKETS = "key_buckets": key { executor: Text, key: Text } full_at: Long, held_until: Long;
    HISTORY = "history": key { step: Text, at: Instant, executor: Text, ended: Text } runs: Long, run: Longs, wait: Longs;
    AUDIT = "audit": key { id: Long }
        at: Instant, kept_until: Instant, who: Text, via: Text, action: Text, kind: Text, object: Text, executor: Text,
        error: Text, was: Text, became: Text;
}

/// Every table of either database, in the order in which they are copied: what a job needs comes before it.
pub(crate) static DECISIONS: &[(&str, Decision)] = &[
    ("flows", Decision::Copied(&FLOWS)),
    ("tasks", Decision::Copied(&TASKS)),
    ("task_edges", Decision::Copied(&TASK_EDGES)),
    ("jobs", Decision::Copied(&JOBS)),
    ("steps", Decision::Copied(&STEPS)),
    ("progress", Decision::Copied(&PROGRESS)),
    ("chunks", Decision::Copied(&CHUNKS)),
    ("aside", Decision::Copied(&ASIDE)),
    ("schedules", Decision::Copied(&SCHEDULES)),
    ("schedule_entries", Decision::Copied(&SCHEDULE_ENTRIES)),
    ("controls", Decision::Copied(&CONTROLS)),
    ("node_pauses", Decision::Copied(&NODE_PAUSES)),
    ("tag_pauses", Decision::Copied(&TAG_PAUSES)),
    ("set_limits", Decision::Copied(&SET_LIMITS)),
    ("limits", Decision::Copied(&LIMITS)),
    ("breakers", Decision::Copied(&BREAKERS)),
    ("key_buckets", Decision::Copied(&KEY_BUCKETS)),
    ("history", Decision::Copied(&HISTORY)),
    ("audit", Decision::Copied(&AUDIT)),
    // A part of the jobs.
    ("job_errors", Decision::Left),
    // Nodes join the database that they run on, and declare there what they keep to.
    ("nodes", Decision::Left),
    ("declared_limits", Decision::Left),
    // It is empty, but within a transaction.
    ("unique_keys", Decision::Left),
    // How much room there is is counted again where nothing is known.
    ("backlogs", Decision::Left),
    // Whoever listens for events listens to the database that it is on.
    ("events", Decision::Left),
    ("listeners", Decision::Left),
    // Where the tables are, and which there are.
    ("origin", Decision::Left),
    ("migrations", Decision::Left),
    // About copies themselves.
    ("copies", Decision::Left),
    ("outgoing", Decision::Left),
    ("incoming", Decision::Left),
];

/// The tables that are copied, in their order.
pub(crate) fn copied() -> impl Iterator<Item = &'static Table> {
    DECISIONS.iter().filter_map(|(_, decision)| match decision {
        Decision::Copied(table) => Some(*table),
        Decision::Left => None,
    })
}

/// What operators have said, which holds for jobs that are moved, too.
pub(crate) static OPERATORS: [&Table; 4] = [&CONTROLS, &NODE_PAUSES, &TAG_PAUSES, &SET_LIMITS];

/// What belongs to a job, by its number in the first column.
pub(crate) static PARTS: [&Table; 3] = [&STEPS, &PROGRESS, &CHUNKS];

/// Every table of either database, and the columns of those that are copied. Not public API.
#[cfg(feature = "__testing")]
pub(crate) fn decisions() -> Vec<(&'static str, Option<Vec<&'static str>>)> {
    let columns = |table: &Table| table.columns.iter().map(|column| column.name).collect();
    let one = |(name, decision): &(&'static str, Decision)| match decision {
        Decision::Copied(table) => (*name, Some(columns(table))),
        Decision::Left => (*name, None),
    };
    DECISIONS.iter().map(one).collect()
}
