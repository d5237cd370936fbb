-- Found by an index look-up each and taken by place: a join by id may read the whole table. A row that changes meanwhile
-- is left out here, and decided on afterwards under a lock.
UPDATE {schema}.jobs
SET status = 'complete', node = NULL, completed_at = coalesce($1::TIMESTAMPTZ, clock_timestamp())
WHERE ctid = ANY (ARRAY(
    SELECT job.tid
    FROM unnest($2::BIGINT [], $3::BIGINT []) AS run (id, lease)
    CROSS JOIN LATERAL (
        SELECT jobs.ctid AS tid FROM {schema}.jobs
        WHERE jobs.id = run.id AND jobs.lease = run.lease AND jobs.status = 'executing'
            AND jobs.cancel_reason IS NULL
        OFFSET 0
    ) AS job
))
RETURNING id
