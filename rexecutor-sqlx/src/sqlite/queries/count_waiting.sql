-- Of each executor that has waiting jobs, how many are scheduled and how many retryable, of the first `cap`: its share of ?1, and 500 at
-- least. One look-up for each executor.
WITH RECURSIVE name (executor, step) AS (
    SELECT (SELECT min(executor) FROM rexecutor_jobs WHERE {pending}), 1
    UNION ALL
    SELECT (SELECT min(executor) FROM rexecutor_jobs WHERE {pending} AND executor > name.executor), step + 1
    FROM name
    WHERE executor IS NOT NULL AND step < 2000
),
share (cap) AS MATERIALIZED (SELECT max(500, ?1 / max(1, count(executor))) FROM name)
SELECT
    executor,
    (
        SELECT json_array(coalesce(sum(status = 'scheduled'), 0), coalesce(sum(status = 'retryable'), 0))
        FROM (
            SELECT status FROM rexecutor_jobs INDEXED BY rexecutor_jobs_ready
            WHERE executor = name.executor AND {pending}
            LIMIT (SELECT cap FROM share)
        )
    ) AS counts,
    (SELECT cap FROM share) AS cap
FROM name
WHERE executor IS NOT NULL
