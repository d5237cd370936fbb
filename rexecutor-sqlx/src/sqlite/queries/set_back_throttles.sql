-- ?1 what the clock shows, ?2 what it was last known to show before it was set back: executors that are held back wait no longer for it.
UPDATE rexecutor_limits
SET throttled_until = ?1 + max(throttled_until - ?2, 0)
WHERE throttled_until > ?1
RETURNING executor
