-- ?1: an array of jobs, ?2: now. One statement and one bound value, however many jobs.
INSERT INTO rexecutor_jobs (
    executor, status, attempt, max_attempts, priority, lease, unique_key,
    inserted_at, scheduled_at, tags, metadata, data
)
SELECT
    value ->> 'executor', 'scheduled', 0, value ->> 'max_attempts', value ->> 'priority', 0,
    unhex(value ->> 'unique_key'), ?2, value ->> 'scheduled_at', value ->> 'tags', value ->> 'metadata',
    value ->> 'data'
FROM json_each(?1)
ORDER BY key
RETURNING id
