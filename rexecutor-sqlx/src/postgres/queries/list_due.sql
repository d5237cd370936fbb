-- The next $3 waiting jobs of each executor and priority that are due after $1, or then and have a higher number than $2. $4: executors;
-- NULL: all. One look-up for each executor and priority.
WITH RECURSIVE level (executor, priority, step) AS (
    (
        SELECT job.executor, job.priority, 1 FROM {schema}.jobs AS job
        WHERE job.{pending}
        ORDER BY job.executor, job.priority, job.scheduled_at, job.id
        LIMIT 1
    )
    UNION ALL
    SELECT next.executor, next.priority, level.step + 1
    FROM level
    CROSS JOIN LATERAL (
        SELECT job.executor, job.priority FROM {schema}.jobs AS job
        WHERE job.{pending} AND (job.executor, job.priority) > (level.executor, level.priority)
        ORDER BY job.executor, job.priority, job.scheduled_at, job.id
        LIMIT 1
    ) AS next
    WHERE level.step < 2000
)
SELECT level.step, job.id, job.scheduled_at AS at
FROM level
CROSS JOIN LATERAL (
    SELECT job.id, job.scheduled_at FROM {schema}.jobs AS job
    WHERE job.executor = level.executor AND job.priority = level.priority AND job.{pending}
        AND (job.scheduled_at, job.id) > ($1, $2::BIGINT)
    ORDER BY job.scheduled_at, job.id
    LIMIT $3
) AS job
WHERE $4::TEXT [] IS NULL OR level.executor = ANY ($4)
ORDER BY level.step, job.scheduled_at, job.id
