-- ?1 the present, ?2 the node. Executors that have waiting jobs and that no living node runs. Nothing while a living node has
-- not said what it runs, or if this node is no member. One look-up an executor: the index begins with its name.
WITH RECURSIVE alive (executors) AS MATERIALIZED (
    SELECT executors FROM rexecutor_nodes WHERE seen_at + timeout >= ?1
),
name (place, executor) AS (
    SELECT 1, (SELECT min(executor) FROM rexecutor_jobs WHERE {pending})
    UNION ALL
    SELECT
        place + 1,
        (SELECT min(executor) FROM rexecutor_jobs WHERE {pending} AND executor > name.executor)
    FROM name
    WHERE executor IS NOT NULL AND place < 1000
)
SELECT
    executor,
    (
        SELECT count(*)
        FROM (SELECT 1 FROM rexecutor_jobs WHERE executor = name.executor AND {pending} LIMIT 1000)
    ) AS jobs
FROM name
WHERE executor IS NOT NULL
    AND EXISTS (SELECT 1 FROM rexecutor_nodes WHERE id = ?2)
    AND NOT EXISTS (SELECT 1 FROM alive WHERE executors IS NULL)
    AND NOT EXISTS (SELECT 1 FROM alive, json_each(alive.executors) AS run WHERE run.value = name.executor)
LIMIT 100
