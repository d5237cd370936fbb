-- As find_due.sql, of the first priority that an executor has jobs of. It fails at a heavy row: all that it finds is claimed
-- without another look.
SELECT
    json_group_array(json_array({light_columns}))
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
