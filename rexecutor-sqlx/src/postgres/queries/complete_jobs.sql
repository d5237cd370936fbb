-- Found by an index look-up each and taken by place: a join by id may read the whole table. FOR UPDATE, because servers
-- before 2025 do not look again when a row that is taken by place changes meanwhile. Such a row is left out here, and
-- decided on afterwards, under its lock. The status is compared in a way that hides it from the index of the executing
-- jobs, which looks empty to the planner and would be walked once for every run.
UPDATE {schema}.jobs
SET status = 'complete', node = NULL, completed_at = coalesce($1::TIMESTAMPTZ, clock_timestamp())
WHERE ctid = ANY (ARRAY(
    SELECT job.tid
    FROM unnest($2::BIGINT [], $3::BIGINT []) AS run (id, lease)
    CROSS JOIN LATERAL (
        SELECT jobs.ctid AS tid FROM {schema}.jobs
        WHERE jobs.id = run.id AND jobs.lease = run.lease AND jobs.status || '' = 'executing'
            AND jobs.cancel_reason IS NULL
        FOR UPDATE
    ) AS job
))
RETURNING id
