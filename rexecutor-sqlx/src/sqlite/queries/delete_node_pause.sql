-- Whether the pause still held at ?2.
DELETE FROM rexecutor_node_pauses
WHERE label = ?1
RETURNING paused_until IS NULL OR paused_until > ?2 AS held
