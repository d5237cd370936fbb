SELECT
    id, executor, status, data, metadata, attempt, max_attempts, priority, tags, errors, lease, node, cancel_reason,
    unique_key, inserted_at, scheduled_at, attempted_at, completed_at, cancelled_at, discarded_at
FROM {schema}.jobs
WHERE id > 
