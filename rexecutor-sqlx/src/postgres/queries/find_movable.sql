-- Jobs that wait and stand for themselves, with numbers between $5 and $6, behind ($1, $2, $3, $4) in the order of the index. SKIP LOCKED:
-- somebody claims the others, or changes them.
SELECT
    job.id, job.executor, job.priority, job.scheduled_at AS due_at,
    octet_length(job.data)::BIGINT + coalesce(octet_length(job.metadata), 0)
    + coalesce((SELECT sum(octet_length(chunks.text))::BIGINT FROM {schema}.chunks WHERE chunks.job = job.id), 0)
    + coalesce((SELECT sum(octet_length(steps.output))::BIGINT FROM {schema}.steps WHERE steps.job = job.id), 0) AS bytes
FROM {schema}.jobs AS job
WHERE job.{pending}
    AND (job.executor, job.priority, job.scheduled_at, job.id) > ($1::TEXT, $2::INTEGER, $3::TIMESTAMPTZ, $4::BIGINT)
    AND job.id > $5 AND job.id <= $6
    AND job.flow IS NULL AND job.line IS NULL AND coalesce(job.marks, 0) & ~{movable} = 0 AND job.scheduled_at < {aside_from}
ORDER BY job.executor, job.priority, job.scheduled_at, job.id
LIMIT $7
FOR UPDATE SKIP LOCKED
