-- For each executor of the JSON array ?2, its priorities in ascending order, and when the first job of each is due.
-- One look-up a priority, however many future jobs it holds: an ORDER BY over the index would step through them all.
WITH RECURSIVE slot (place, executor) AS (
    SELECT key, value FROM json_each(?2)
),
level (place, executor, priority) AS (
    SELECT
        place,
        executor,
        (
            SELECT min(priority) FROM rexecutor_jobs
            WHERE executor = slot.executor AND {pending}
        )
    FROM slot
    UNION ALL
    SELECT
        place,
        executor,
        (
            SELECT min(priority) FROM rexecutor_jobs
            WHERE executor = level.executor AND {pending} AND priority > level.priority
        )
    FROM level
    WHERE priority IS NOT NULL
)
SELECT
    place,
    priority,
    (
        SELECT min(scheduled_at) FROM rexecutor_jobs
        WHERE executor = level.executor AND {pending} AND priority = level.priority
    )
FROM level
WHERE priority IS NOT NULL
ORDER BY place, priority
