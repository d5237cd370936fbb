-- How the nodes with the label of ?1 are paused, or were until its end.
SELECT '' AS executor, label, paused_at, paused_until, paused_by, pause_reason
FROM rexecutor_node_pauses
WHERE label = (SELECT label FROM rexecutor_nodes WHERE id = ?1)
