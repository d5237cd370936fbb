-- The members, as people are shown them.
SELECT
    node.id, node.label, node.about, node.joined_at, node.seen_at, node.timeout, node.executors, pause.paused_at,
    pause.paused_until, pause.paused_by, pause.pause_reason
FROM {schema}.nodes AS node
LEFT JOIN {schema}.node_pauses AS pause ON pause.label = node.label
ORDER BY node.id
