-- The members, as people are shown them.
SELECT
    id, node.label, about, joined_at, seen_at, timeout, executors, '' AS executor, paused_at, paused_until, paused_by,
    pause_reason
FROM rexecutor_nodes AS node
LEFT JOIN rexecutor_node_pauses AS pause ON pause.label = node.label
ORDER BY id
