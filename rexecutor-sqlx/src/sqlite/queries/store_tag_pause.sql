-- ?1 the tag.
INSERT INTO rexecutor_tag_pauses (tag, paused_at, paused_until, paused_by, pause_reason)
VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (tag) DO UPDATE
SET
    paused_at = excluded.paused_at, paused_until = excluded.paused_until, paused_by = excluded.paused_by,
    pause_reason = excluded.pause_reason, is_over = 0
