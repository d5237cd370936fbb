-- Completed jobs that are not kept; see complete_runs. $1 numbers, $2 leases, $3 places, $4 whether not to wait.
DELETE FROM {schema}.jobs
WHERE ctid = ANY ($3::TEXT []::TID [])
    AND status || '' = 'executing' AND marks IS NULL
    AND CASE
        WHEN (id, lease) IN (SELECT run.id, run.lease FROM unnest($1::BIGINT [], $2::BIGINT []) AS run (id, lease))
            THEN TRUE
        ELSE FALSE
    END
    AND (SELECT CASE WHEN $4::BOOLEAN THEN set_config('synchronous_commit', 'off', TRUE) ELSE '' END) IS NOT NULL
RETURNING id
