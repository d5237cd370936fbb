-- Behind $3, in these statuses, $1, and of these executors, $2, if there are any; the bytes are those on the disk.
SELECT
    id,
    coalesce(pg_column_size(data), 0)::BIGINT + coalesce(pg_column_size(metadata), 0)
    + coalesce(pg_column_size(errors), 0) AS bytes
FROM {old_schema}.rexecutor_jobs
WHERE status = ANY ($1::TEXT []::{old_schema}.rexecutor_job_state [])
    AND (cardinality($2::TEXT []) = 0 OR executor = ANY ($2)) AND id > $3::INTEGER
ORDER BY id
LIMIT $4
