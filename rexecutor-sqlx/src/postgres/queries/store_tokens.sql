-- How the buckets of these executors, $1, are after a claim: $2 when they are full again.
UPDATE {schema}.limits AS kept
SET full_at = new.full_at
FROM unnest($1::TEXT [], $2::BIGINT []) AS new (executor, full_at)
WHERE kept.executor = new.executor
