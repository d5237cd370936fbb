-- Nothing of these executors, $1 in ascending order, is to be claimed before $2; the longest time holds.
INSERT INTO {schema}.limits AS kept (executor, throttled_until)
SELECT executor, throttled_until FROM unnest($1::TEXT [], $2::TIMESTAMPTZ []) AS new (executor, throttled_until)
ON CONFLICT (executor) DO UPDATE
SET throttled_until = greatest(kept.throttled_until, excluded.throttled_until)
