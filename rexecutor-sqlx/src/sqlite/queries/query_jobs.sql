-- {filter} is what `filter.rs` writes.
SELECT
    id, executor, status, priority, scheduled_at, attempt, max_attempts, lease, node, inserted_at, attempted_at,
    completed_at, cancelled_at, discarded_at, cancel_reason, unique_key, tags, metadata, data
FROM rexecutor_jobs
WHERE id > ? AND ({filter})
ORDER BY id
LIMIT 0 + ?
