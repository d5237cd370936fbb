-- What is paused, or was until its end: first the whole cluster, whose row has no name, then executors, then nodes by their label.
SELECT executor, NULL AS label, paused_at, paused_until, paused_by, pause_reason FROM rexecutor_controls
UNION ALL
SELECT '', label, paused_at, paused_until, paused_by, pause_reason FROM rexecutor_node_pauses
ORDER BY label NULLS FIRST, executor
