-- What is paused, or was until its end; the whole cluster, whose row has no name, comes first.
SELECT
    executor, paused_at, paused_until, paused_by, pause_reason,
    (SELECT coalesce($1::TIMESTAMPTZ, clock_timestamp())) AS now
FROM {schema}.controls
ORDER BY executor
