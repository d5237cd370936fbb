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

-- list_flows: those that have.
CREATE INDEX rexecutor_flows_ended ON rexecutor_flows (id) WHERE finished_at IS NOT NULL;

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

-- The audit log: what people have changed by hand. AUTOINCREMENT: a page that begins before a number stays what it was.
CREATE TABLE rexecutor_audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    -- When the row may be deleted.
    kept_until INTEGER NOT NULL,
    who TEXT NOT NULL,
    -- Through what: dashboard, api, cli.
    via TEXT NOT NULL,
    action TEXT NOT NULL,
    -- What was changed: a kind of thing, and its number or name.
    kind TEXT NOT NULL,
    object TEXT NOT NULL,
    -- Whose jobs it is about; NULL: those of all executors.
    executor TEXT,
    -- Why it was refused; NULL: it was done.
    error TEXT,
    -- What was there before, and what is there now, as JSON.
    was TEXT,
    became TEXT
) STRICT;

-- prune_audit: what has been kept for long enough.
CREATE INDEX rexecutor_audit_kept_until ON rexecutor_audit (kept_until);

-- list_audit: what somebody has changed, and who has changed something. All else walks the primary key.
CREATE INDEX rexecutor_audit_who ON rexecutor_audit (who, id);
CREATE INDEX rexecutor_audit_object ON rexecutor_audit (kind, object, id);

-- Copies of this database to others, and of others to this one. Of those from here there is one row for all.
CREATE TABLE rexecutor_copies (
    -- What both databases know it by.
    token TEXT PRIMARY KEY,
    is_source INTEGER NOT NULL,
    -- How often it was started. A process changes nothing any more once it was started again.
    run INTEGER NOT NULL,
    begun_at INTEGER NOT NULL,
    -- Of a source: up to which number its jobs were copied as a whole, so that they are never moved.
    last_job INTEGER,
    -- The name of the target. Of a source: to which jobs are on their way.
    target TEXT,
    -- Of a target: whether it is to have all that the source has, and when that, or what operators have said there, had come.
    is_whole INTEGER NOT NULL,
    finished_at INTEGER,
    -- Of a target: jobs with numbers behind the first and up to the second one keep theirs. It has never given these out.
    reserved_from INTEGER,
    reserved_to INTEGER
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX rexecutor_copies_source ON rexecutor_copies (is_source) WHERE is_source;

-- Jobs on their way to another database. They stand in no other table of this one.
CREATE TABLE rexecutor_outgoing (
    token TEXT NOT NULL,
    job INTEGER NOT NULL,
    -- All of it, as JSON.
    content TEXT NOT NULL,
    PRIMARY KEY (token, job)
) STRICT, WITHOUT ROWID;

-- Jobs that have come from another database, as long as they may be on their way there.
CREATE TABLE rexecutor_incoming (
    token TEXT NOT NULL,
    -- Its number there, and here.
    job INTEGER NOT NULL,
    stored_as INTEGER NOT NULL,
    PRIMARY KEY (token, job)
) STRICT, WITHOUT ROWID;

-- What has happened, for those who listen: nothing is written while nobody does. AUTOINCREMENT: numbers must rise for ever.
CREATE TABLE rexecutor_events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    -- A word of `EventKind`.
    kind TEXT NOT NULL,
    -- NULL: it is about a pause.
    job INTEGER,
    executor TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    -- A JSON array of strings.
    tags TEXT,
    node INTEGER,
    -- When the job is due again; of a start, when it was enqueued.
    due_at INTEGER,
    -- JSON.
    error TEXT,
    -- Why it is cancelled, what it says of its progress, or the pause.
    detail TEXT
) STRICT;

-- Who listens for events. AUTOINCREMENT: a number is never used again.
CREATE TABLE rexecutor_listeners (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Until when it counts as one, in seconds of the real time, whatever clock jobs go by.
    until_at INTEGER NOT NULL,
    -- A JSON array of names; NULL: events of all executors.
    executors TEXT,
    -- Up to which event it has read.
    seen INTEGER NOT NULL
) STRICT;

-- Enqueuing from other languages: docs/enqueue-from-sql.md. It works with SQLite from version 3.38 on.
CREATE VIEW rexecutor_enqueue (
    executor, data, scheduled_at, delay, priority, max_attempts, tags, metadata, unique_key, unique_within
) AS SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL WHERE FALSE;

-- RAISE takes a literal in older versions, so no message says a value.
CREATE TRIGGER rexecutor_enqueue_insert INSTEAD OF INSERT ON rexecutor_enqueue
BEGIN
    SELECT CASE
        WHEN coalesce(typeof(NEW.executor) <> 'text' OR NEW.executor = '', TRUE)
            THEN RAISE(ABORT, 'name: the name of an executor must not be empty')
        WHEN length(CAST(NEW.executor AS BLOB)) > 255
            THEN RAISE(ABORT, 'name: the name of an executor has too many bytes; the limit is 255')
        WHEN instr(NEW.executor, char(0)) > 0 THEN RAISE(ABORT, 'name: the name of an executor contains U+0000')
        WHEN NEW.executor LIKE 'limit:%' AND substr(NEW.executor, 1, 6) = 'limit:'
            THEN RAISE(ABORT, 'name: names that begin with `limit:` are those of limits that executors share')
        WHEN length(CAST(NEW.data AS BLOB)) > 1048576
            THEN RAISE(ABORT, 'data: too many bytes as JSON; the limit is 1048576')
        WHEN NOT json_valid(coalesce(NEW.data, 'null')) THEN RAISE(ABORT, 'data: not JSON')
        WHEN instr(replace(NEW.data, '\\', ''), '\u0000') > 0
            THEN RAISE(ABORT, 'data: a string contains U+0000, which PostgreSQL cannot store')
        WHEN length(CAST(NEW.metadata AS BLOB)) > 1048576
            THEN RAISE(ABORT, 'metadata: too many bytes as JSON; the limit is 1048576')
        WHEN NEW.metadata IS NOT NULL AND NOT json_valid(NEW.metadata) THEN RAISE(ABORT, 'metadata: not JSON')
        WHEN instr(replace(NEW.metadata, '\\', ''), '\u0000') > 0
            THEN RAISE(ABORT, 'metadata: a string contains U+0000, which PostgreSQL cannot store')
        WHEN NEW.priority IS NOT NULL AND (typeof(NEW.priority) <> 'integer' OR NEW.priority NOT BETWEEN 0 AND 999)
            THEN RAISE(ABORT, 'priority: not a whole number from 0 to 999')
        WHEN NEW.max_attempts IS NOT NULL AND (typeof(NEW.max_attempts) <> 'integer' OR NEW.max_attempts NOT BETWEEN 1 AND 65535)
            THEN RAISE(ABORT, 'max_attempts: not a whole number from 1 to 65535')
        WHEN NEW.scheduled_at IS NOT NULL AND NEW.delay IS NOT NULL
            THEN RAISE(ABORT, 'schedule_at: scheduled_at and delay exclude each other')
        WHEN NEW.scheduled_at IS NOT NULL AND (
            typeof(NEW.scheduled_at) <> 'text' OR coalesce(julianday(NEW.scheduled_at) < 1721425.5, TRUE)
        )
            THEN RAISE(ABORT, 'schedule_at: not a time in the years 1 to 9999, as 2026-01-31T09:30:00Z')
        WHEN NEW.delay IS NOT NULL AND typeof(NEW.delay) NOT IN ('integer', 'real')
            THEN RAISE(ABORT, 'schedule_in: not a number of seconds')
        WHEN NEW.delay < 0
            THEN RAISE(ABORT, 'schedule_in: the delay is negative; zero is due at once, and scheduled_at takes an instant in the past')
        WHEN NEW.delay > 31536000000 THEN RAISE(ABORT, 'schedule_in: a delay of too many days; the limit is 365000')
        WHEN NEW.tags IS NOT NULL AND NOT json_valid(NEW.tags) THEN RAISE(ABORT, 'tags: not a JSON array of strings')
        WHEN NEW.tags IS NOT NULL AND (
            json_type(NEW.tags) <> 'array'
            OR EXISTS (SELECT 1 FROM json_each(NEW.tags) AS tag WHERE tag.type <> 'text')
        )
            THEN RAISE(ABORT, 'tags: not a JSON array of strings')
        WHEN json_array_length(NEW.tags) > 100 THEN RAISE(ABORT, 'tags: too many tags; the limit is 100')
        WHEN EXISTS (SELECT 1 FROM json_each(NEW.tags) AS tag WHERE length(CAST(tag.value AS BLOB)) > 255)
            THEN RAISE(ABORT, 'tags: a tag of too many bytes; the limit is 255')
        WHEN instr(replace(NEW.tags, '\\', ''), '\u0000') > 0
            THEN RAISE(ABORT, 'tags: a tag contains U+0000, which PostgreSQL cannot store')
        WHEN NEW.unique_key IS NOT NULL AND typeof(NEW.unique_key) <> 'text' THEN RAISE(ABORT, 'unique: the key is not a text')
        WHEN length(CAST(NEW.unique_key AS BLOB)) > 8192
            THEN RAISE(ABORT, 'unique: the key has too many bytes; the limit is 8192')
        -- How JSON writes them differs from version to version.
        WHEN NEW.unique_key GLOB '*[' || char(1) || '-' || char(31) || ']*' OR instr(NEW.unique_key, char(0)) > 0
            THEN RAISE(ABORT, 'unique: the key contains a control character')
        WHEN NEW.unique_within IS NOT NULL AND NEW.unique_key IS NULL
            THEN RAISE(ABORT, 'unique: unique_within needs a unique_key')
        WHEN NEW.unique_within IS NOT NULL AND coalesce(
            typeof(NEW.unique_within) NOT IN ('integer', 'real') OR NEW.unique_within < 0.000001, TRUE
        )
            THEN RAISE(ABORT, 'unique: the time within which jobs are unique must be over zero')
    END;
    -- How deep it is can be counted only once it is JSON.
    SELECT CASE
        WHEN EXISTS (
            SELECT 1 FROM json_tree(text.json) AS part
            WHERE length(part.fullkey) - length(replace(replace(part.fullkey, '.', ''), '[', ''))
                + (part.type IN ('array', 'object')) > 127
        )
            THEN RAISE(ABORT, 'data: too many levels of JSON; the limit is 127')
    END
    FROM (SELECT NEW.data AS json UNION ALL SELECT NEW.metadata) AS text
    WHERE 2 * length(text.json) - length(replace(text.json, '[', '')) - length(replace(text.json, '{', '')) > 127;

    INSERT INTO rexecutor_jobs (
        executor, data, metadata, max_attempts, priority, tags, scheduled_at, inserted_at, unique_key, extras
    )
    SELECT
        NEW.executor, coalesce(NEW.data, 'null'), NEW.metadata, coalesce(NEW.max_attempts, 5), coalesce(NEW.priority, 0),
        coalesce(json(NEW.tags), '[]'),
        CASE
            WHEN NEW.scheduled_at IS NOT NULL
                THEN CAST(round((julianday(NEW.scheduled_at) - 2440587.5) * 86400000) AS INTEGER) * 1000
            WHEN NEW.delay IS NOT NULL
                THEN min(present.now + CAST(round(NEW.delay * 1000000) AS INTEGER), max(present.now, 253402214400000000))
            ELSE present.now
        END,
        present.now, present.unique_key,
        CASE WHEN present.bytes > 65536 THEN json_object('heavy', present.bytes) END
    FROM (
        SELECT
            CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER) * 1000 AS now,
            coalesce(length(CAST(NEW.data AS BLOB)), 4) + coalesce(length(CAST(NEW.metadata AS BLOB)), 0) AS bytes,
            -- The first 16 bytes of a SHA-256, those of `UniquenessCriteria::by_key(..).and_executor()`: first of the key as JSON, then
            -- of that and the executor, each part behind its length. SQLite has no function for it, so there is a row for each half
            -- of a round. The last bit says that the data are no part of it.
            CASE WHEN NEW.unique_key IS NOT NULL THEN (
                WITH RECURSIVE given (key, name) AS (SELECT hex(json_quote(NEW.unique_key)), hex(NEW.executor)),
                parts (first, second) AS (
                    SELECT
                        printf('%02X%02X000000000000', length(given.key) / 2 % 256, length(given.key) / 512) || given.key,
                        '0B00000000000000' || hex('rexecutor 1') || '0300000000000000' || hex('e-k')
                        || printf('%02X%02X000000000000', length(given.name) / 2 % 256, length(given.name) / 512) || given.name
                        || '00000000000000002000000000000000'
                    FROM given
                ),
                messages (first, second, tail) AS (
                    SELECT
                        parts.first || '80' || substr(printf('%.130c', '0'), 1, 2 * ((119 - length(parts.first) / 2 % 64) % 64)) || printf('%016X', length(parts.first) * 4),
                        parts.second,
                        '80' || substr(printf('%.130c', '0'), 1, 2 * ((119 - (length(parts.second) + 64) / 2 % 64) % 64)) || printf('%016X', (length(parts.second) + 64) * 4)
                    FROM parts
                ),
                constants (k) AS (
                    SELECT '[1116352408,1899447441,3049323471,3921009573,961987163,1508970993,2453635748,2870763221,3624381080,3'
                        || '10598401,607225278,1426881987,1925078388,2162078206,2614888103,3248222580,3835390401,4022224774,2643'
                        || '47078,604807628,770255983,1249150122,1555081692,1996064986,2554220882,2821834349,2952996808,32103136'
                        || '71,3336571891,3584528711,113926993,338241895,666307205,773529912,1294757372,1396182291,1695183700,19'
                        || '86661051,2177026350,2456956037,2730485921,2820302411,3259730800,3345764771,3516065817,3600352804,409'
                        || '4571909,275423344,430227734,506948616,659060556,883997877,958139571,1322822218,1537002063,1747873779'
                        || ',1955562222,2024104815,2227730452,2361852424,2428436474,2756734187,3204031479,3329325298]'
                ),
                run (
                    stage, message, at, step, w, a, b, c, d, e, f, g, h, t1, t2, h0, h1, h2, h3, h4, h5, h6, h7
                ) AS (
                    SELECT
                        0, messages.first, 1, -1, '', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                        1779033703, 3144134277, 1013904242, 2773480762, 1359893119, 2600822924, 528734635, 1541459225
                    FROM messages
                    UNION ALL
                    -- A block of 64 bytes is read as 16 words.
                    SELECT
                        run.stage, run.message, run.at, 0,
                        (
                            SELECT json_group_array((
                                SELECT sum(
                                    (instr('0123456789ABCDEF', substr(run.message, run.at + 8 * word.value + digit.value, 1)) - 1)
                                    << (28 - 4 * digit.value)
                                )
                                FROM json_each('[0,1,2,3,4,5,6,7]') AS digit
                            ))
                            FROM json_each('[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15]') AS word
                        ),
                        run.h0, run.h1, run.h2, run.h3, run.h4, run.h5, run.h6, run.h7, 0, 0, run.h0, run.h1, run.h2, run.h3, run.h4, run.h5, run.h6, run.h7
                    FROM run
                    WHERE run.step = -1
                    UNION ALL
                    SELECT
                        run.stage, run.message, run.at, run.step + 1,
                        json_insert(json_remove(run.w, '$[0]'), '$[#]', (
                            (run.w ->> 0) + (run.w ->> 9) + (
                            SELECT ((two.ab | two.c) - (two.ab & two.c)) & 4294967295
                            FROM (
                                SELECT (one.a | one.b) - (one.a & one.b) AS ab, one.c
                                FROM (
                                    SELECT twice.x >> 7 AS a, twice.x >> 18 AS b, twice.word >> 3 AS c
                                    FROM (SELECT (run.w ->> 1) << 32 | (run.w ->> 1) AS x, (run.w ->> 1) AS word) AS twice
                                ) AS one
                            ) AS two
                        ) + (
                            SELECT ((two.ab | two.c) - (two.ab & two.c)) & 4294967295
                            FROM (
                                SELECT (one.a | one.b) - (one.a & one.b) AS ab, one.c
                                FROM (
                                    SELECT twice.x >> 17 AS a, twice.x >> 19 AS b, twice.word >> 10 AS c
                                    FROM (SELECT (run.w ->> 14) << 32 | (run.w ->> 14) AS x, (run.w ->> 14) AS word) AS twice
                                ) AS one
                            ) AS two
                        )
                        ) & 4294967295),
                        run.a, run.b, run.c, run.d, run.e, run.f, run.g, run.h,
                        run.h + (run.w ->> 0) + (constants.k ->> (run.step / 2)) + ((run.e & run.f) | (~run.e & run.g)) + (
                            SELECT ((two.ab | two.c) - (two.ab & two.c)) & 4294967295
                            FROM (
                                SELECT (one.a | one.b) - (one.a & one.b) AS ab, one.c
                                FROM (
                                    SELECT twice.x >> 6 AS a, twice.x >> 11 AS b, twice.x >> 25 AS c
                                    FROM (SELECT run.e << 32 | run.e AS x, run.e AS word) AS twice
                                ) AS one
                            ) AS two
                        ),
                        ((run.a & run.b) | (run.a & run.c) | (run.b & run.c)) + (
                            SELECT ((two.ab | two.c) - (two.ab & two.c)) & 4294967295
                            FROM (
                                SELECT (one.a | one.b) - (one.a & one.b) AS ab, one.c
                                FROM (
                                    SELECT twice.x >> 2 AS a, twice.x >> 13 AS b, twice.x >> 22 AS c
                                    FROM (SELECT run.a << 32 | run.a AS x, run.a AS word) AS twice
                                ) AS one
                            ) AS two
                        ),
                        run.h0, run.h1, run.h2, run.h3, run.h4, run.h5, run.h6, run.h7
                    FROM run
                    CROSS JOIN constants
                    WHERE run.step BETWEEN 0 AND 127 AND run.step % 2 = 0
                    UNION ALL
                    SELECT
                        run.stage, run.message, run.at, run.step + 1, run.w,
                        (run.t1 + run.t2) & 4294967295, run.a, run.b, run.c, (run.d + run.t1) & 4294967295, run.e, run.f,
                        run.g, 0, 0, run.h0, run.h1, run.h2, run.h3, run.h4, run.h5, run.h6, run.h7
                    FROM run
                    WHERE run.step BETWEEN 0 AND 127 AND run.step % 2 = 1
                    UNION ALL
                    -- The next block, …
                    SELECT
                        run.stage, run.message, run.at + 128, -1, '', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                        (run.h0 + run.a) & 4294967295, (run.h1 + run.b) & 4294967295, (run.h2 + run.c) & 4294967295, (run.h3 + run.d) & 4294967295,
                        (run.h4 + run.e) & 4294967295, (run.h5 + run.f) & 4294967295, (run.h6 + run.g) & 4294967295, (run.h7 + run.h) & 4294967295
                    FROM run
                    WHERE run.step = 128 AND run.at + 128 < length(run.message)
                    UNION ALL
                    -- … or the second message, with the digest of the first in it.
                    SELECT
                        1, messages.second || printf(
                            '%08X%08X%08X%08X%08X%08X%08X%08X',
                            (run.h0 + run.a) & 4294967295, (run.h1 + run.b) & 4294967295, (run.h2 + run.c) & 4294967295, (run.h3 + run.d) & 4294967295,
                            (run.h4 + run.e) & 4294967295, (run.h5 + run.f) & 4294967295, (run.h6 + run.g) & 4294967295, (run.h7 + run.h) & 4294967295
                        ) || messages.tail, 1, -1, '', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                        1779033703, 3144134277, 1013904242, 2773480762, 1359893119, 2600822924, 528734635, 1541459225
                    FROM run
                    CROSS JOIN messages
                    WHERE run.stage = 0 AND run.step = 128 AND run.at + 128 > length(run.message)
                )
                SELECT CAST((
                    SELECT group_concat(substr(
                        x'000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F202122232425262728292A2B2C2D2E2F303132333435363738393A3B3C3D3E3F404142434445464748494A4B4C4D4E4F505152535455565758595A5B5C5D5E5F606162636465666768696A6B6C6D6E6F707172737475767778797A7B7C7D7E7F808182838485868788898A8B8C8D8E8F909192939495969798999A9B9C9D9E9FA0A1A2A3A4A5A6A7A8A9AAABACADAEAFB0B1B2B3B4B5B6B7B8B9BABBBCBDBEBFC0C1C2C3C4C5C6C7C8C9CACBCCCDCECFD0D1D2D3D4D5D6D7D8D9DADBDCDDDEDFE0E1E2E3E4E5E6E7E8E9EAEBECEDEEEFF0F1F2F3F4F5F6F7F8F9FAFBFCFDFEFF',
                        (
                            CASE byte.value / 4
                                WHEN 0 THEN run.h0 + run.a
                                WHEN 1 THEN run.h1 + run.b
                                WHEN 2 THEN run.h2 + run.c
                                ELSE run.h3 + run.d
                            END >> (24 - byte.value % 4 * 8) & CASE byte.value WHEN 15 THEN 254 ELSE 255 END
                        ) + 1,
                        1
                    ), '')
                    FROM json_each('[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15]') AS byte
                ) AS BLOB)
                FROM run
                WHERE run.stage = 1 AND run.step = 128 AND run.at + 128 > length(run.message)
            ) END AS unique_key
        LIMIT 1
    ) AS present
    WHERE NOT EXISTS (
        SELECT 1 FROM rexecutor_jobs AS stored
        WHERE stored.unique_key = present.unique_key
            AND stored.status IN ('blocked', 'scheduled', 'executing', 'retryable', 'complete')
            AND stored.inserted_at > coalesce(present.now - CAST(NEW.unique_within * 1000000 AS INTEGER), -9223372036854775808)
            AND stored.inserted_at < coalesce(
                present.now + CAST(NEW.unique_within * 1000000 AS INTEGER) + 60000000, 9223372036854775807
            )
    );
END;
