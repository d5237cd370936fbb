-- What is paused, or was until its end: first the whole cluster, whose row has no name, then executors, then nodes by their label, then
-- tags.
WITH pause AS (
    SELECT executor, NULL::TEXT AS label, NULL::TEXT AS tag, paused_at, paused_until, paused_by, pause_reason FROM {schema}.controls
    UNION ALL
    SELECT '', label, NULL, paused_at, paused_until, paused_by, pause_reason FROM {schema}.node_pauses
    UNION ALL
    SELECT '', NULL, tag, paused_at, paused_until, paused_by, pause_reason FROM {schema}.tag_pauses WHERE NOT is_over
)
SELECT
    executor, label, tag, paused_at, paused_until, paused_by, pause_reason,
    (SELECT coalesce($1::TIMESTAMPTZ, clock_timestamp())) AS now
FROM pause
ORDER BY tag COLLATE "C" NULLS FIRST, label COLLATE "C" NULLS FIRST, executor COLLATE "C"
