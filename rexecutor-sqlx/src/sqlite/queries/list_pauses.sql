-- What is paused, or was until its end: first the whole cluster, whose row has no name, then executors, then nodes by their label, then
-- tags.
SELECT executor, NULL AS label, NULL AS tag, paused_at, paused_until, paused_by, pause_reason FROM rexecutor_controls
UNION ALL
SELECT '', label, NULL, paused_at, paused_until, paused_by, pause_reason FROM rexecutor_node_pauses
UNION ALL
SELECT '', NULL, tag, paused_at, paused_until, paused_by, pause_reason FROM rexecutor_tag_pauses WHERE NOT is_over
ORDER BY tag NULLS FIRST, label NULLS FIRST, executor
