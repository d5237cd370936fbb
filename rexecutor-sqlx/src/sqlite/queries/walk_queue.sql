-- Due jobs of the executor ?1 at ?2, in the order in which they start, as one JSON array: ?3 of them, of no more than ?4 priorities. Each
-- costs as many tokens as it weighs, and rises by one priority in ?5 microseconds of waiting, if that is not NULL.
WITH RECURSIVE level (priority, step) AS (
    SELECT (SELECT min(priority) FROM rexecutor_jobs WHERE executor = ?1 AND {pending}), 1
    UNION ALL
    SELECT
        (SELECT min(priority) FROM rexecutor_jobs WHERE executor = ?1 AND {pending} AND priority > level.priority),
        step + 1
    FROM level
    WHERE priority IS NOT NULL AND step < ?4
)
SELECT json_group_array(json_array(id, key, bytes, weight))
FROM (
    SELECT
        job.id, job.group_key AS key, octet_length(job.data) + coalesce(octet_length(job.metadata), 0) AS bytes, {weight} AS weight
    FROM level
    CROSS JOIN rexecutor_jobs AS job ON job.id IN (
        SELECT id FROM rexecutor_jobs INDEXED BY rexecutor_jobs_ready
        WHERE executor = ?1 AND priority = level.priority AND {pending} AND scheduled_at <= ?2
        ORDER BY scheduled_at, id
        LIMIT 0 + ?3
    )
    ORDER BY CASE WHEN ?5 IS NULL THEN job.priority END, job.scheduled_at + job.priority * coalesce(?5, 0), job.id
    LIMIT 0 + ?3
)
