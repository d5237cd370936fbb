-- ?1 the label of the nodes.
INSERT INTO rexecutor_node_pauses (label, paused_at, paused_until, paused_by, pause_reason)
VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (label) DO UPDATE
SET
    paused_at = excluded.paused_at, paused_until = excluded.paused_until, paused_by = excluded.paused_by,
    pause_reason = excluded.pause_reason
