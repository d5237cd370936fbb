-- Nothing of an executor is to be claimed before ?2; the longest time holds.
INSERT INTO rexecutor_limits (executor, throttled_until) VALUES (?1, ?2)
ON CONFLICT (executor) DO UPDATE
SET throttled_until = max(coalesce(throttled_until, 0), excluded.throttled_until)
