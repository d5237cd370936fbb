INSERT INTO rexecutor_breakers (executor, failures, opened_at, open_until, pause, reason)
VALUES (?1, ?2, ?3, ?4, ?5, ?6)
ON CONFLICT (executor) DO UPDATE
SET
    failures = excluded.failures, opened_at = excluded.opened_at, open_until = excluded.open_until, pause = excluded.pause,
    reason = excluded.reason
