-- $1 the test clock's time, $2 the label of the nodes.
INSERT INTO {schema}.node_pauses AS stored (label, paused_at, paused_until, paused_by, pause_reason)
VALUES ($2, coalesce($1::TIMESTAMPTZ, clock_timestamp()), $3, $4, $5)
ON CONFLICT (label) DO UPDATE
SET
    paused_at = excluded.paused_at, paused_until = excluded.paused_until, paused_by = excluded.paused_by,
    pause_reason = excluded.pause_reason
