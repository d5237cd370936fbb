SELECT
    id, executor, status, priority, scheduled_at, attempt, max_attempts, lease, node, inserted_at, attempted_at,
    completed_at, cancelled_at, discarded_at, cancel_reason, unique_key, tags, metadata, data
FROM rexecutor_jobs
WHERE id IN (SELECT value FROM json_each(?1))
ORDER BY id
