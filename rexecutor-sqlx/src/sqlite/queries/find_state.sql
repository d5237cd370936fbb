-- ?1: a job. Without its data, which no transition that reads this row changes.
SELECT
    id, executor, status, attempt, max_attempts, priority, lease, node, cancel_reason, unique_key, inserted_at,
    scheduled_at, attempted_at, completed_at, cancelled_at, discarded_at, '[]' AS tags, NULL AS metadata, '' AS data
FROM rexecutor_jobs
WHERE id = ?1
