-- What is to be kept to about these executors, the JSON array ?3, and about the whole cluster, whose row has no name: how they
-- are paused, how many of their jobs may run at once, and how many do, how many of one key may, whether these
-- run one after another, and how fast they may start. What runs is little: it
-- is counted by reading it.
WITH named (executor, max_running, max_per_key, is_ordered, rate_interval, rate_burst) AS (
    SELECT
        value,
        (SELECT min(max_running) FROM rexecutor_declared_limits WHERE executor = value),
        (SELECT min(max_per_key) FROM rexecutor_declared_limits WHERE executor = value),
        (SELECT max(is_ordered) FROM rexecutor_declared_limits WHERE executor = value),
        (SELECT max(rate_interval) FROM rexecutor_declared_limits WHERE executor = value),
        (SELECT min(rate_burst) FROM rexecutor_declared_limits WHERE executor = value)
    FROM (SELECT '' AS value UNION ALL SELECT value FROM json_each(?3))
)
SELECT
    named.executor, paused_at, paused_until, paused_by, pause_reason, max_running,
    CASE
        WHEN max_running IS NOT NULL THEN (
            SELECT count(*) FROM rexecutor_jobs INDEXED BY rexecutor_jobs_executing
            WHERE status = 'executing' AND executor = named.executor
        )
    END AS running,
    max_per_key, coalesce(is_ordered, 0) AS is_ordered, rate_interval, rate_burst, full_at, throttled_until
FROM named
LEFT JOIN rexecutor_controls AS control ON control.executor = named.executor
LEFT JOIN rexecutor_limits AS kept ON kept.executor = named.executor
