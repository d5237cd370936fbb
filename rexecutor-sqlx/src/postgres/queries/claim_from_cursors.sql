-- Goes on claiming where the last claim ended, in long lines. Parameters as in claim_jobs, but $5 is the one priority in
-- which to look. Whatever it does not find, and whether the node is a member, claim_jobs tells.
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
        AS slot (executor, free, priority, after_at, after_id)
    CROSS JOIN LATERAL (
        SELECT job.ctid AS tid FROM {schema}.jobs AS job
        WHERE job.executor = slot.executor AND job.priority = slot.priority
            AND job.status IN ('scheduled', 'retryable')
            AND job.scheduled_at <= (SELECT coalesce($1::TIMESTAMPTZ, clock_timestamp()))
            AND (job.scheduled_at, job.id) > (slot.after_at, slot.after_id)
        ORDER BY job.scheduled_at, job.id
        LIMIT slot.free
        FOR UPDATE SKIP LOCKED
    ) AS job
    WHERE EXISTS (SELECT FROM {schema}.nodes WHERE id = $2)
))
RETURNING
    id, executor, status, data, metadata, attempt, max_attempts, priority, tags, errors, lease, node, cancel_reason,
    unique_key, inserted_at, scheduled_at, attempted_at, completed_at, cancelled_at, discarded_at, ctid::TEXT AS place
