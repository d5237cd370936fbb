-- $1 its number, $2 the executors that it listens for, $3 for how long it counts as one from now on, $4 up to which event it has read. No
-- row: it has not counted as one since a while ago.
UPDATE {schema}.listeners
SET until_at = clock_timestamp() + $3::INTERVAL, executors = $2::TEXT [], seen = $4::BIGINT
WHERE id = $1 AND until_at > clock_timestamp()
RETURNING id
