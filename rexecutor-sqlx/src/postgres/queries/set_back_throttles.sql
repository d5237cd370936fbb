-- $1 the test clock's time, $2 what the clock was last known to show before it was set back: executors that are held back wait no longer for it.
WITH present AS MATERIALIZED (SELECT coalesce($1::TIMESTAMPTZ, clock_timestamp()) AS now)
UPDATE {schema}.limits AS kept
SET throttled_until = present.now + greatest(kept.throttled_until - $2, INTERVAL '0')
FROM present
WHERE kept.throttled_until > present.now
RETURNING kept.executor
