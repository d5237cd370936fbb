-- What is stored about executors, and about the whole cluster, whose row has no name. Limits that executors share have
-- rows of their own, under names that no executor has.
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
    coalesce(
        by_hand.key_rate_interval,
        (SELECT max(key_rate_interval) FROM rexecutor_declared_limits WHERE executor = named.executor)
    ) AS key_rate_interval,
    coalesce(
        by_hand.key_rate_burst, (SELECT min(key_rate_burst) FROM rexecutor_declared_limits WHERE executor = named.executor)
    ) AS key_rate_burst,
    coalesce((SELECT max(weighs) FROM rexecutor_declared_limits WHERE executor = named.executor), 0) AS weighs,
    (SELECT min(aging) FROM rexecutor_declared_limits WHERE executor = named.executor) AS aging,
    full_at, throttled_until,
    coalesce((SELECT max(is_ordered) FROM rexecutor_declared_limits WHERE executor = named.executor), 0) AS is_ordered,
    (
        SELECT json_group_array(DISTINCT share.value)
        FROM rexecutor_declared_limits AS declared, json_each(declared.shared) AS share
        WHERE declared.executor = named.executor
    ) AS shared,
    breaker.opened_at, breaker.open_until, breaker.pause, breaker.reason,
    breaker.executor IS NOT NULL AND EXISTS (
        SELECT 1 FROM rexecutor_jobs AS job INDEXED BY rexecutor_jobs_executing
        WHERE job.status = 'executing' AND job.executor = named.executor AND job.marks & {trial} <> 0
    ) AS is_tried
FROM (
    SELECT executor FROM rexecutor_controls
    UNION
    SELECT executor FROM rexecutor_declared_limits
    UNION
    SELECT executor FROM rexecutor_limits
    UNION
    SELECT executor FROM rexecutor_breakers WHERE opened_at IS NOT NULL
    UNION
    SELECT executor FROM rexecutor_set_limits
) AS named
LEFT JOIN rexecutor_controls AS control ON control.executor = named.executor
LEFT JOIN rexecutor_limits AS kept ON kept.executor = named.executor
LEFT JOIN rexecutor_breakers AS breaker ON breaker.executor = named.executor AND breaker.opened_at IS NOT NULL
LEFT JOIN rexecutor_set_limits AS by_hand ON by_hand.executor = named.executor
