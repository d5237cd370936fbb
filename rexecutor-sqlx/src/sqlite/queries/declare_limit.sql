-- What a node says of an executor, if it is a member: how many of its jobs may run at once, how many nanoseconds one token of its
-- rate takes, how many there may be, how many jobs of one key may run at once, whether they run one after another,
-- which limits it shares, how many nanoseconds one token of a key takes, how many a key may have, whether jobs cost what they weigh, and in
-- how many microseconds one rises by a priority.
INSERT INTO rexecutor_declared_limits (
    executor, node, max_running, rate_interval, rate_burst, max_per_key, is_ordered, shared, key_rate_interval, key_rate_burst, weighs,
    aging
)
SELECT ?2, id, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12 FROM rexecutor_nodes WHERE id = ?1
ON CONFLICT (executor, node) DO UPDATE
SET
    max_running = excluded.max_running, rate_interval = excluded.rate_interval, rate_burst = excluded.rate_burst,
    max_per_key = excluded.max_per_key, is_ordered = excluded.is_ordered, shared = excluded.shared,
    key_rate_interval = excluded.key_rate_interval, key_rate_burst = excluded.key_rate_burst, weighs = excluded.weighs, aging = excluded.aging
