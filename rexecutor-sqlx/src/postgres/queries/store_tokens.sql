-- How the buckets of these executors and shared limits, $1, are after a claim: $2 when they are full again, and $3 which executor was
-- served last; NULL leaves what is stored.
UPDATE {schema}.limits AS kept
SET full_at = coalesce(new.full_at, kept.full_at), served_key = coalesce(new.served, kept.served_key)
FROM unnest($1::TEXT [], $2::BIGINT [], $3::TEXT []) AS new (executor, full_at, served)
WHERE kept.executor = new.executor
