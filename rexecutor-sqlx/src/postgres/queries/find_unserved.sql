-- $1 the test clock's time, $2 the node, $3 the executors that it runs. Stores those, and gives the executors that have
-- waiting jobs and that no living node runs. Nothing while a living node has not said what it runs, or if this node is no
-- member. One look-up an executor: the index begins with its name.
WITH RECURSIVE told AS (
    UPDATE {schema}.nodes SET executors = $3 WHERE id = $2 AND executors IS DISTINCT FROM $3
),
-- What was there before this statement, but for this node.
alive AS MATERIALIZED (
    SELECT id, CASE id WHEN $2 THEN $3::TEXT [] ELSE executors END AS executors
    FROM {schema}.nodes
    WHERE seen_at + timeout >= coalesce($1::TIMESTAMPTZ, clock_timestamp())
),
name (place, executor) AS (
    SELECT
        1,
        (
            SELECT job.executor FROM {schema}.jobs AS job
            WHERE job.{pending}
            ORDER BY job.executor, job.priority, job.scheduled_at, job.id
            LIMIT 1
        )
    UNION ALL
    SELECT
        name.place + 1,
        (
            SELECT job.executor FROM {schema}.jobs AS job
            WHERE job.executor > name.executor AND job.{pending}
            ORDER BY job.executor, job.priority, job.scheduled_at, job.id
            LIMIT 1
        )
    FROM name
    WHERE name.executor IS NOT NULL AND name.place < 1000
)
SELECT
    name.executor,
    (
        SELECT count(*)
        FROM (
            SELECT FROM {schema}.jobs AS job
            WHERE job.executor = name.executor AND job.{pending}
            LIMIT 1000
        ) AS waiting
    ) AS jobs
FROM name
WHERE name.executor IS NOT NULL
    AND EXISTS (SELECT FROM alive WHERE alive.id = $2)
    AND NOT EXISTS (SELECT FROM alive WHERE alive.executors IS NULL)
    AND NOT EXISTS (SELECT FROM alive WHERE name.executor = ANY (alive.executors))
LIMIT 100
