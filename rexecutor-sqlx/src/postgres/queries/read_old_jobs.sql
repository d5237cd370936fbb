-- $1 the test clock's time. Those of $2 that are still in these statuses, $3.
SELECT
    job.id, job.status::TEXT AS status, job.executor::TEXT AS executor, job.data::TEXT AS data,
    job.metadata::TEXT AS metadata, job.attempt, job.max_attempts, job.priority,
    -- Arrays of several dimensions, and those that begin elsewhere, are lists to us.
    ARRAY(SELECT unnest(job.tags)::TEXT) AS tags, ARRAY(SELECT unnest(job.errors)::TEXT) AS errors,
    job.inserted_at AS enqueued_at, job.scheduled_at AS due_at, job.attempted_at, job.completed_at, job.cancelled_at,
    job.discarded_at, coalesce($1::TIMESTAMPTZ, clock_timestamp()) AS now
FROM {old_schema}.rexecutor_jobs AS job
WHERE job.id = ANY ($2::INTEGER []) AND job.status = ANY ($3::TEXT []::{old_schema}.rexecutor_job_state [])
ORDER BY job.id
{lock}
