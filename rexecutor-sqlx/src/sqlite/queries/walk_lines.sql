-- What a claim of the executor ?1 may take where the jobs of a key run one after another, as one JSON array. ?2 the present, ?3 how
-- many jobs to claim, ?4 how many steps to walk, ?5 how many jobs to look at from the head of the queue. Where
-- each key has a rate, ?6 is how many nanoseconds one token takes, and ?7 how many a key may have.
--
-- Each step is a key, and of that the head of its line, one look-up each: from behind the key that was served last, and once
-- around. A head can start if it is due and no job of its key runs.
WITH RECURSIVE served (key) AS MATERIALIZED (
    SELECT (SELECT served_key FROM rexecutor_limits WHERE executor = ?1)
),
-- `due_at` is NULL for a head that is blocked, or halts its line. `found` are the steps before this one whose head can start.
walk (key, id, due_at, is_busy, is_around, found, step) AS (
    SELECT
        job.group_key, job.id, CASE WHEN job.{pending} THEN {due_at} END,
        EXISTS (
            SELECT 1 FROM rexecutor_jobs INDEXED BY rexecutor_jobs_keyed_executing
            WHERE executor = ?1 AND group_key = job.group_key AND status = 'executing'
        ),
        served.key IS NULL OR job.group_key <= served.key, 0, 1
    FROM served
    CROSS JOIN rexecutor_jobs AS job ON job.id = coalesce(
        (
            SELECT id FROM rexecutor_jobs INDEXED BY rexecutor_jobs_line
            WHERE executor = ?1 AND group_key > served.key AND {in_line}
            ORDER BY group_key, id
            LIMIT 1
        ),
        (
            SELECT id FROM rexecutor_jobs INDEXED BY rexecutor_jobs_line
            WHERE executor = ?1 AND {in_line}
            ORDER BY group_key, id
            LIMIT 1
        )
    )
    UNION ALL
    SELECT
        job.group_key, job.id, CASE WHEN job.{pending} THEN {due_at} END,
        EXISTS (
            SELECT 1 FROM rexecutor_jobs INDEXED BY rexecutor_jobs_keyed_executing
            WHERE executor = ?1 AND group_key = job.group_key AND status = 'executing'
        ),
        walk.is_around OR job.group_key <= walk.key,
        walk.found + (coalesce(walk.due_at <= ?2, 0) AND NOT walk.is_busy), walk.step + 1
    FROM walk
    CROSS JOIN served
    CROSS JOIN rexecutor_jobs AS job ON job.id = coalesce(
        (
            SELECT id FROM rexecutor_jobs INDEXED BY rexecutor_jobs_line
            WHERE executor = ?1 AND group_key > walk.key AND {in_line}
            ORDER BY group_key, id
            LIMIT 1
        ),
        CASE WHEN NOT walk.is_around THEN (
            SELECT id FROM rexecutor_jobs INDEXED BY rexecutor_jobs_line
            WHERE executor = ?1 AND {in_line}
            ORDER BY group_key, id
            LIMIT 1
        ) END
    )
    WHERE walk.step < ?4 AND walk.found + (coalesce(walk.due_at <= ?2, 0) AND NOT walk.is_busy) < ?3
        AND (
            NOT (walk.is_around OR job.group_key <= walk.key) OR served.key IS NULL OR job.group_key <= served.key
        )
),
summary (found, steps, is_idle, next_at) AS MATERIALIZED (
    SELECT
        coalesce(sum(due_at <= ?2 AND NOT is_busy), 0), count(*), coalesce(sum(is_busy), 0) = 0,
        min(CASE WHEN due_at > ?2 AND NOT is_busy THEN due_at END)
    FROM walk
),
-- The priorities of the queue, as in find_levels.sql.
level (priority, step) AS (
    SELECT (SELECT min(priority) FROM rexecutor_jobs WHERE executor = ?1 AND {pending}), 1
    UNION ALL
    SELECT
        (SELECT min(priority) FROM rexecutor_jobs WHERE executor = ?1 AND {pending} AND priority > level.priority),
        step + 1
    FROM level
    WHERE priority IS NOT NULL AND step < ?4
),
-- The head of the queue: jobs that stand in no line, and lines behind many others. It is looked at farther where the walk has
-- met too few, because a line that does not go on leaves its jobs there.
queue (id, key, line, bytes, weight, place) AS MATERIALIZED (
    SELECT
        job.id, job.group_key, job.line, octet_length(job.data) + coalesce(octet_length(job.metadata), 0), {weight},
        row_number() OVER (ORDER BY job.priority, job.scheduled_at, job.id)
    FROM summary
    CROSS JOIN level
    CROSS JOIN rexecutor_jobs AS job ON job.id IN (
        SELECT id FROM rexecutor_jobs INDEXED BY rexecutor_jobs_ready
        WHERE executor = ?1 AND priority = level.priority AND {pending} AND scheduled_at <= ?2
        ORDER BY scheduled_at, id
        LIMIT (SELECT CASE WHEN found < ?3 THEN 16 ELSE 1 END * ?5 FROM summary)
    )
    LIMIT (SELECT CASE WHEN found < ?3 THEN 16 ELSE 1 END * ?5 FROM summary)
),
without (id, key, bytes, weight, place) AS MATERIALIZED (
    SELECT id, key, bytes, weight, place FROM queue WHERE line IS NULL ORDER BY place LIMIT 0 + ?5
),
-- The heads of the lines that the walk has not met.
head (id) AS MATERIALIZED (
    SELECT (
        SELECT id FROM rexecutor_jobs INDEXED BY rexecutor_jobs_line
        WHERE executor = ?1 AND group_key = other.key AND {in_line}
        ORDER BY id
        LIMIT 1
    )
    FROM (SELECT DISTINCT key FROM queue WHERE line IS NOT NULL AND key NOT IN (SELECT key FROM walk)) AS other
    WHERE NOT EXISTS (
        SELECT 1 FROM rexecutor_jobs INDEXED BY rexecutor_jobs_keyed_executing
        WHERE executor = ?1 AND group_key = other.key AND status = 'executing'
    )
),
met (part, place, id, key, room, bytes, weight) AS (
    SELECT
        0, place, id, key,
        CASE
            WHEN key IS NULL THEN 9223372036854775807
            ELSE NOT EXISTS (
                SELECT 1 FROM rexecutor_jobs INDEXED BY rexecutor_jobs_keyed_executing
                WHERE executor = ?1 AND group_key = without.key AND status = 'executing'
            )
        END,
        bytes, weight
    FROM without
    UNION ALL
    SELECT 1, walk.step, job.id, walk.key, 1, octet_length(job.data) + coalesce(octet_length(job.metadata), 0), {weight}
    FROM walk
    CROSS JOIN rexecutor_jobs AS job ON job.id = walk.id
    WHERE walk.due_at <= ?2 AND NOT walk.is_busy
    UNION ALL
    SELECT 2, place, id, key, 1, bytes, weight
    FROM queue
    WHERE id IN (SELECT id FROM head)
)
SELECT json_array(
    found >= ?3 OR steps >= ?4 OR (SELECT count(*) FROM without) >= ?5,
    CASE WHEN found < ?3 AND steps >= ?4 THEN (SELECT key FROM walk ORDER BY step DESC LIMIT 1) END,
    is_idle AND NOT EXISTS (SELECT 1 FROM without),
    next_at - ?2,
    (
        SELECT json_group_array(json_array(id, key, room, bytes, weight, {kept}))
        FROM (SELECT * FROM met ORDER BY part, place) AS met
    )
)
FROM summary
