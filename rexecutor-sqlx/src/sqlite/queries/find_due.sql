-- The next due jobs of one priority in one value: as rows, each of their columns would be handed over by itself. What is
-- the same for all of them is left out.
--
-- `0 + ?`, here and elsewhere: the planner looks at a limit that is a mere parameter, and SQLite then prepares the
-- statement anew whenever it is bound.
SELECT
    json_group_array(json_array(
        id, priority, scheduled_at, attempt, max_attempts, lease, inserted_at, completed_at, cancelled_at, discarded_at,
        cancel_reason, CASE WHEN unique_key IS NOT NULL THEN hex(unique_key) END, tags, metadata, data
    ))
FROM (
    SELECT * FROM rexecutor_jobs
    WHERE executor = ? AND priority = ? AND status IN ('scheduled', 'retryable') AND scheduled_at <= ?
    ORDER BY scheduled_at, id
    LIMIT 0 + ?
)
