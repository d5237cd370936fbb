-- $1 the test clock's time, $2 an executor the jobs of whose keys run one after another, $3 how many jobs to claim, $4 how many
-- steps to walk, $5 how many jobs to look at from the head of the queue. Gives one row at least: `id` is NULL where nothing was
-- met. Where each key has a rate, $6 and $7 are what $7 and $8 are in walk_keys.
--
-- In a claim it comes after lock_limits and is a statement of its own, as find_controls is.
WITH RECURSIVE present AS MATERIALIZED (
    SELECT
        coalesce($1::TIMESTAMPTZ, clock_timestamp()) AS now,
        (SELECT kept.served_key FROM {schema}.limits AS kept WHERE kept.executor = $2) AS served
),
-- Each step is a key, and of that the head of its line, one look-up each: from behind the key that was served last, and once
-- around. A head is free if it is due and no job of its key runs. `due_at` is NULL if it is blocked, or halts its line.
walk (key, id, due_at, is_busy, is_free, is_around, found, step) AS (
    SELECT
        head.key, head.id, head.due_at, run.is_busy, free.is_free, head.is_around, free.is_free::INTEGER::BIGINT, 1::BIGINT
    FROM present
    CROSS JOIN LATERAL (
        SELECT either.*
        FROM (
            (
                SELECT
                    job.group_key AS key, job.id, CASE WHEN job.{pending} THEN {due_at} END AS due_at,
                    FALSE AS is_around
                FROM {schema}.jobs AS job
                WHERE job.executor = $2 AND job.group_key > present.served AND {in_line}
                ORDER BY job.group_key, job.id
                LIMIT 1
            )
            UNION ALL
            (
                SELECT job.group_key, job.id, CASE WHEN job.{pending} THEN {due_at} END, TRUE
                FROM {schema}.jobs AS job
                WHERE job.executor = $2 AND {in_line}
                ORDER BY job.group_key, job.id
                LIMIT 1
            )
        ) AS either
        LIMIT 1
    ) AS head
    CROSS JOIN LATERAL (
        SELECT EXISTS (
            SELECT FROM {schema}.jobs AS run
            WHERE run.executor = $2 AND run.group_key = head.key AND run.status = 'executing'
        ) AS is_busy
    ) AS run
    CROSS JOIN LATERAL (SELECT coalesce(head.due_at <= present.now, FALSE) AND NOT run.is_busy AS is_free) AS free
    UNION ALL
    SELECT
        head.key, head.id, head.due_at, run.is_busy, free.is_free, head.is_around,
        walk.found + free.is_free::INTEGER, walk.step + 1
    FROM walk
    CROSS JOIN present
    CROSS JOIN LATERAL (
        SELECT either.*
        FROM (
            (
                SELECT
                    job.group_key AS key, job.id, CASE WHEN job.{pending} THEN {due_at} END AS due_at,
                    walk.is_around
                FROM {schema}.jobs AS job
                WHERE job.executor = $2 AND job.group_key > walk.key AND {in_line}
                ORDER BY job.group_key, job.id
                LIMIT 1
            )
            UNION ALL
            (
                SELECT job.group_key, job.id, CASE WHEN job.{pending} THEN {due_at} END, TRUE
                FROM {schema}.jobs AS job
                WHERE job.executor = $2 AND {in_line} AND NOT walk.is_around
                ORDER BY job.group_key, job.id
                LIMIT 1
            )
        ) AS either
        LIMIT 1
    ) AS head
    CROSS JOIN LATERAL (
        SELECT EXISTS (
            SELECT FROM {schema}.jobs AS run
            WHERE run.executor = $2 AND run.group_key = head.key AND run.status = 'executing'
        ) AS is_busy
    ) AS run
    CROSS JOIN LATERAL (SELECT coalesce(head.due_at <= present.now, FALSE) AND NOT run.is_busy AS is_free) AS free
    WHERE walk.found < $3::BIGINT AND walk.step < $4::BIGINT
        AND (NOT head.is_around OR present.served IS NULL OR head.key <= present.served)
),
summary AS MATERIALIZED (
    SELECT
        coalesce(max(found), 0) >= $3::BIGINT OR coalesce(max(step), 0) >= $4::BIGINT AS is_partial,
        CASE
            WHEN coalesce(max(found), 0) < $3::BIGINT AND max(step) >= $4::BIGINT
                THEN (array_agg(key ORDER BY step DESC))[1]
        END AS stopped_at,
        NOT coalesce(bool_or(is_busy), FALSE) AS is_idle,
        min(due_at) FILTER (WHERE NOT is_free AND NOT is_busy AND isfinite(due_at)) AS next_at,
        -- The head of the queue is looked at farther where the walk has met too few: a line that does not go on leaves its
        -- jobs there.
        CASE WHEN coalesce(max(found), 0) < $3::BIGINT THEN 16 ELSE 1 END * $5::BIGINT AS window_size
    FROM walk
),
-- The priorities of the queue, stepped over as in claim_jobs.
level (priority, step) AS (
    SELECT first.priority, 1::BIGINT
    FROM (
        SELECT job.priority FROM {schema}.jobs AS job
        WHERE job.executor = $2 AND job.{pending}
        ORDER BY job.priority, job.scheduled_at, job.id
        LIMIT 1
    ) AS first
    UNION ALL
    SELECT next.priority, level.step + 1
    FROM level
    CROSS JOIN LATERAL (
        SELECT job.priority FROM {schema}.jobs AS job
        WHERE job.executor = $2 AND job.{pending} AND job.priority > level.priority
        ORDER BY job.priority, job.scheduled_at, job.id
        LIMIT 1
    ) AS next
    WHERE level.step < $4::BIGINT
),
-- The head of the queue: jobs that stand in no line, and lines behind many others.
queue AS MATERIALIZED (
    SELECT job.id, job.key, job.line, job.bytes, job.weight, row_number() OVER (ROWS UNBOUNDED PRECEDING) AS place
    FROM (
        SELECT job.*
        FROM (SELECT level.priority FROM level ORDER BY level.priority) AS each
        CROSS JOIN LATERAL (
            SELECT
                job.id, job.group_key AS key, job.line,
                octet_length(job.data)::BIGINT + coalesce(octet_length(job.metadata), 0) AS bytes, {weight} AS weight
            FROM {schema}.jobs AS job
            WHERE job.executor = $2 AND job.priority = each.priority AND job.{pending}
                AND job.scheduled_at <= (SELECT now FROM present)
            ORDER BY job.scheduled_at, job.id
            LIMIT (SELECT window_size FROM summary)
        ) AS job
        LIMIT (SELECT window_size FROM summary)
    ) AS job
),
without AS MATERIALIZED (
    SELECT queue.id, queue.key, queue.bytes, queue.weight, queue.place
    FROM queue
    WHERE queue.line IS NULL
    ORDER BY queue.place
    LIMIT $5::BIGINT
),
met AS (
    SELECT
        0 AS part, without.place, without.id, without.key,
        CASE
            WHEN without.key IS NULL THEN 9223372036854775807
            WHEN EXISTS (
                SELECT FROM {schema}.jobs AS run
                WHERE run.executor = $2 AND run.group_key = without.key AND run.status = 'executing'
            ) THEN 0
            ELSE 1
        END AS room,
        without.bytes, without.weight
    FROM without
    UNION ALL
    SELECT
        1, walk.step, job.id, walk.key, 1, octet_length(job.data)::BIGINT + coalesce(octet_length(job.metadata), 0), {weight}
    FROM walk
    INNER JOIN {schema}.jobs AS job ON job.id = walk.id
    WHERE walk.is_free
    UNION ALL
    SELECT 2, queue.place, queue.id, queue.key, 1, queue.bytes, queue.weight
    FROM (
        SELECT DISTINCT queue.key FROM queue
        WHERE queue.line IS NOT NULL AND NOT EXISTS (SELECT FROM walk WHERE walk.key = queue.key)
    ) AS other
    CROSS JOIN LATERAL (
        SELECT job.id FROM {schema}.jobs AS job
        WHERE job.executor = $2 AND job.group_key = other.key AND {in_line}
        ORDER BY job.id
        LIMIT 1
    ) AS head
    INNER JOIN queue ON queue.id = head.id
    WHERE NOT EXISTS (
        SELECT FROM {schema}.jobs AS run
        WHERE run.executor = $2 AND run.group_key = other.key AND run.status = 'executing'
    )
)
SELECT
    met.id, met.key, met.room, met.bytes, met.weight,
    summary.is_partial OR (SELECT count(*) FROM without) >= $5::BIGINT AS is_partial, summary.stopped_at,
    summary.is_idle AND NOT EXISTS (SELECT FROM without) AS is_idle,
    (extract(EPOCH FROM summary.next_at - (SELECT now FROM present)) * 1000000)::BIGINT AS next_in, {kept}
FROM summary
LEFT JOIN met ON TRUE
{join_kept}
ORDER BY met.part, met.place
