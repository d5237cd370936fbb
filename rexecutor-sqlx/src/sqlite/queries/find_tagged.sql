-- Of the first ?4 due jobs of the executor ?1 at ?2 those that have one of the tags ?3, a JSON array, the tag, and when they were due.
SELECT id, tag, scheduled_at
FROM (
    SELECT
        id, scheduled_at,
        (
            SELECT tag.value FROM json_each(CASE WHEN json_valid(head.tags) THEN head.tags ELSE '[]' END) AS tag
            WHERE tag.value IN (SELECT value FROM json_each(?3))
            LIMIT 1
        ) AS tag
    FROM (
        SELECT id, scheduled_at, tags FROM rexecutor_jobs INDEXED BY rexecutor_jobs_ready
        WHERE executor = ?1 AND {pending} AND scheduled_at <= ?2
        ORDER BY priority, scheduled_at, id
        LIMIT 0 + ?4
    ) AS head
)
WHERE tag IS NOT NULL
