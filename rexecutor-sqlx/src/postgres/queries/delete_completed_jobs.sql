-- Completed jobs that are not kept; see complete_jobs.
DELETE FROM {schema}.jobs
WHERE ctid = ANY (ARRAY(
    SELECT job.tid
    FROM unnest($1::BIGINT [], $2::BIGINT []) AS run (id, lease)
    CROSS JOIN LATERAL (
        SELECT jobs.ctid AS tid FROM {schema}.jobs
        WHERE jobs.id = run.id AND jobs.lease = run.lease AND jobs.status || '' = 'executing'
            AND jobs.cancel_reason IS NULL
        FOR UPDATE
    ) AS job
))
RETURNING id
