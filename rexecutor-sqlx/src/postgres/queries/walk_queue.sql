-- $1 the test clock's time, $2 an executor whose jobs cost as many tokens as they weigh, $3 how many jobs to look at, $4 how many
-- priorities to step over, $5 in how many microseconds of waiting one rises by a priority; NULL: it does not. Due jobs in the order in
-- which they start.
--
-- In a claim it comes after lock_limits and is a statement of its own, as find_controls is.
WITH RECURSIVE present AS MATERIALIZED (
    SELECT coalesce($1::TIMESTAMPTZ, clock_timestamp()) AS now
),
-- The priorities are stepped over as in claim_jobs.
level (priority, step) AS (
    SELECT first.priority, 1::BIGINT
    FROM (
        SELECT job.priority FROM {schema}.jobs AS job
        WHERE job.executor = $2 AND job.{pending}
        ORDER BY job.priority, job.scheduled_at, job.id
        LIMIT 1
    ) AS first
    UNION ALL
    SELECT next.priority, level.step + 1
    FROM level
    CROSS JOIN LATERAL (
        SELECT job.priority FROM {schema}.jobs AS job
        WHERE job.executor = $2 AND job.{pending} AND job.priority > level.priority
        ORDER BY job.priority, job.scheduled_at, job.id
        LIMIT 1
    ) AS next
    WHERE level.step < $4::BIGINT
)
SELECT job.id, job.key, job.bytes, job.weight
FROM (
    SELECT job.*, each.priority
    FROM (SELECT level.priority FROM level ORDER BY level.priority) AS each
    CROSS JOIN LATERAL (
        SELECT
            job.id, job.scheduled_at, job.group_key AS key,
            octet_length(job.data)::BIGINT + coalesce(octet_length(job.metadata), 0) AS bytes, {weight} AS weight
        FROM {schema}.jobs AS job
        WHERE job.executor = $2 AND job.priority = each.priority AND job.{pending}
            AND job.scheduled_at <= (SELECT now FROM present)
        ORDER BY job.scheduled_at, job.id
        LIMIT $3::BIGINT
    ) AS job
    -- Without aging, those of the first priorities are enough.
    LIMIT CASE WHEN $5::BIGINT IS NULL THEN $3::BIGINT END
) AS job
ORDER BY
    CASE WHEN $5::BIGINT IS NULL THEN job.priority END,
    -- A damaged row must not fail the claim of the others.
    job.scheduled_at + greatest(0, least(job.priority, 65535)) * coalesce($5::BIGINT, 0) * INTERVAL '1 microsecond', job.id
LIMIT $3::BIGINT
