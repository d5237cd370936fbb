-- What is stored about executors, and about the whole cluster, whose row has no name. Limits that executors share are no
-- executors.
SELECT
    named.executor, paused_at, paused_until, paused_by, pause_reason,
    coalesce(
        by_hand.max_running, (SELECT min(max_running) FROM rexecutor_declared_limits WHERE executor = named.executor)
    ) AS max_running,
    coalesce(
        by_hand.max_per_key, (SELECT min(max_per_key) FROM rexecutor_declared_limits WHERE executor = named.executor)
    ) AS max_per_key,
    coalesce(
        by_hand.rate_interval, (SELECT max(rate_interval) FROM rexecutor_declared_limits WHERE executor = named.executor)
    ) AS rate_interval,
    coalesce(
        by_hand.rate_burst, (SELECT min(rate_burst) FROM rexecutor_declared_limits WHERE executor = named.executor)
    ) AS rate_burst,
    full_at, throttled_until
FROM (
    SELECT executor FROM rexecutor_controls
    UNION
    SELECT executor FROM rexecutor_declared_limits
    UNION
    SELECT executor FROM rexecutor_limits
    UNION
    SELECT executor FROM rexecutor_set_limits
) AS named
LEFT JOIN rexecutor_controls AS control ON control.executor = named.executor
LEFT JOIN rexecutor_limits AS kept ON kept.executor = named.executor
LEFT JOIN rexecutor_set_limits AS by_hand ON by_hand.executor = named.executor
WHERE named.executor NOT LIKE 'limit:%'
