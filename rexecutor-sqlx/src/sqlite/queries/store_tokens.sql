-- How the bucket of an executor is after a claim.
INSERT INTO rexecutor_limits (executor, full_at) VALUES (?1, ?2)
ON CONFLICT (executor) DO UPDATE SET full_at = excluded.full_at
