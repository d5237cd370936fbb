INSERT INTO rexecutor_job_errors (job, attempt, error_type, details, recorded_at)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4
FROM json_each(?1)
ORDER BY key
