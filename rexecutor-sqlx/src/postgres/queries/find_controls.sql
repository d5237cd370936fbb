-- What is to be kept to about these executors.
SELECT
    executor, paused_at, paused_until, paused_by, pause_reason,
    (SELECT coalesce($1::TIMESTAMPTZ, clock_timestamp())) AS now
FROM {schema}.controls
WHERE $2::TEXT [] IS NULL OR executor = ANY ($2)
ORDER BY executor
