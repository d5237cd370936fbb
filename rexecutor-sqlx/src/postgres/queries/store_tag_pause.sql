-- $1 the test clock's time, $2 the tag.
INSERT INTO {schema}.tag_pauses AS stored (tag, paused_at, paused_until, paused_by, pause_reason)
VALUES ($2, coalesce($1::TIMESTAMPTZ, clock_timestamp()), $3, $4, $5)
ON CONFLICT (tag) DO UPDATE
SET
    paused_at = excluded.paused_at, paused_until = excluded.paused_until, paused_by = excluded.paused_by,
    pause_reason = excluded.pause_reason, is_over = FALSE
