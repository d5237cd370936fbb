-- The next ?3 waiting jobs of each executor and priority that are due after ?1, or then and have a higher number than ?2. ?4: a JSON array
-- of executors; NULL: all. One look-up for each executor and priority.
WITH RECURSIVE level (executor, priority, step) AS (
    SELECT executor, priority, 1
    FROM (
        SELECT executor, priority FROM rexecutor_jobs INDEXED BY rexecutor_jobs_ready
        WHERE {pending}
        ORDER BY executor, priority
        LIMIT 1
    )
    UNION ALL
    SELECT job.executor, job.priority, step + 1
    FROM level
    CROSS JOIN rexecutor_jobs AS job ON job.id = coalesce(
        (
            SELECT id FROM rexecutor_jobs INDEXED BY rexecutor_jobs_ready
            WHERE executor = level.executor AND priority > level.priority AND {pending}
            ORDER BY priority
            LIMIT 1
        ),
        (
            SELECT id FROM rexecutor_jobs INDEXED BY rexecutor_jobs_ready
            WHERE executor > level.executor AND {pending}
            ORDER BY executor, priority
            LIMIT 1
        )
    )
    WHERE step < 2000
)
SELECT level.step, job.id, job.scheduled_at AS at
FROM level
CROSS JOIN rexecutor_jobs AS job ON job.id IN (
    SELECT id FROM rexecutor_jobs INDEXED BY rexecutor_jobs_ready
    WHERE executor = level.executor AND priority = level.priority AND {pending}
        AND scheduled_at >= ?1 AND (scheduled_at > ?1 OR id > ?2)
    ORDER BY scheduled_at, id
    LIMIT 0 + ?3
)
WHERE ?4 IS NULL OR level.executor IN (SELECT value FROM json_each(?4))
ORDER BY level.step, job.scheduled_at, job.id
