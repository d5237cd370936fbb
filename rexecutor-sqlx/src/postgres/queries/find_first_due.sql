-- $1 the test clock's time. When the first waiting job of each of these executors, $2, is due, or was; those that have none
-- are left out. The priorities are stepped over as in claim_jobs.
WITH RECURSIVE level (executor, priority) AS (
    SELECT asked.executor, first.priority
    FROM unnest($2::TEXT []) AS asked (executor)
    CROSS JOIN LATERAL (
        SELECT job.priority FROM {schema}.jobs AS job
        WHERE job.executor = asked.executor AND job.{pending}
        ORDER BY job.priority, job.scheduled_at, job.id
        LIMIT 1
    ) AS first
    UNION ALL
    SELECT level.executor, next.priority
    FROM level
    CROSS JOIN LATERAL (
        SELECT job.priority FROM {schema}.jobs AS job
        WHERE job.executor = level.executor AND job.{pending}
            AND job.priority > level.priority
        ORDER BY job.priority, job.scheduled_at, job.id
        LIMIT 1
    ) AS next
),
first AS (
    SELECT level.executor, min(job.scheduled_at) AS due_at
    FROM level
    CROSS JOIN LATERAL (
        SELECT job.scheduled_at FROM {schema}.jobs AS job
        WHERE job.executor = level.executor AND job.priority = level.priority AND job.{pending}
        ORDER BY job.scheduled_at
        LIMIT 1
    ) AS job
    GROUP BY level.executor
)
SELECT first.executor, first.due_at, first.due_at <= present.now AS is_due, present.now
FROM first
CROSS JOIN (SELECT (SELECT coalesce($1::TIMESTAMPTZ, clock_timestamp())) AS now) AS present
