-- What is to be kept to about these executors, and about the whole cluster, whose row has no name.
SELECT
    executor, paused_at, paused_until, paused_by, pause_reason,
    (SELECT coalesce($1::TIMESTAMPTZ, clock_timestamp())) AS now
FROM {schema}.controls
WHERE $2::TEXT [] IS NULL OR executor = '' OR executor = ANY ($2)
ORDER BY executor
