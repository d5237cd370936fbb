-- In the order of their numbers, so that two batches never wait for each other.
SELECT
    id, executor, status, data, metadata, attempt, max_attempts, priority, tags, errors, lease, node, cancel_reason,
    unique_key, inserted_at, scheduled_at, attempted_at, completed_at, cancelled_at, discarded_at,
    coalesce($1::TIMESTAMPTZ, clock_timestamp()) AS now
FROM {schema}.jobs
WHERE id = ANY ($2)
ORDER BY id
FOR UPDATE
