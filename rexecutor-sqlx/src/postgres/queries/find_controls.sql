-- $1 the test clock's time. What is to be kept to about these executors, $2, about the limits that they share, and about the whole
-- cluster, whose row has no name: how they are paused, how many of their jobs may run at once, and how many do, how many of one
-- key may, whether these run one after another, how fast they may start, what they share, and how their circuit breakers are
-- open, and whether a job that one has let through runs.
--
-- In a claim it comes after lock_limits and is a statement of its own: one that had waited for the lock itself would count
-- what ran before.
WITH RECURSIVE holder (node) AS (
    -- The nodes that hold runs, those that are dead among them: one look-up each.
    (
        SELECT job.node FROM {schema}.jobs AS job
        WHERE job.status = 'executing'
        ORDER BY job.node
        LIMIT 1
    )
    UNION ALL
    SELECT (
        SELECT job.node FROM {schema}.jobs AS job
        WHERE job.status = 'executing' AND job.node > holder.node
        ORDER BY job.node
        LIMIT 1
    )
    FROM holder
    WHERE holder.node IS NOT NULL
)
SELECT
    named.executor, control.paused_at, control.paused_until, control.paused_by, control.pause_reason,
    strictest.max_running,
    CASE
        WHEN strictest.max_running IS NOT NULL THEN (
            SELECT coalesce(sum(run.count), 0)::BIGINT
            FROM holder
            CROSS JOIN (
                SELECT named.executor
                UNION ALL
                SELECT DISTINCT sharer.executor FROM {schema}.declared_limits AS sharer
                WHERE named.is_shared AND named.executor = ANY (sharer.shared)
            ) AS member
            CROSS JOIN LATERAL (
                SELECT count(*) AS count FROM {schema}.jobs AS job
                WHERE job.status = 'executing' AND job.node = holder.node AND job.executor = member.executor
            ) AS run
        )
    END AS running,
    strictest.max_per_key, strictest.is_ordered, strictest.rate_interval, strictest.rate_burst,
    strictest.key_rate_interval, strictest.key_rate_burst, strictest.weighs, strictest.aging, kept.full_at,
    kept.throttled_until, breaker.opened_at, breaker.open_until, breaker.pause, breaker.reason,
    breaker.executor IS NOT NULL AND EXISTS (
        SELECT FROM holder
        CROSS JOIN {schema}.jobs AS job
        WHERE job.status = 'executing' AND job.node = holder.node AND job.executor = named.executor AND job.marks & {trial} <> 0
    ) AS is_tried,
    ARRAY(
        SELECT DISTINCT share.name
        FROM {schema}.declared_limits AS declared
        CROSS JOIN unnest(declared.shared) AS share (name)
        WHERE declared.executor = named.executor
    ) AS shared,
    CASE WHEN named.is_shared THEN kept.served_key END AS served,
    (SELECT coalesce($1::TIMESTAMPTZ, clock_timestamp())) AS now
FROM (
    SELECT '' COLLATE "C" AS executor, FALSE AS is_shared
    UNION ALL
    SELECT asked.executor, FALSE FROM unnest($2::TEXT []) AS asked (executor)
    UNION
    SELECT share.name, TRUE
    FROM {schema}.declared_limits AS declared
    CROSS JOIN unnest(declared.shared) AS share (name)
    WHERE declared.executor = ANY ($2)
) AS named
LEFT JOIN {schema}.controls AS control ON control.executor = named.executor
LEFT JOIN {schema}.limits AS kept ON kept.executor = named.executor
LEFT JOIN {schema}.breakers AS breaker ON breaker.executor = named.executor AND breaker.opened_at IS NOT NULL
LEFT JOIN {schema}.set_limits AS by_hand ON by_hand.executor = named.executor
CROSS JOIN LATERAL (
    -- What somebody has set holds, and else the strictest of what programs declare.
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
