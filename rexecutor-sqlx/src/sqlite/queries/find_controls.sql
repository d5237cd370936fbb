-- What is to be kept to about these executors, the JSON array ?3, about the limits that they share, and about the whole cluster, whose
-- row has no name: how they are paused, how many of their jobs may run at once, and how many do, how many of one key may, whether these
-- run one after another, how fast they may start, what they share, and how their circuit breakers are open. What runs is little: it is counted by reading it.
WITH asked (executor) AS (
    SELECT ''
    UNION
    SELECT value FROM json_each(?3)
    UNION
    SELECT share.value FROM rexecutor_declared_limits AS declared, json_each(declared.shared) AS share
    WHERE declared.executor IN (SELECT value FROM json_each(?3))
),
named (
    executor, max_running, max_per_key, is_ordered, rate_interval, rate_burst, key_rate_interval, key_rate_burst, weighs, aging, shared
) AS (
    SELECT
        asked.executor,
        -- What somebody has set holds, and else the strictest of what programs declare.
        coalesce(by_hand.max_running, (SELECT min(max_running) FROM rexecutor_declared_limits WHERE executor = asked.executor)),
        coalesce(by_hand.max_per_key, (SELECT min(max_per_key) FROM rexecutor_declared_limits WHERE executor = asked.executor)),
        (SELECT max(is_ordered) FROM rexecutor_declared_limits WHERE executor = asked.executor),
        coalesce(by_hand.rate_interval, (SELECT max(rate_interval) FROM rexecutor_declared_limits WHERE executor = asked.executor)),
        coalesce(by_hand.rate_burst, (SELECT min(rate_burst) FROM rexecutor_declared_limits WHERE executor = asked.executor)),
        coalesce(
            by_hand.key_rate_interval,
            (SELECT max(key_rate_interval) FROM rexecutor_declared_limits WHERE executor = asked.executor)
        ),
        coalesce(by_hand.key_rate_burst, (SELECT min(key_rate_burst) FROM rexecutor_declared_limits WHERE executor = asked.executor)),
        (SELECT max(weighs) FROM rexecutor_declared_limits WHERE executor = asked.executor),
        (SELECT min(aging) FROM rexecutor_declared_limits WHERE executor = asked.executor),
        (
            SELECT json_group_array(DISTINCT share.value)
            FROM rexecutor_declared_limits AS declared, json_each(declared.shared) AS share
            WHERE declared.executor = asked.executor
        )
    FROM asked
    LEFT JOIN rexecutor_set_limits AS by_hand ON by_hand.executor = asked.executor
)
SELECT
    named.executor, paused_at, paused_until, paused_by, pause_reason, max_running,
    CASE
        WHEN max_running IS NOT NULL THEN (
            SELECT count(*) FROM rexecutor_jobs INDEXED BY rexecutor_jobs_executing
            WHERE status = 'executing' AND executor IN (
                SELECT named.executor
                UNION ALL
                SELECT declared.executor FROM rexecutor_declared_limits AS declared, json_each(declared.shared) AS share
                WHERE share.value = named.executor
            )
        )
    END AS running,
    max_per_key, coalesce(is_ordered, 0) AS is_ordered, rate_interval, rate_burst, key_rate_interval,
    key_rate_burst, coalesce(weighs, 0) AS weighs, aging, full_at, throttled_until, shared, served_key,
    breaker.opened_at, breaker.open_until, breaker.pause, breaker.reason,
    breaker.executor IS NOT NULL AND EXISTS (
        SELECT 1 FROM rexecutor_jobs AS job INDEXED BY rexecutor_jobs_executing
        WHERE job.status = 'executing' AND job.executor = named.executor AND job.marks & {trial} <> 0
    ) AS is_tried
FROM named
LEFT JOIN rexecutor_controls AS control ON control.executor = named.executor
LEFT JOIN rexecutor_limits AS kept ON kept.executor = named.executor
LEFT JOIN rexecutor_breakers AS breaker ON breaker.executor = named.executor AND breaker.opened_at IS NOT NULL
