-- $1 the test clock's time, $2 the node, $3 executors, $4 how many jobs to claim of each. Gives one row at least: `id` is
-- NULL where nothing was claimed, `is_outdated` where the node is no member.
WITH RECURSIVE present AS MATERIALIZED (
    SELECT
        coalesce($1::TIMESTAMPTZ, clock_timestamp()) AS now,
        (SELECT is_outdated FROM {schema}.nodes WHERE id = $2) AS is_outdated
),
demand AS MATERIALIZED (
    SELECT executor, max_jobs, place
    FROM unnest($3::TEXT [], $4::BIGINT []) WITH ORDINALITY AS demand (executor, max_jobs, place)
    WHERE (SELECT NOT is_outdated FROM present)
),
-- The priorities of each line, one look-up each: however many future jobs one holds, it is stepped over.
level (place, executor, priority) AS (
    SELECT demand.place, demand.executor, first.priority
    FROM demand
    CROSS JOIN LATERAL (
        SELECT job.priority FROM {schema}.jobs AS job
        WHERE job.executor = demand.executor AND job.{pending}
        ORDER BY job.priority, job.scheduled_at, job.id
        LIMIT 1
    ) AS first
    UNION ALL
    SELECT level.place, level.executor, next.priority
    FROM level
    CROSS JOIN LATERAL (
        SELECT job.priority FROM {schema}.jobs AS job
        WHERE job.executor = level.executor AND job.{pending}
            AND job.priority > level.priority
        ORDER BY job.priority, job.scheduled_at, job.id
        LIMIT 1
    ) AS next
),
-- MATERIALIZED: else it may run twice and claim more than was asked for. The limit outside stops the walk through the
-- priorities, so that no row is locked that is not claimed.
due AS MATERIALIZED (
    SELECT demand.place, job.tid
    FROM demand
    CROSS JOIN LATERAL (
        SELECT job.tid
        FROM (SELECT level.priority FROM level WHERE level.place = demand.place ORDER BY level.priority) AS line
        CROSS JOIN LATERAL (
            SELECT job.ctid AS tid FROM {schema}.jobs AS job
            WHERE job.executor = demand.executor AND job.priority = line.priority
                AND job.{pending}
                AND job.scheduled_at <= (SELECT now FROM present)
            ORDER BY job.scheduled_at, job.id
            LIMIT demand.max_jobs
            FOR UPDATE SKIP LOCKED
        ) AS job
        LIMIT demand.max_jobs
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
    -- A large job fails the statement, and claim_large_jobs is asked instead.
    RETURNING
        {claimed},
        CASE
            WHEN octet_length(data) + coalesce(octet_length(metadata), 0) > {large}
                THEN ('rexecutor claims large jobs by their bytes, as job ' || id)::INTEGER::TEXT
            ELSE ctid::TEXT
        END AS location
),
-- When the next job of those is due of which fewer than asked for were claimed.
next AS MATERIALIZED (
    SELECT min(job.scheduled_at) AS due_at
    FROM demand
    INNER JOIN level ON level.place = demand.place
    CROSS JOIN LATERAL (
        SELECT job.scheduled_at FROM {schema}.jobs AS job
        WHERE job.executor = level.executor AND job.priority = level.priority
            AND job.{pending}
            AND job.scheduled_at > (SELECT now FROM present)
        ORDER BY job.scheduled_at
        LIMIT 1
    ) AS job
    WHERE (SELECT count(*) FROM due WHERE due.place = demand.place) < demand.max_jobs
)
SELECT claimed.*, present.now, present.is_outdated, next.due_at
FROM present
CROSS JOIN next
LEFT JOIN claimed ON TRUE
