-- $2 the test clock's time. The runs whose node is no member, as far as this statement's snapshot knows, and the jobs that are
-- blocked or wait and whose deadline has come. SKIP LOCKED: somebody else decides about the rest.
SELECT lost.id
FROM (
    SELECT id FROM {schema}.jobs
    WHERE status = 'executing' AND NOT EXISTS (SELECT FROM {schema}.nodes WHERE nodes.id = jobs.node)
    ORDER BY id
    LIMIT $1
    FOR UPDATE SKIP LOCKED
) AS lost
UNION ALL
SELECT overdue.id
FROM (
    SELECT id FROM {schema}.jobs
    WHERE status IN ('blocked', 'scheduled', 'retryable')
        AND deadline_at <= (SELECT coalesce($2::TIMESTAMPTZ, clock_timestamp()))
    ORDER BY deadline_at
    LIMIT $1
    FOR UPDATE SKIP LOCKED
) AS overdue
