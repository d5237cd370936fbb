-- Of each executor that has waiting jobs, how many are scheduled and how many retryable, of the first `cap`: its share of $1, and 500 at
-- least. One look-up for each executor.
WITH RECURSIVE name (executor, step) AS (
    (
        SELECT job.executor, 1 FROM {schema}.jobs AS job
        WHERE job.{pending}
        ORDER BY job.executor, job.priority, job.scheduled_at, job.id
        LIMIT 1
    )
    UNION ALL
    SELECT next.executor, name.step + 1
    FROM name
    CROSS JOIN LATERAL (
        SELECT job.executor FROM {schema}.jobs AS job
        WHERE job.executor > name.executor AND job.{pending}
        ORDER BY job.executor, job.priority, job.scheduled_at, job.id
        LIMIT 1
    ) AS next
    WHERE name.step < 2000
),
share AS MATERIALIZED (SELECT greatest(500, $1::BIGINT / greatest(count(*), 1)) AS cap FROM name)
SELECT name.executor, waiting.scheduled, waiting.retryable, (SELECT cap FROM share) AS cap
FROM name
CROSS JOIN LATERAL (
    SELECT
        count(*) FILTER (WHERE job.status = 'scheduled') AS scheduled,
        count(*) FILTER (WHERE job.status = 'retryable') AS retryable
    FROM (
        SELECT job.status FROM {schema}.jobs AS job
        WHERE job.executor = name.executor AND job.{pending}
        LIMIT (SELECT cap FROM share)
    ) AS job
) AS waiting
