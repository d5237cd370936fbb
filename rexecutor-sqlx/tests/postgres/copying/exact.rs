//! Every row comes as it was, whatever stands in it.

use rexecutor::backend::{Filter, Inspect};

use super::{Db, POSTGRES, SQLITE, copy, rows, with};

/// Rows in every table, some with nothing but what must be there, and some with the most that there can be.
const ROWS: &str = r#"
INSERT INTO {flows} (id, inserted_at, finished_at, watches, gone, is_bare, flow) VALUES
    (3, 1767225600000001, NULL, 3, 0, 0, '{"kind":"batch"}'),
    (4, 1767225600000002, 1767225600000003, 0, 9007199254740993, 1, '{}');
INSERT INTO {jobs} (id, executor, status, priority, scheduled_at, max_attempts, inserted_at, data) VALUES
    (1, 'mail', 'scheduled', 0, 1767225600000001, 1, 1767225600000000, 'null');
INSERT INTO {jobs} (
    id, executor, status, priority, scheduled_at, attempt, max_attempts, lease, node, marks, inserted_at, attempted_at, finished_at,
    deadline_at, group_key, line, flow, unique_key, extras, tags, metadata, data, output
) VALUES
    (
        2, 'ünïcode 🦀', 'discarded', 999, 253402300799999999, 65535, 65535, 9007199254740993, 8, 1023, 1767225600123456, 1767225600123457,
        1767225600123458, 1767225600123459, 'key "quoted"', 1, 3, x'00ff10203040506070809010203040f0',
        '{"cancel_reason":"she said \"no\"","flow":3,"future":{"a":[1,2.5],"b":null},"weight":4294967295}', '["a","b c",""]',
        '{"n": 1.0}', '{"big": 12345678901234567890.5, "text": "\u00fc"}', '[1, 2]'
    ),
    (5, 'mail', 'executing', 1, -62135596800000000, 1, 5, 1, 7, NULL, 0, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '[]', NULL, '1', NULL),
    (9, 'mail', 'retryable', 2, 1, 1, 5, 1, NULL, 2, 0, 1, NULL, NULL, 'k', 0, NULL, NULL, NULL, '[]', NULL, '"x"', NULL),
    (10, 'mail', 'complete', 2, 1, 1, 5, 1, NULL, NULL, 0, 1, 2, NULL, NULL, NULL, NULL, NULL, NULL, '[]', NULL, '"x"', '{}'),
    (11, 'mail', 'cancelled', 2, 1, 1, 5, 1, NULL, NULL, 0, 1, 2, NULL, NULL, NULL, NULL, NULL, '{"cancel_reason":""}', '[]', NULL, '1', NULL),
    (12, 'mail', 'blocked', 2, 1, 1, 5, 1, NULL, NULL, 0, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '["z"]', NULL, '1', NULL);
INSERT INTO {job_errors} (job, attempt, error_type, details, recorded_at) VALUES
    (9, 1, 'panic', 'first', 1767225600123456), (2, 65535, 'My "Error"', 'a' || char(10) || 'ü', 1767225600000000),
    (9, 2, 'timeout', '', 1);
INSERT INTO {tasks} (job, flow, name, run_when, wanted, succeeded, failed, skipped, told) VALUES
    (2, 3, 'one', 'succeeded', 0, 0, 0, 0, 2), (5, 3, 'two', 'ended', 1, 2, 3, 4, NULL);
INSERT INTO {task_edges} (successor, place, predecessor) VALUES (5, 0, 2), (5, 1, 1);
INSERT INTO {steps} (job, kind, name, place, until_at, done_at, output) VALUES
    (9, 'run', 'a', 0, NULL, 1767225600123456, '{"x": 1.50}'), (9, 'sleep', 'a', 1, 1767225600123456, NULL, NULL),
    (9, 'version', 'ß', NULL, NULL, NULL, '1');
INSERT INTO {progress} (job, lease, report) VALUES (5, 1, '{"done": 1}'), (9, 9007199254740993, '{}');
INSERT INTO {chunks} (job, lease, number, attempt, text) VALUES (9, 1, 0, 1, ''), (9, 1, 1, 1, 'ü'), (9, 2, 0, 2, 'b');
INSERT INTO {aside} (job, tag, due_at) VALUES (1, 'vip', 1767225600123456);
INSERT INTO {schedules} (key, last_tick_at, last_local_at) VALUES
    ('nightly', 1767225600123456, NULL), ('ünightly', 1767225600000000, 1767229200000001);
INSERT INTO {schedule_entries} (name, due_at, last_at, entry) VALUES
    ('a', NULL, 1767225600123456, '{}'), ('b', 1767225600123457, 1767225600123456, '{"cron": "x"}');
INSERT INTO {controls} (executor, paused_at, paused_until, paused_by, pause_reason) VALUES
    ('', 1767225600123456, NULL, 'ann', 'the database moves'), ('mail', 1767225600123456, 1767225600123457, NULL, 'x'),
    ('none', NULL, NULL, NULL, NULL);
INSERT INTO {node_pauses} (label, paused_at, paused_until, paused_by, pause_reason) VALUES
    ('worker-1', 1767225600123456, NULL, NULL, ''), ('worker-2', 1, 2, 'bob', 'x');
INSERT INTO {tag_pauses} (tag, paused_at, paused_until, paused_by, pause_reason, is_over) VALUES
    ('vip', 1767225600123456, NULL, NULL, '', 0), ('over', 1, 2, 'bob', 'x', 1);
INSERT INTO {set_limits} (
    executor, set_at, max_running, max_per_key, rate_jobs, rate_period, rate_interval, rate_burst, key_rate_jobs, key_rate_period,
    key_rate_interval, key_rate_burst, set_by, reason
) VALUES
    ('a', 1767225600123456, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 'ann', 'x'),
    ('b', 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '');
INSERT INTO {limits} (executor, full_at, throttled_until, served_key) VALUES
    ('a', 1767225600123456789, 1767225600123456, 'k'), ('c', NULL, NULL, 'k');
INSERT INTO {breakers} (executor, failures, opened_at, open_until, pause, reason) VALUES
    ('a', '[1,2]', 1767225600123456, 1767225600123457, 60000000, 'oops'), ('b', '[]', NULL, NULL, NULL, NULL);
INSERT INTO {key_buckets} (executor, key, full_at, held_until) VALUES ('a', 'ß', 1767225600123456789, NULL), ('a', 'k', 0, 1);
INSERT INTO {history} (step, at, executor, ended, runs, run, wait) VALUES
    ('minute', 1767225600000000, 'a', 'complete', 9007199254740993, '[1,0,9007199254740993]', '[]'),
    ('day', 0, 'a', 'retried', 1, '[]', '[1]');
INSERT INTO {audit} (id, at, kept_until, who, via, action, kind, object, executor, error, was, became) VALUES
    (3, 1767225600123456, 1767225600123457, 'ann', 'cli', 'cancel', 'job', '7', 'mail', NULL, '{"status":"scheduled"}', '{}'),
    (9007199254740993, 1, 3155760000000000, 'ünïcode 🦀', '', 'pause', 'cluster', '', NULL, 'no', NULL, NULL);
INSERT INTO {nodes} (id, label, program, timeout, seen_at, joined_at) VALUES (8, 'a dead one', 1, 1, 1, 1);
DELETE FROM {jobs} WHERE id = 12;
"#;

async fn jobs(database: &Db) -> Vec<rexecutor::backend::JobRow> {
    let backend = database.open().await;
    let jobs = backend.query(&Filter::All(vec![]), usize::MAX).await.unwrap();
    backend.close().await;
    jobs
}

#[tokio::test]
async fn every_row_comes_as_it_was_in_all_four_directions() {
    with([SQLITE, POSTGRES, POSTGRES, SQLITE, SQLITE], async |[first, second, third, fourth, fifth]| {
        first.sql(ROWS).await;
        let dumps = first.dumps().await;
        for (table, rows) in &dumps {
            assert!(!rows.is_empty(), "`ROWS` has rows of `{table}`");
        }
        let report = copy(first, second).await.unwrap();
        assert_eq!((rows(&report, "discarded"), rows(&report, "scheduled"), rows(&report, "history")), (1, 1, 2));
        assert_eq!(report.stored, report.statuses.iter().chain(&report.tables).map(|one| one.rows).sum::<u64>());
        copy(second, third).await.unwrap();
        copy(third, fourth).await.unwrap();
        let last = copy(fourth, fifth).await.unwrap();
        assert_eq!(second.dumps().await, third.dumps().await);
        for database in [fourth, fifth] {
            for (before, after) in dumps.iter().zip(database.dumps().await) {
                assert_eq!(*before, after);
            }
        }
        // Digests do not depend on the database.
        assert_eq!((report.statuses, report.tables), (last.statuses, last.tables));
        let jobs_of_first = jobs(first).await;
        assert_eq!(jobs_of_first.len(), 6);
        for database in [second, third, fourth, fifth] {
            assert_eq!(jobs(database).await, jobs_of_first);
        }
        // Beside what both can say, a heavy job is found by its weight again.
        assert!(fifth.dump("jobs").await.iter().any(|row| row.contains("cancel_reason")));
    })
    .await;
}

/// The numbers that come next are those that would have come next in the source.
#[tokio::test]
async fn numbers_go_on_where_the_source_was() {
    for is_postgres in [false, true] {
        with([SQLITE, is_postgres], async |[from, to]| {
            from.sql(ROWS).await;
            copy(from, to).await.unwrap();
            let backend = to.open().await;
            let job = rexecutor::backend::NewJob::new("mail", "1");
            let enqueued = rexecutor::backend::Enqueue::enqueue(&backend, vec![job]).await.unwrap();
            // 12 was the last one, and is gone.
            assert_eq!(enqueued[0].id().as_i64(), 13);
            let node = rexecutor::backend::Node::new("x", std::time::Duration::from_secs(60));
            assert_eq!(rexecutor::backend::Maintain::join(&backend, &node).await.unwrap().0, 9);
            let flows = rexecutor::backend::flows::flows(&backend).unwrap();
            let flow = rexecutor::backend::flows::StoredFlow::batch("x");
            let job = rexecutor::backend::NewJob::new("mail", "1");
            assert_eq!(flows.create(flow, vec![job]).await.unwrap().id.0, 5);
        })
        .await;
    }
}

/// Times out of the range of the other database, texts that it cannot hold, and what is no JSON.
#[tokio::test]
async fn a_row_that_cannot_be_copied_is_named_with_what_is_wrong_with_it() {
    let job =
        "INSERT INTO {jobs} (id, executor, status, priority, scheduled_at, max_attempts, inserted_at, data) VALUES";
    for (sql, row, problem) in [
        (format!("{job} (7, 'a', 'scheduled', 0, 1, 1, 0, 'a' || char(0))"), "(7) of the table `jobs`", "`data`: U+0000, which PostgreSQL"),
        (format!("{job} (7, 'a', 'scheduled', 5000000000, 1, 1, 0, '1')"), "(7) of the table `jobs`", "`priority`: out of range"),
        (format!("{job} (7, 'a', 'scheduled', 0, 9223372036854775807, 1, 0, '1')"), "(7)", "is no time"),
        (
            "INSERT INTO {history} (step, at, executor, ended, runs, run, wait) VALUES ('day', 0, 'a', 'x', 1, 'oops', '[]')".to_owned(),
            "(`day`, 0, `a`, `x`) of the table `history`",
            "`run`: expected value",
        ),
    ] {
        with([SQLITE, POSTGRES], async |[from, to]| {
            from.sql(&sql).await;
            let error = copy(from, to).await.unwrap_err().to_string();
            assert!(error.contains(row) && error.contains(problem), "{error}");
            assert!(error.ends_with("change or delete it in the source, and run the copy again"), "{error}");
            // That is all that is to be done.
            from.sql("DELETE FROM {jobs}; DELETE FROM {history}").await;
            copy(from, to).await.unwrap();
        })
        .await;
    }
}

/// Also rows that do not fit into memory together are read in parts.
#[tokio::test]
async fn large_rows_and_many_rows_come_in_parts() {
    for kinds in super::DIRECTIONS {
        with(kinds, async |[from, to]| {
            let backend = from.open().await;
            let large = format!("\"{}\"", "x".repeat(900_000));
            let mut jobs = vec![rexecutor::backend::NewJob::new("large", large); 30];
            jobs.extend(vec![rexecutor::backend::NewJob::new("small", "1"); 1_234]);
            rexecutor::backend::Enqueue::enqueue(&backend, jobs).await.unwrap();
            backend.close().await;
            let report = copy(from, to).await.unwrap();
            assert_eq!((rows(&report, "scheduled"), report.stored), (1_264, 1_264));
            assert_eq!(to.count("jobs").await, 1_264);
        })
        .await;
    }
}
