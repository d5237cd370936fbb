-- Rows of the executor ?1 that say nothing any more at ?2, in nanoseconds since 1970.
DELETE FROM rexecutor_key_buckets
WHERE executor = ?1 AND key IN (
    SELECT key FROM rexecutor_key_buckets INDEXED BY rexecutor_key_buckets_idle
    WHERE executor = ?1 AND max(full_at, coalesce(held_until, 0)) < ?2
    ORDER BY max(full_at, coalesce(held_until, 0))
    LIMIT 100
)
