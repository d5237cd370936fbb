-- $1 numbers of flows, $2 up to how many jobs of each status are counted.
SELECT flow.id AS flow, status.name AS status, counted.jobs
FROM unnest($1::BIGINT []) AS flow (id)
CROSS JOIN unnest(ARRAY['blocked', 'scheduled', 'executing', 'retryable', 'complete', 'cancelled', 'discarded']) AS status (name)
CROSS JOIN LATERAL (
    SELECT count(*) AS jobs
    FROM (
        SELECT FROM {schema}.jobs
        WHERE jobs.flow = flow.id AND jobs.status = status.name
        LIMIT $2::BIGINT
    ) AS some
) AS counted
WHERE counted.jobs > 0
