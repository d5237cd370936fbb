-- $1 the test clock's time, $2 the node, $3 executors, $4 their free slots. Gives one row at least: `id` is NULL where
-- nothing was claimed.
WITH RECURSIVE present AS MATERIALIZED (
    SELECT
        coalesce($1::TIMESTAMPTZ, clock_timestamp()) AS now,
        EXISTS (SELECT FROM {schema}.nodes WHERE id = $2) AS is_member
),
slot AS MATERIALIZED (
    SELECT executor, free, place
    FROM unnest($3::TEXT [], $4::BIGINT []) WITH ORDINALITY AS slot (executor, free, place)
    WHERE (SELECT is_member FROM present)
),
-- The priorities of each line, one look-up each: however many future jobs one holds, it is stepped over.
level (place, executor, priority) AS (
    SELECT slot.place, slot.executor, first.priority
    FROM slot
    CROSS JOIN LATERAL (
        SELECT job.priority FROM {schema}.jobs AS job
        WHERE job.executor = slot.executor AND job.status IN ('scheduled', 'retryable')
        ORDER BY job.priority, job.scheduled_at, job.id
        LIMIT 1
    ) AS first
    UNION ALL
    SELECT level.place, level.executor, next.priority
    FROM level
    CROSS JOIN LATERAL (
        SELECT job.priority FROM {schema}.jobs AS job
        WHERE job.executor = level.executor AND job.status IN ('scheduled', 'retryable')
            AND job.priority > level.priority
        ORDER BY job.priority, job.scheduled_at, job.id
        LIMIT 1
    ) AS next
),
-- MATERIALIZED: else it may run twice and claim more than there are slots. The limit outside stops the walk through the
-- priorities, so that no row is locked that is not claimed.
due AS MATERIALIZED (
    SELECT slot.place, job.tid
    FROM slot
    CROSS JOIN LATERAL (
        SELECT job.tid
        FROM (SELECT level.priority FROM level WHERE level.place = slot.place ORDER BY level.priority) AS line
        CROSS JOIN LATERAL (
            SELECT job.ctid AS tid FROM {schema}.jobs AS job
            WHERE job.executor = slot.executor AND job.priority = line.priority
                AND job.status IN ('scheduled', 'retryable')
                AND job.scheduled_at <= (SELECT now FROM present)
            ORDER BY job.scheduled_at, job.id
            LIMIT slot.free
            FOR UPDATE SKIP LOCKED
        ) AS job
        LIMIT slot.free
    ) AS job
),
claimed AS (
    -- The sums stop at the largest value, so that one broken row does not keep the others from being claimed.
    UPDATE {schema}.jobs
    SET
        status = 'executing',
        attempt = least(attempt, 65534) + 1,
        lease = least(lease, 9223372036854775806) + 1,
        node = $2,
        attempted_at = (SELECT now FROM present)
    WHERE ctid = ANY (ARRAY(SELECT tid FROM due))
    RETURNING
        id, executor, status, data, metadata, attempt, max_attempts, priority, tags, errors, lease, node, cancel_reason,
        unique_key, inserted_at, scheduled_at, attempted_at, completed_at, cancelled_at, discarded_at,
        ctid::TEXT AS place
),
-- When the next job of those is due whose slots were not all filled.
next AS MATERIALIZED (
    SELECT min(job.scheduled_at) AS due_at
    FROM slot
    INNER JOIN level ON level.place = slot.place
    CROSS JOIN LATERAL (
        SELECT job.scheduled_at FROM {schema}.jobs AS job
        WHERE job.executor = level.executor AND job.priority = level.priority
            AND job.status IN ('scheduled', 'retryable')
            AND job.scheduled_at > (SELECT now FROM present)
        ORDER BY job.scheduled_at
        LIMIT 1
    ) AS job
    WHERE (SELECT count(*) FROM due WHERE due.place = slot.place) < slot.free
)
SELECT
    claimed.id, claimed.executor, claimed.status, claimed.data, claimed.metadata, claimed.attempt, claimed.max_attempts,
    claimed.priority, claimed.tags, claimed.errors, claimed.lease, claimed.node, claimed.cancel_reason,
    claimed.unique_key, claimed.inserted_at, claimed.scheduled_at, claimed.attempted_at, claimed.completed_at,
    claimed.cancelled_at, claimed.discarded_at, claimed.place, present.now, present.is_member, next.due_at
FROM present
CROSS JOIN next
LEFT JOIN claimed ON TRUE
