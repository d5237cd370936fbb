-- $1 the test clock's time, $2 numbers, $3 leases, $4 the places of the rows as the claims left them. A row that was
-- changed since stands elsewhere, or is as this says no more: it is left out here, and decided on under its lock. $5
-- whether the commit is not to wait for the disk, which the setting says for this transaction only.
-- CASE keeps the comparison with the runs a look-up in a hash table, and not a join. The status is compared in a way that
-- hides it from the index of the executing jobs, which looks empty to the planner.
UPDATE {schema}.jobs
SET
    status = 'complete', node = NULL,
    -- No run ends before it began, whoever has set the clock.
    finished_at = greatest(coalesce($1::TIMESTAMPTZ, clock_timestamp()), attempted_at)
WHERE ctid = ANY ($4::TEXT []::TID [])
    AND status || '' = 'executing' AND marks IS NULL
    AND CASE
        WHEN (id, lease) IN (SELECT run.id, run.lease FROM unnest($2::BIGINT [], $3::BIGINT []) AS run (id, lease))
            THEN TRUE
        ELSE FALSE
    END
    AND (SELECT CASE WHEN $5::BOOLEAN THEN set_config('synchronous_commit', 'off', TRUE) ELSE '' END) IS NOT NULL
RETURNING id
