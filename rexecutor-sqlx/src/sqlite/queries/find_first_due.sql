-- As find_due.sql, of the first priority that an executor has jobs of.
SELECT
    json_group_array(json_array({due_columns}))
FROM (
    SELECT * FROM rexecutor_jobs
    WHERE executor = ?
        AND priority = (
            SELECT min(priority) FROM rexecutor_jobs WHERE executor = ? AND {pending}
        )
        AND {pending} AND scheduled_at <= ?
    ORDER BY scheduled_at, id
    LIMIT 0 + ?
)
