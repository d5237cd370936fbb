-- $1 an executor whose keys have a rate, $2 keys in ascending order, and $3 when the bucket of each is full again; $4 the present, and $5
-- when a bucket that is empty now is full again, all of them in nanoseconds since 1970. Other rows of the executor that say nothing any
-- more are deleted, and those that are emptier than empty, as after the rate has become faster, are filled from now on.
WITH idle AS (
    DELETE FROM {schema}.key_buckets
    WHERE ctid = ANY (ARRAY(
        SELECT kept.ctid FROM {schema}.key_buckets AS kept
        WHERE kept.executor = $1 AND greatest(kept.full_at, coalesce(kept.held_until, 0)) < $4::BIGINT
            AND kept.key <> ALL ($2::TEXT [])
        ORDER BY greatest(kept.full_at, coalesce(kept.held_until, 0))
        LIMIT 100
        FOR UPDATE SKIP LOCKED
    ))
),
settled AS (
    UPDATE {schema}.key_buckets AS kept
    SET full_at = $5::BIGINT
    WHERE kept.executor = $1 AND greatest(kept.full_at, coalesce(kept.held_until, 0)) > $5::BIGINT AND kept.full_at > $5::BIGINT
        AND kept.key <> ALL ($2::TEXT [])
)
INSERT INTO {schema}.key_buckets AS kept (executor, key, full_at)
SELECT $1, new.key, new.full_at FROM unnest($2::TEXT [], $3::BIGINT []) AS new (key, full_at)
ON CONFLICT (executor, key) DO UPDATE SET full_at = excluded.full_at
