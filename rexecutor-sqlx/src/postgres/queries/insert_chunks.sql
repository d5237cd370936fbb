-- $1 numbers of jobs, $2 leases, $3 the chunks' numbers in their runs, $4 attempts, $5 texts. A run whose job has been claimed again says
-- nothing any more. One that is there was stored by a call whose answer was lost.
INSERT INTO {schema}.chunks (job, lease, number, attempt, text)
SELECT run.job, run.lease, run.number, run.attempt, run.text
FROM unnest($1::BIGINT [], $2::BIGINT [], $3::BIGINT [], $4::INTEGER [], $5::TEXT []) AS run (job, lease, number, attempt, text)
WHERE EXISTS (SELECT FROM {schema}.jobs WHERE jobs.id = run.job AND jobs.lease = run.lease)
ORDER BY run.job, run.number
ON CONFLICT (job, lease, number) DO NOTHING
