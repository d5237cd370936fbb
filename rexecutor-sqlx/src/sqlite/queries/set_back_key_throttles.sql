-- As set_back_throttles, for keys that are held back.
UPDATE rexecutor_key_buckets
SET held_until = ?1 * 1000 + max(held_until - ?2 * 1000, 0)
WHERE held_until > ?1 * 1000
RETURNING executor
