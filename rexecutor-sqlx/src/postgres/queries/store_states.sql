-- What a change of status changes. An error is added to those that are there; for arrays of several dimensions see
-- quarantine_jobs.sql.
-- $14 what has happened by that, for those who listen, if they are told; $15 the test clock's time.
WITH told AS (
    UPDATE {schema}.jobs AS job
    SET
        status = new.status,
        attempt = new.attempt,
        lease = new.lease,
        scheduled_at = new.scheduled_at,
        node = new.node,
        cancel_reason = new.cancel_reason,
        deadline_at = new.deadline_at,
        marks = new.marks,
        line = new.line,
        output = new.output,
        finished_at = new.finished_at,
        errors = CASE
            WHEN new.error IS NULL THEN job.errors
            WHEN array_ndims(job.errors) > 1 THEN array_append(ARRAY(SELECT unnest(job.errors)), new.error)
            -- The first and the newest stay.
            WHEN cardinality(job.errors) >= {max_errors}
                THEN job.errors[:1] || job.errors[cardinality(job.errors) - {max_errors} + 3:] || new.error
            ELSE array_append(job.errors, new.error)
        END
    FROM unnest(
        $1::BIGINT [], $2::TEXT [], $3::INTEGER [], $4::TIMESTAMPTZ [], $5::BIGINT [], $6::TEXT [], $7::TIMESTAMPTZ [],
        $8::TEXT [], $9::INTEGER [], $10::TEXT [], $11::TIMESTAMPTZ [], $12::BIGINT [], $13::SMALLINT [],
        $14::TEXT []
    ) AS new (
        id, status, attempt, scheduled_at, node, cancel_reason, finished_at, error, marks, output, deadline_at, lease, line, kind
    )
    WHERE job.id = new.id
    RETURNING
        job.id, job.executor, job.attempt, job.tags, job.status, job.scheduled_at, job.cancel_reason, new.error, new.kind
)
{tell}
SELECT
    coalesce($15::TIMESTAMPTZ, clock_timestamp()), told.kind, told.id, told.executor, told.attempt, told.tags, NULL,
    CASE WHEN told.{pending} THEN told.scheduled_at END, told.error, told.cancel_reason
FROM told
WHERE told.kind IS NOT NULL AND {heard}
