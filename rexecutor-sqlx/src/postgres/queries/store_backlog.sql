-- What a count, or a batch that is smaller than others, leaves: $1 the test clock's time, $2 the executor, $3 how many may wait, $4
-- the places, $5 whether it was counted now.
UPDATE {schema}.backlogs
SET
    room = $4,
    max_pending = $3,
    counted_at = CASE WHEN $5 THEN coalesce($1::TIMESTAMPTZ, clock_timestamp()) ELSE counted_at END
WHERE executor = $2
