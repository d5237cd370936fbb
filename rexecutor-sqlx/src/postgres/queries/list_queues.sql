-- $1 the test clock's time. Of each executor that has waiting jobs: how many wait, and how many of these are due, of the first `cap`, $2 at
-- most; and when the first of all is due, or was. One look-up for each executor and priority.
WITH RECURSIVE level (executor, priority, due_at, step) AS (
    (
        SELECT job.executor, job.priority, job.scheduled_at, 1 FROM {schema}.jobs AS job
        WHERE job.{pending}
        ORDER BY job.executor, job.priority, job.scheduled_at, job.id
        LIMIT 1
    )
    UNION ALL
    SELECT next.executor, next.priority, next.scheduled_at, level.step + 1
    FROM level
    CROSS JOIN LATERAL (
        SELECT job.executor, job.priority, job.scheduled_at FROM {schema}.jobs AS job
        WHERE job.{pending} AND (job.executor, job.priority) > (level.executor, level.priority)
        ORDER BY job.executor, job.priority, job.scheduled_at, job.id
        LIMIT 1
    ) AS next
    WHERE level.step < 2000
),
queue AS MATERIALIZED (SELECT level.executor, min(level.due_at) AS first_due_at FROM level GROUP BY level.executor),
share AS MATERIALIZED (SELECT least($2::BIGINT, greatest(1000, 20 * $2::BIGINT / greatest(count(*), 1))) AS cap FROM queue),
present AS MATERIALIZED (SELECT coalesce($1::TIMESTAMPTZ, clock_timestamp()) AS now)
SELECT queue.executor, queue.first_due_at, waiting.jobs, waiting.due, (SELECT cap FROM share) AS cap
FROM queue
CROSS JOIN LATERAL (
    SELECT count(*) AS jobs, count(*) FILTER (WHERE job.scheduled_at <= (SELECT now FROM present)) AS due
    FROM (
        SELECT job.scheduled_at FROM {schema}.jobs AS job
        WHERE job.executor = queue.executor AND job.{pending}
        LIMIT (SELECT cap FROM share)
    ) AS job
) AS waiting
