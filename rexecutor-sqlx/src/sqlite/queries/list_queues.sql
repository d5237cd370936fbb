-- ?1 the present. Of each executor that has waiting jobs: how many wait, and how many of these are due, of the first `cap`, ?2 at
-- most; and when the first of all is due, or was. One look-up for each executor and priority.
WITH RECURSIVE level (executor, priority, due_at, step) AS (
    SELECT executor, priority, scheduled_at, 1
    FROM (
        SELECT executor, priority, scheduled_at FROM rexecutor_jobs INDEXED BY rexecutor_jobs_ready
        WHERE {pending}
        ORDER BY executor, priority, scheduled_at
        LIMIT 1
    )
    UNION ALL
    SELECT job.executor, job.priority, job.scheduled_at, step + 1
    FROM level
    CROSS JOIN rexecutor_jobs AS job ON job.id = coalesce(
        (
            SELECT id FROM rexecutor_jobs INDEXED BY rexecutor_jobs_ready
            WHERE executor = level.executor AND priority > level.priority AND {pending}
            ORDER BY priority, scheduled_at
            LIMIT 1
        ),
        (
            SELECT id FROM rexecutor_jobs INDEXED BY rexecutor_jobs_ready
            WHERE executor > level.executor AND {pending}
            ORDER BY executor, priority, scheduled_at
            LIMIT 1
        )
    )
    WHERE step < 2000
),
queue (executor, first_due_at) AS MATERIALIZED (SELECT executor, min(due_at) FROM level GROUP BY executor),
share (cap) AS MATERIALIZED (SELECT min(?2, max(1000, 20 * ?2 / max(1, count(*)))) FROM queue)
SELECT
    executor,
    first_due_at,
    (
        SELECT json_array(count(*), coalesce(sum(scheduled_at <= ?1), 0))
        FROM (
            SELECT scheduled_at FROM rexecutor_jobs INDEXED BY rexecutor_jobs_ready
            WHERE executor = queue.executor AND {pending}
            LIMIT (SELECT cap FROM share)
        )
    ) AS counts,
    (SELECT cap FROM share) AS cap
FROM queue
