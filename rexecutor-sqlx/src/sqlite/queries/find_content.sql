-- What a unique job may take the place of.
SELECT
    status, max_attempts, priority, scheduled_at, inserted_at, tags, data, metadata, group_key,
    CASE WHEN json_valid(extras) THEN CAST(extras ->> 'weight' AS INTEGER) END AS weight
FROM rexecutor_jobs
WHERE id = ?1
