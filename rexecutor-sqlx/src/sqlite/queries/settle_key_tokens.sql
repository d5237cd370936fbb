-- Buckets of the keys of the executor ?1 that are emptier than empty, as after the rate has become faster, are filled from now on: ?2 is
-- when one that is empty is full again, in nanoseconds since 1970.
UPDATE rexecutor_key_buckets
SET full_at = ?2
WHERE executor = ?1 AND max(full_at, coalesce(held_until, 0)) > ?2 AND full_at > ?2
