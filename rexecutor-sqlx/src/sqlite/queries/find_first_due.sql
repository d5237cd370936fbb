-- As find_due.sql, of the first priority that an executor has jobs of.
SELECT
    json_group_array(json_array(
        id, priority, scheduled_at, attempt, max_attempts, lease, inserted_at, completed_at, cancelled_at, discarded_at,
        cancel_reason, CASE WHEN unique_key IS NOT NULL THEN hex(unique_key) END, tags, metadata, data
    ))
FROM (
    SELECT * FROM rexecutor_jobs
    WHERE executor = ?
        AND priority = (
            SELECT min(priority) FROM rexecutor_jobs WHERE executor = ? AND status IN ('scheduled', 'retryable')
        )
        AND status IN ('scheduled', 'retryable') AND scheduled_at <= ?
    ORDER BY scheduled_at, id
    LIMIT 0 + ?
)
