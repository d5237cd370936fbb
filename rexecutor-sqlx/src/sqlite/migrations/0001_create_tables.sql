-- Times are whole microseconds since 1970-01-01 00:00:00 UTC. The prefix keeps these tables apart from the application's,
-- which may live in the same file.

-- AUTOINCREMENT: a number must not come back after its row was deleted, or a late settlement of the old job would hit
-- the new one.
CREATE TABLE rexecutor_jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    executor TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'scheduled',
    priority INTEGER NOT NULL,
    scheduled_at INTEGER NOT NULL,
    attempt INTEGER NOT NULL DEFAULT 0,
    max_attempts INTEGER NOT NULL,
    lease INTEGER NOT NULL DEFAULT 0,
    node INTEGER,
    -- What sets a job apart from a plain one, in bits; NULL for a plain one, which the statements for many jobs look for.
    marks INTEGER,
    inserted_at INTEGER NOT NULL,
    attempted_at INTEGER,
    -- When it was completed, cancelled or discarded.
    finished_at INTEGER,
    deadline_at INTEGER,
    group_key TEXT,
    -- Of a job whose key's jobs run one after another, what its discard does: 0 the next one goes on, 1 the line halts.
    line INTEGER,
    -- The flow that it is part of, by which such jobs are counted; whoever reads a job reads it from `extras`.
    flow INTEGER,
    unique_key BLOB,
    -- What few jobs have, in one column: each takes time in every statement that changes a row. A JSON object.
    extras TEXT,
    -- A JSON array of strings.
    tags TEXT NOT NULL DEFAULT '[]',
    -- Last, because they may be long: whoever reads only what stands before them does not touch them.
    metadata TEXT,
    data TEXT NOT NULL,
    -- JSON, once the job is complete and has given something.
    output TEXT
) STRICT;

-- Each index is partial, so that a job pays only for those of the status it stands in. The row's number is the last
-- column of every index anyway.
CREATE INDEX rexecutor_jobs_ready ON rexecutor_jobs (executor, priority, scheduled_at)
WHERE status IN ('scheduled', 'retryable');

CREATE INDEX rexecutor_jobs_executing ON rexecutor_jobs (node)
WHERE status = 'executing';

CREATE INDEX rexecutor_jobs_stopping ON rexecutor_jobs (node)
WHERE marks IS NOT NULL AND status = 'executing';

-- OR: see rexecutor_jobs_finished.
CREATE INDEX rexecutor_jobs_deadline ON rexecutor_jobs (deadline_at)
WHERE deadline_at IS NOT NULL AND (status = 'blocked' OR status = 'scheduled' OR status = 'retryable');

-- The keys that have waiting jobs, each key's jobs in their order, and how many jobs of a key run. Those that stand in a line have
-- an index of their own.
CREATE INDEX rexecutor_jobs_keyed ON rexecutor_jobs (executor, group_key, priority, scheduled_at)
WHERE group_key IS NOT NULL AND line IS NULL AND status IN ('scheduled', 'retryable');

-- The lines, each in the order of its jobs' numbers: what is not finished and does not run, and discarded jobs that halt one.
CREATE INDEX rexecutor_jobs_line ON rexecutor_jobs (executor, group_key)
WHERE line IS NOT NULL AND (
    status = 'blocked' OR status = 'scheduled' OR status = 'retryable' OR (status = 'discarded' AND line <> 0)
);

CREATE INDEX rexecutor_jobs_keyed_executing ON rexecutor_jobs (executor, group_key)
WHERE group_key IS NOT NULL AND status = 'executing';

CREATE INDEX rexecutor_jobs_unique ON rexecutor_jobs (unique_key, status, inserted_at)
WHERE unique_key IS NOT NULL;

-- For the pruner. The executor is in it so that a pruner of some executors need not read the rows of the others.
-- OR: SQLite would build a table of a list of three, and that for every row that is written, whatever its status.
CREATE INDEX rexecutor_jobs_finished
ON rexecutor_jobs (status, finished_at, executor)
WHERE status = 'complete' OR status = 'cancelled' OR status = 'discarded';

-- Jobs that wait for others, by number. Only these pay for it.
CREATE INDEX rexecutor_jobs_blocked ON rexecutor_jobs (id, executor)
WHERE status = 'blocked';

-- How the jobs of a flow stand. Only these pay for it.
CREATE INDEX rexecutor_jobs_flow ON rexecutor_jobs (flow, status)
WHERE flow IS NOT NULL;

-- Apart from the jobs, so that claims do not carry them along. A job's errors are in the order of their numbers.
CREATE TABLE rexecutor_job_errors (
    id INTEGER PRIMARY KEY,
    job INTEGER NOT NULL REFERENCES rexecutor_jobs (id) ON DELETE CASCADE,
    attempt INTEGER NOT NULL,
    error_type TEXT NOT NULL,
    details TEXT NOT NULL,
    recorded_at INTEGER NOT NULL
) STRICT;

CREATE INDEX rexecutor_job_errors_job ON rexecutor_job_errors (job);

-- AUTOINCREMENT: a node's number is never used again.
CREATE TABLE rexecutor_nodes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    label TEXT NOT NULL,
    -- The newest version of the tables that its program knows.
    program INTEGER NOT NULL,
    -- Whether the set of controlled executors has changed since the node's process has read it.
    is_outdated INTEGER NOT NULL DEFAULT 1,
    -- Which executors it runs: a JSON array of their names; NULL until it has said so.
    executors TEXT,
    -- In microseconds.
    timeout INTEGER NOT NULL,
    -- For people, and for migrations. A node is judged by how often it was heard: clocks are set.
    seen_at INTEGER NOT NULL,
    beats INTEGER NOT NULL DEFAULT 0,
    -- For people.
    joined_at INTEGER NOT NULL,
    -- For people: JSON.
    about TEXT
) STRICT;

CREATE TABLE rexecutor_schedules (
    key TEXT PRIMARY KEY,
    last_tick_at INTEGER NOT NULL,
    -- What a clock in the schedule's time zone showed then, as if it were UTC, where each local time has one tick: what nodes
    -- agree on whose time zone data differ.
    last_local_at INTEGER
) STRICT, WITHOUT ROWID;

-- What enqueues which job, when, and how far it has got.
CREATE TABLE rexecutor_schedule_entries (
    name TEXT PRIMARY KEY,
    -- When any node is to look at it. NULL where only nodes do that have it in their code, and where nothing comes any more.
    due_at INTEGER,
    -- Until when all of its ticks are done with.
    last_at INTEGER NOT NULL,
    -- All that there is to know of it, as JSON.
    entry TEXT NOT NULL
) STRICT;

CREATE INDEX rexecutor_schedule_entries_due ON rexecutor_schedule_entries (due_at) WHERE due_at IS NOT NULL;

-- Those whose last tick may lie ahead of the clock.
CREATE INDEX rexecutor_schedule_entries_last ON rexecutor_schedule_entries (last_at) WHERE due_at IS NOT NULL;

-- What all nodes keep to about an executor; about all of them where the name is empty. One that nothing is to be kept to
-- about has no row.
CREATE TABLE rexecutor_controls (
    executor TEXT PRIMARY KEY,
    paused_at INTEGER,
    paused_until INTEGER,
    paused_by TEXT,
    pause_reason TEXT
) STRICT, WITHOUT ROWID;

-- The labels whose nodes are paused, or were until the end of the pause.
CREATE TABLE rexecutor_node_pauses (
    label TEXT PRIMARY KEY,
    paused_at INTEGER NOT NULL,
    paused_until INTEGER,
    paused_by TEXT,
    pause_reason TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The tags whose jobs are paused.
CREATE TABLE rexecutor_tag_pauses (
    tag TEXT PRIMARY KEY,
    paused_at INTEGER NOT NULL,
    paused_until INTEGER,
    paused_by TEXT,
    pause_reason TEXT NOT NULL,
    -- Whether somebody has resumed it. The row is deleted once no job is set aside for it any more.
    is_over INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- The jobs that claims have set aside because a tag of theirs is paused, and when each was due.
CREATE TABLE rexecutor_aside (
    job INTEGER PRIMARY KEY,
    tag TEXT NOT NULL,
    due_at INTEGER NOT NULL
) STRICT;

-- Those of a tag, in the order in which they were due.
CREATE INDEX rexecutor_aside_tag ON rexecutor_aside (tag, due_at);

-- What nodes declare about executors, for all nodes to keep to: the strictest holds. It is gone when the node is.
CREATE TABLE rexecutor_declared_limits (
    executor TEXT NOT NULL,
    node INTEGER NOT NULL REFERENCES rexecutor_nodes (id) ON DELETE CASCADE,
    max_running INTEGER,
    -- Of a rate: how long one token takes, in nanoseconds, and how many may be taken at once.
    rate_interval INTEGER,
    rate_burst INTEGER,
    -- How many jobs of one key may run at once.
    max_per_key INTEGER,
    -- Of the rate of each key.
    key_rate_interval INTEGER,
    key_rate_burst INTEGER,
    -- Whether jobs cost as many tokens as they weigh.
    weighs INTEGER NOT NULL DEFAULT 0,
    -- In how many microseconds of waiting a job rises by one priority.
    aging INTEGER,
    -- Whether the jobs of one key run one after another.
    is_ordered INTEGER NOT NULL DEFAULT 0,
    -- The limits that it shares with others, which have rows of their own: a JSON array of their names, which no executor has.
    shared TEXT,
    PRIMARY KEY (executor, node)
) STRICT, WITHOUT ROWID;

CREATE INDEX rexecutor_declared_limits_node ON rexecutor_declared_limits (node);

-- Limits that somebody has set, which hold in place of those that are declared. NULL: as declared.
CREATE TABLE rexecutor_set_limits (
    executor TEXT PRIMARY KEY,
    set_at INTEGER NOT NULL,
    max_running INTEGER,
    max_per_key INTEGER,
    -- A rate as it was given, its period in nanoseconds, and how many of them one token takes.
    rate_jobs INTEGER,
    rate_period INTEGER,
    rate_interval INTEGER,
    rate_burst INTEGER,
    key_rate_jobs INTEGER,
    key_rate_period INTEGER,
    key_rate_interval INTEGER,
    key_rate_burst INTEGER,
    set_by TEXT,
    reason TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What is kept of limits. One that nothing is kept of has no row.
CREATE TABLE rexecutor_limits (
    executor TEXT PRIMARY KEY,
    -- When the bucket of its rate is full again, in nanoseconds since 1970.
    full_at INTEGER,
    -- Until when one of its jobs holds all of them back.
    throttled_until INTEGER,
    -- Which key was served last, where keys are served in rotation; of a shared limit, which executor.
    served_key TEXT
) STRICT, WITHOUT ROWID;

-- The circuit breakers of executors whose attempts have failed. Of one that is closed only the failures count.
CREATE TABLE rexecutor_breakers (
    executor TEXT PRIMARY KEY,
    -- When attempts failed, as a JSON array of microseconds since 1970.
    failures TEXT NOT NULL DEFAULT '[]',
    -- NULL: it is closed.
    opened_at INTEGER,
    -- Until when no job is let through, and for how many microseconds longer if the one that is then let through fails.
    open_until INTEGER,
    pause INTEGER,
    -- The last error.
    reason TEXT
) STRICT, WITHOUT ROWID;

-- What is kept of the rates of keys. A key whose bucket is full, and that nothing holds back, needs no row.
CREATE TABLE rexecutor_key_buckets (
    executor TEXT NOT NULL,
    key TEXT NOT NULL,
    -- When its bucket is full again, in nanoseconds since 1970.
    full_at INTEGER NOT NULL DEFAULT 0,
    -- Until when one of its jobs holds all of them back, in the same.
    held_until INTEGER,
    PRIMARY KEY (executor, key)
) STRICT, WITHOUT ROWID;

-- The rows that say nothing any more, and those that say too much.
CREATE INDEX rexecutor_key_buckets_idle ON rexecutor_key_buckets (executor, max(full_at, coalesce(held_until, 0)));

-- Executors of which only so many jobs may wait: how many more may, by the last count, less those that were promised since.
CREATE TABLE rexecutor_backlogs (
    executor TEXT PRIMARY KEY,
    max_pending INTEGER NOT NULL,
    room INTEGER NOT NULL,
    counted_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What running jobs say of themselves, and have said: of each the newest attempt that has said anything.
CREATE TABLE rexecutor_progress (
    job INTEGER PRIMARY KEY,
    lease INTEGER NOT NULL,
    -- JSON.
    report TEXT NOT NULL
) STRICT;

-- What running jobs stream, and have streamed.
CREATE TABLE rexecutor_chunks (
    job INTEGER NOT NULL,
    lease INTEGER NOT NULL,
    number INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (job, lease, number)
) STRICT, WITHOUT ROWID;

-- What is recorded of the steps of jobs, and the signals that were sent to them. Only jobs that have the mark for it have any.
CREATE TABLE rexecutor_steps (
    job INTEGER NOT NULL,
    -- run, sleep, wait or version.
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    -- Which of the job's steps it is; NULL for a version, and for a signal that nothing has waited for yet.
    place INTEGER,
    until_at INTEGER,
    done_at INTEGER,
    -- JSON.
    output TEXT,
    PRIMARY KEY (job, kind, name)
) STRICT, WITHOUT ROWID;

-- Flows: jobs that belong together, and what is enqueued when they have ended. AUTOINCREMENT: a flow's number is never used again.
CREATE TABLE rexecutor_flows (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    inserted_at INTEGER NOT NULL,
    -- When its last job ended.
    finished_at INTEGER,
    -- What it waits for beside the end of its last job, in bits: 1 a first job that is discarded, 2 that so many jobs have ended.
    watches INTEGER NOT NULL,
    -- How many of its jobs were complete and not kept.
    gone INTEGER NOT NULL DEFAULT 0,
    -- Whether no job of it was left when it ended: then it is deleted by its age, and not with its last job.
    is_bare INTEGER NOT NULL DEFAULT 0,
    -- All that there is to know of it, as JSON, which only `StoredFlow` reads.
    flow TEXT NOT NULL
) STRICT;

-- Those that have not ended.
CREATE INDEX rexecutor_flows_open ON rexecutor_flows (id) WHERE finished_at IS NULL;

CREATE INDEX rexecutor_flows_bare ON rexecutor_flows (finished_at) WHERE is_bare = 1;

-- Tasks: the places of jobs in workflows.
CREATE TABLE rexecutor_tasks (
    job INTEGER PRIMARY KEY,
    flow INTEGER NOT NULL,
    name TEXT NOT NULL,
    -- On which ends of those before it its job is released; a word of `RunWhen`.
    run_when TEXT NOT NULL,
    -- How many it comes after, and how many of these have ended how.
    wanted INTEGER NOT NULL,
    succeeded INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    skipped INTEGER NOT NULL,
    -- How it had ended when that was counted in those behind it: 1 it had succeeded, 2 failed, 3 was skipped.
    told INTEGER,
    UNIQUE (flow, name)
) STRICT;

-- list_tasks, find_untold_tasks.
CREATE INDEX rexecutor_tasks_flow ON rexecutor_tasks (flow, job);

-- What tasks come after, in the order in which they are given what these gave.
CREATE TABLE rexecutor_task_edges (
    successor INTEGER NOT NULL,
    place INTEGER NOT NULL,
    predecessor INTEGER NOT NULL,
    PRIMARY KEY (successor, place)
) STRICT, WITHOUT ROWID;

-- tell_tasks: what comes after a task.
CREATE INDEX rexecutor_task_edges_predecessor ON rexecutor_task_edges (predecessor);

-- A flow's tasks go with it.
CREATE TRIGGER rexecutor_flows_tasks AFTER DELETE ON rexecutor_flows
BEGIN
    DELETE FROM rexecutor_task_edges WHERE successor IN (SELECT job FROM rexecutor_tasks WHERE flow = OLD.id);
    DELETE FROM rexecutor_tasks WHERE flow = OLD.id;
END;

-- How jobs went: what nodes have counted, by executor and by how runs ended, in steps of time that grow with age.
CREATE TABLE rexecutor_history (
    -- minute, hour or day.
    step TEXT NOT NULL,
    -- When it began, in UTC.
    at INTEGER NOT NULL,
    executor TEXT NOT NULL,
    -- How the runs ended, as `job.outcome` in the log.
    ended TEXT NOT NULL,
    runs INTEGER NOT NULL,
    -- How many of them ran, and had waited, for how long: a JSON array with a number for each bucket of `Histogram`, without the zeros at
    -- the end.
    run TEXT NOT NULL,
    wait TEXT NOT NULL,
    PRIMARY KEY (step, at, executor, ended)
) STRICT, WITHOUT ROWID;
