-- Whether the pause still held at ?2.
DELETE FROM rexecutor_controls
WHERE executor = ?1
RETURNING paused_until IS NULL OR paused_until > ?2 AS held
