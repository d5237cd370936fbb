-- What is to be kept to about these executors, the JSON array ?3, and about the whole cluster, whose row has no name: how they
-- are paused, how many of their jobs may run at once, and how many do, how many of one key may, and how fast they may start. What runs is little: it
-- is counted by reading it.
WITH named (executor, max_running, max_per_key, rate_interval, rate_burst) AS (
    SELECT
        value,
        -- What somebody has set holds, and else the strictest of what programs declare.
        coalesce(
            by_hand.max_running, (SELECT min(max_running) FROM rexecutor_declared_limits WHERE executor = value)
        ),
        coalesce(
            by_hand.max_per_key, (SELECT min(max_per_key) FROM rexecutor_declared_limits WHERE executor = value)
        ),
        coalesce(
            by_hand.rate_interval, (SELECT max(rate_interval) FROM rexecutor_declared_limits WHERE executor = value)
        ),
        coalesce(by_hand.rate_burst, (SELECT min(rate_burst) FROM rexecutor_declared_limits WHERE executor = value))
    FROM (SELECT '' AS value UNION ALL SELECT value FROM json_each(?3))
    LEFT JOIN rexecutor_set_limits AS by_hand ON by_hand.executor = value
)
SELECT
    named.executor, paused_at, paused_until, paused_by, pause_reason, max_running,
    CASE
        WHEN max_running IS NOT NULL THEN (
            SELECT count(*) FROM rexecutor_jobs INDEXED BY rexecutor_jobs_executing
            WHERE status = 'executing' AND executor = named.executor
        )
    END AS running,
    max_per_key, rate_interval, rate_burst, full_at, throttled_until
FROM named
LEFT JOIN rexecutor_controls AS control ON control.executor = named.executor
LEFT JOIN rexecutor_limits AS kept ON kept.executor = named.executor
