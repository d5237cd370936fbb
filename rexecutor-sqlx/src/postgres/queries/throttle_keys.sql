-- Nothing of these executors, $1, and keys, $2, in ascending order, is to be claimed before $3, in nanoseconds since 1970; the longest
-- time holds.
INSERT INTO {schema}.key_buckets AS kept (executor, key, held_until)
SELECT executor, key, held_until FROM unnest($1::TEXT [], $2::TEXT [], $3::BIGINT []) AS new (executor, key, held_until)
ON CONFLICT (executor, key) DO UPDATE SET held_until = greatest(kept.held_until, excluded.held_until)
