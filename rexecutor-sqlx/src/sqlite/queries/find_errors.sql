SELECT job, attempt, error_type, details, recorded_at
FROM rexecutor_job_errors
WHERE job IN (SELECT value FROM json_each(?1))
ORDER BY job, id
