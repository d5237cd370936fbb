-- What a node says of an executor, if it is a member: how many of its jobs may run at once, how many nanoseconds one token of its
-- rate takes, and how many there may be.
INSERT INTO rexecutor_declared_limits (executor, node, max_running, rate_interval, rate_burst)
SELECT ?2, id, ?3, ?4, ?5 FROM rexecutor_nodes WHERE id = ?1
ON CONFLICT (executor, node) DO UPDATE
SET
    max_running = excluded.max_running, rate_interval = excluded.rate_interval, rate_burst = excluded.rate_burst
