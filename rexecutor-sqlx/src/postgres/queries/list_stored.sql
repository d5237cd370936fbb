-- What is stored about executors, and about the whole cluster, whose row has no name. Limits that executors share have
-- rows of their own, under names that no executor has.
SELECT
    named.executor, control.paused_at, control.paused_until, control.paused_by, control.pause_reason,
    strictest.max_running, strictest.max_per_key, strictest.rate_interval, strictest.rate_burst, kept.full_at,
    kept.throttled_until, strictest.is_ordered, strictest.key_rate_interval, strictest.key_rate_burst, strictest.weighs, strictest.aging,
    breaker.opened_at, breaker.open_until, breaker.pause, breaker.reason,
    breaker.executor IS NOT NULL AND EXISTS (
        SELECT FROM {schema}.jobs AS job
        WHERE job.status = 'executing' AND job.executor = named.executor AND job.marks & {trial} <> 0
    ) AS is_tried,
    ARRAY(
        SELECT DISTINCT share.name
        FROM {schema}.declared_limits AS declared
        CROSS JOIN unnest(declared.shared) AS share (name)
        WHERE declared.executor = named.executor
    ) AS shared
FROM (
    SELECT executor FROM {schema}.controls
    UNION
    SELECT executor FROM {schema}.declared_limits
    UNION
    SELECT executor FROM {schema}.limits
    UNION
    SELECT executor FROM {schema}.breakers WHERE opened_at IS NOT NULL
) AS named
LEFT JOIN {schema}.controls AS control ON control.executor = named.executor
LEFT JOIN {schema}.limits AS kept ON kept.executor = named.executor
LEFT JOIN {schema}.breakers AS breaker ON breaker.executor = named.executor AND breaker.opened_at IS NOT NULL
LEFT JOIN {schema}.set_limits AS by_hand ON by_hand.executor = named.executor
CROSS JOIN LATERAL (
    -- As find_controls has it.
    SELECT
        coalesce(by_hand.max_running, min(declared.max_running)) AS max_running,
        coalesce(by_hand.max_per_key, min(declared.max_per_key)) AS max_per_key,
        coalesce(bool_or(declared.is_ordered), FALSE) AS is_ordered,
        coalesce(by_hand.rate_interval, max(declared.rate_interval)) AS rate_interval,
        coalesce(by_hand.rate_burst, min(declared.rate_burst)) AS rate_burst,
        coalesce(by_hand.key_rate_interval, max(declared.key_rate_interval)) AS key_rate_interval,
        coalesce(by_hand.key_rate_burst, min(declared.key_rate_burst)) AS key_rate_burst,
        coalesce(bool_or(declared.weighs), FALSE) AS weighs,
        min(declared.aging) AS aging
    FROM {schema}.declared_limits AS declared
    WHERE declared.executor = named.executor
) AS strictest
