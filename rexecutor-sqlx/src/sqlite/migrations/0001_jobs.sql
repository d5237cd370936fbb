-- Instants are microseconds since 1970-01-01T00:00:00Z. STRICT: a column holds what it says, whoever wrote it.

CREATE TABLE rexecutor_jobs (
    -- AUTOINCREMENT: a number is never used again, also when the job with the highest one was deleted.
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    executor TEXT NOT NULL,
    status TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    max_attempts INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    lease INTEGER NOT NULL,
    node INTEGER,
    cancel_reason TEXT,
    unique_key BLOB,
    inserted_at INTEGER NOT NULL,
    scheduled_at INTEGER NOT NULL,
    attempted_at INTEGER,
    completed_at INTEGER,
    cancelled_at INTEGER,
    discarded_at INTEGER,
    tags TEXT NOT NULL,
    metadata TEXT,
    -- Last: SQLite reads a row from its start, and large data spill over to other pages.
    data TEXT NOT NULL
) STRICT;

-- claim_jobs.sql and list_priorities.sql: waiting jobs in the order in which they start. It holds no finished job, so
-- history costs it nothing.
CREATE INDEX rexecutor_jobs_waiting ON rexecutor_jobs (executor, priority, scheduled_at, id)
WHERE status IN ('scheduled', 'retryable');

-- list_lost.sql, list_cancelled.sql: running jobs by node, never more than the nodes have slots.
CREATE INDEX rexecutor_jobs_executing ON rexecutor_jobs (node)
WHERE status = 'executing';

-- list_unique.sql: only jobs that are unique.
CREATE INDEX rexecutor_jobs_unique ON rexecutor_jobs (unique_key)
WHERE unique_key IS NOT NULL;

-- Failed attempts have a table of their own: a claim copies none of them for a job's first attempt.
CREATE TABLE rexecutor_errors (
    id INTEGER PRIMARY KEY,
    job INTEGER NOT NULL REFERENCES rexecutor_jobs (id) ON DELETE CASCADE,
    attempt INTEGER NOT NULL,
    error_type TEXT NOT NULL,
    details TEXT NOT NULL,
    recorded_at INTEGER NOT NULL
) STRICT;

-- list_errors.sql, and the cascade.
CREATE INDEX rexecutor_errors_job ON rexecutor_errors (job);

CREATE TABLE rexecutor_nodes (
    -- AUTOINCREMENT: a node's number is never given to another.
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    label TEXT NOT NULL,
    timeout INTEGER NOT NULL,
    seen_at INTEGER NOT NULL
) STRICT;

CREATE TABLE rexecutor_schedules (
    key TEXT PRIMARY KEY,
    last_tick INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
