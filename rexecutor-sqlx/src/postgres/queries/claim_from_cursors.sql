-- Resumes claiming where the last claim ended, in long queues. Parameters as in claim_jobs, but $5 is the one priority in
-- which to look. Whatever it does not find, and whether the node may claim at all, claim_jobs tells.
UPDATE {schema}.jobs
SET
    status = 'executing',
    attempt = least(attempt, 65534) + 1,
    lease = least(lease, 9223372036854775806) + 1,
    node = $2,
    attempted_at = (SELECT coalesce($1::TIMESTAMPTZ, clock_timestamp()))
WHERE ctid = ANY (ARRAY(
    SELECT job.tid
    FROM unnest($3::TEXT [], $4::BIGINT [], $5::INTEGER [], $6::TIMESTAMPTZ [], $7::BIGINT [])
        AS demand (executor, max_jobs, priority, after_at, after_id)
    CROSS JOIN LATERAL (
        SELECT job.ctid AS tid FROM {schema}.jobs AS job
        WHERE job.executor = demand.executor AND job.priority = demand.priority
            AND job.{pending}
            AND job.scheduled_at <= (SELECT coalesce($1::TIMESTAMPTZ, clock_timestamp()))
            AND (job.scheduled_at, job.id) > (demand.after_at, demand.after_id)
        ORDER BY job.scheduled_at, job.id
        LIMIT demand.max_jobs
        FOR UPDATE SKIP LOCKED
    ) AS job
    WHERE EXISTS (SELECT FROM {schema}.nodes WHERE id = $2 AND NOT is_outdated)
))
RETURNING
    {claimed},
    CASE
        WHEN octet_length(data) + coalesce(octet_length(metadata), 0) > {large}
            THEN ('rexecutor claims large jobs by their bytes, as job ' || id)::INTEGER::TEXT
        ELSE ctid::TEXT
    END AS location
