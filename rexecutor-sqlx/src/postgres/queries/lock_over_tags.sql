-- $1 the test clock's time. The tags whose pauses are over, and that nobody else takes jobs back for at present.
SELECT tag FROM {schema}.tag_pauses
WHERE is_over OR paused_until <= (SELECT coalesce($1::TIMESTAMPTZ, clock_timestamp()))
ORDER BY tag
FOR UPDATE SKIP LOCKED
