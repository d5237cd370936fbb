-- $1 numbers, $2 leases, $3 what the runs say. A run whose job has been claimed again says nothing any more. In the order of the
-- numbers, so that two of these do not wait for each other. $4 the test clock's time.
WITH said AS (
    INSERT INTO {schema}.progress AS old (job, lease, report)
    SELECT run.job, run.lease, run.report
    FROM unnest($1::BIGINT [], $2::BIGINT [], $3::TEXT []) AS run (job, lease, report)
    WHERE EXISTS (SELECT FROM {schema}.jobs WHERE jobs.id = run.job AND jobs.lease = run.lease)
    ORDER BY run.job
    ON CONFLICT (job) DO UPDATE SET lease = excluded.lease, report = excluded.report
    WHERE old.lease <= excluded.lease
    RETURNING job, report
)
{tell}
SELECT
    coalesce($4::TIMESTAMPTZ, clock_timestamp()), 'progress', told.id, told.executor, told.attempt, told.tags, NULL, NULL, NULL,
    said.report
FROM said
INNER JOIN {schema}.jobs AS told ON told.id = said.job
WHERE {heard}
