-- What a claim of the executor ?1 may take where keys are served in rotation, as one JSON array. ?2 the present, ?3 how many jobs
-- to claim, ?4 how many of one key may run, ?5 how many steps to walk, ?6 how many jobs to look at from the head of the line.
-- What PostgreSQL's walk_keys.sql says of the steps holds here, and of `due_at`, where ?7 is how many nanoseconds a token takes, and
-- ?8 how many a key may have.
WITH RECURSIVE served (key) AS MATERIALIZED (
    SELECT (SELECT served_key FROM rexecutor_limits WHERE executor = ?1)
),
-- `found` are the steps before this one that have met due jobs of a key with room.
walk (key, priority, due_at, is_due, room, is_around, found, step) AS (
    SELECT
        job.group_key, job.priority, {due_at}, {due_at} <= ?2,
        max(0, ?4 - (
            SELECT count(*) FROM rexecutor_jobs INDEXED BY rexecutor_jobs_keyed_executing
            WHERE executor = ?1 AND group_key = job.group_key AND status = 'executing'
        )),
        served.key IS NULL OR job.group_key <= served.key, 0, 1
    FROM served
    CROSS JOIN rexecutor_jobs AS job ON job.id = coalesce(
        (
            SELECT id FROM rexecutor_jobs INDEXED BY rexecutor_jobs_keyed
            WHERE executor = ?1 AND group_key > served.key AND {pending} AND line IS NULL
            ORDER BY group_key, priority, scheduled_at, id
            LIMIT 1
        ),
        (
            SELECT id FROM rexecutor_jobs INDEXED BY rexecutor_jobs_keyed
            WHERE executor = ?1 AND group_key IS NOT NULL AND {pending} AND line IS NULL
            ORDER BY group_key, priority, scheduled_at, id
            LIMIT 1
        )
    )
    UNION ALL
    SELECT
        job.group_key, job.priority, {due_at}, {due_at} <= ?2,
        max(0, ?4 - (
            SELECT count(*) FROM rexecutor_jobs INDEXED BY rexecutor_jobs_keyed_executing
            WHERE executor = ?1 AND group_key = job.group_key AND status = 'executing'
        )),
        walk.is_around OR (job.group_key, job.priority) <= (walk.key, walk.priority),
        walk.found + (walk.is_due AND walk.room > 0), walk.step + 1
    FROM walk
    CROSS JOIN served
    CROSS JOIN rexecutor_jobs AS job ON job.id = coalesce(
        (
            SELECT id FROM rexecutor_jobs INDEXED BY rexecutor_jobs_keyed
            WHERE executor = ?1 AND group_key = walk.key AND priority > walk.priority AND {pending} AND line IS NULL
            ORDER BY priority, scheduled_at, id
            LIMIT 1
        ),
        (
            SELECT id FROM rexecutor_jobs INDEXED BY rexecutor_jobs_keyed
            WHERE executor = ?1 AND group_key > walk.key AND {pending} AND line IS NULL
            ORDER BY group_key, priority, scheduled_at, id
            LIMIT 1
        ),
        CASE WHEN NOT walk.is_around THEN (
            SELECT id FROM rexecutor_jobs INDEXED BY rexecutor_jobs_keyed
            WHERE executor = ?1 AND group_key IS NOT NULL AND {pending} AND line IS NULL
            ORDER BY group_key, priority, scheduled_at, id
            LIMIT 1
        ) END
    )
    WHERE walk.step < ?5 AND walk.found + (walk.is_due AND walk.room > 0) < ?3
        AND (
            NOT (walk.is_around OR (job.group_key, job.priority) <= (walk.key, walk.priority))
            OR served.key IS NULL OR job.group_key <= served.key
        )
),
summary (found, steps, share, is_idle, next_at) AS MATERIALIZED (
    SELECT
        coalesce(sum(is_due AND room > 0), 0),
        count(*),
        1 + ?3 / max(1, count(DISTINCT CASE WHEN is_due AND room > 0 THEN key END)),
        coalesce(sum(room = 0), 0) = 0,
        min(CASE WHEN NOT is_due AND room > 0 THEN due_at END)
    FROM walk
),
-- The priorities of the line, as in find_levels.sql.
level (priority, step) AS (
    SELECT (SELECT min(priority) FROM rexecutor_jobs WHERE executor = ?1 AND {pending}), 1
    UNION ALL
    SELECT
        (SELECT min(priority) FROM rexecutor_jobs WHERE executor = ?1 AND {pending} AND priority > level.priority),
        step + 1
    FROM level
    WHERE priority IS NOT NULL AND step < ?5
),
line (id, key, bytes, weight, place) AS MATERIALIZED (
    SELECT
        job.id, job.group_key, octet_length(job.data) + coalesce(octet_length(job.metadata), 0), {weight},
        row_number() OVER (ORDER BY job.priority, job.scheduled_at, job.id)
    FROM level
    CROSS JOIN rexecutor_jobs AS job ON job.id IN (
        SELECT id FROM rexecutor_jobs INDEXED BY rexecutor_jobs_ready
        WHERE executor = ?1 AND priority = level.priority AND {pending} AND scheduled_at <= ?2
        ORDER BY scheduled_at, id
        LIMIT 0 + ?6
    )
    LIMIT 0 + ?6
),
met (part, step, place, id, key, room, bytes, weight) AS (
    SELECT 0, place, 0, id, NULL, 9223372036854775807, bytes, weight FROM line WHERE key IS NULL
    UNION ALL
    SELECT
        1, walk.step, row_number() OVER (PARTITION BY walk.step ORDER BY job.scheduled_at, job.id), job.id, walk.key,
        walk.room, octet_length(job.data) + coalesce(octet_length(job.metadata), 0), {weight}
    FROM walk
    CROSS JOIN rexecutor_jobs AS job ON job.id IN (
        SELECT id FROM rexecutor_jobs INDEXED BY rexecutor_jobs_keyed
        WHERE executor = ?1 AND group_key = walk.key AND priority = walk.priority AND {pending} AND line IS NULL
            AND scheduled_at <= ?2
        ORDER BY scheduled_at, id
        LIMIT (SELECT share FROM summary)
    )
    WHERE walk.is_due AND walk.room > 0
    UNION ALL
    SELECT
        2, place, 0, id, line.key,
        max(0, ?4 - (
            SELECT count(*) FROM rexecutor_jobs INDEXED BY rexecutor_jobs_keyed_executing
            WHERE executor = ?1 AND group_key = line.key AND status = 'executing'
        )),
        bytes, weight
    FROM line
    WHERE line.key IS NOT NULL AND line.key NOT IN (SELECT key FROM walk WHERE is_due)
)
SELECT json_array(
    found >= ?3 OR steps >= ?5,
    CASE WHEN found < ?3 AND steps >= ?5 THEN (SELECT key FROM walk ORDER BY step DESC LIMIT 1) END,
    share,
    (
        SELECT json_group_array(json_array(part, step, id, key, room, bytes, weight, {kept}))
        FROM (SELECT * FROM met ORDER BY part, step, place) AS met
    ),
    is_idle,
    next_at - ?2
)
FROM summary
