-- What is paused, or was until its end: first the whole cluster, whose row has no name, then executors, then nodes by their label.
WITH pause AS (
    SELECT executor, NULL::TEXT AS label, paused_at, paused_until, paused_by, pause_reason FROM {schema}.controls
    UNION ALL
    SELECT '', label, paused_at, paused_until, paused_by, pause_reason FROM {schema}.node_pauses
)
SELECT
    executor, label, paused_at, paused_until, paused_by, pause_reason,
    (SELECT coalesce($1::TIMESTAMPTZ, clock_timestamp())) AS now
FROM pause
ORDER BY label COLLATE "C" NULLS FIRST, executor COLLATE "C"
