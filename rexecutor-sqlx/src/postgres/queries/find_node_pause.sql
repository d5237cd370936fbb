-- How the nodes with the label of $1 are paused, or were until its end.
SELECT pause.paused_at, pause.paused_until, pause.paused_by, pause.pause_reason
FROM {schema}.nodes AS node
INNER JOIN {schema}.node_pauses AS pause ON pause.label = node.label
WHERE node.id = $1
