-- What is not finished, by why it is not moved; jobs up to $1 have been copied before.
SELECT why, count(*) AS jobs
FROM (
    SELECT
        CASE
            WHEN status = 'executing' THEN 'executing'
            WHEN id <= $1 THEN 'copied'
            WHEN flow IS NOT NULL THEN 'in_flows'
            WHEN line IS NOT NULL THEN 'ordered'
            WHEN status = 'blocked' THEN 'blocked'
            WHEN scheduled_at >= {aside_from} THEN 'set_aside'
            WHEN coalesce(marks, 0) & ~{movable} <> 0 THEN 'awaited'
            ELSE 'new'
        END AS why
    FROM {schema}.jobs
    WHERE status IN ('blocked', 'scheduled', 'executing', 'retryable')
) AS job
GROUP BY why
