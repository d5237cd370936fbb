-- Takes a batch of places, if the last count has left as many: $1 the test clock's time, $2 the executor, $3 how many may wait, $4
-- how many places.
UPDATE {schema}.backlogs
SET room = room - $4
WHERE executor = $2 AND max_pending = $3 AND room >= $4
    AND counted_at <= coalesce($1::TIMESTAMPTZ, clock_timestamp())
    AND counted_at > coalesce($1::TIMESTAMPTZ, clock_timestamp()) - INTERVAL '10 seconds'
