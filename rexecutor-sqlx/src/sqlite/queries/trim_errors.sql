-- Of the errors of each of these jobs the first and the newest stay.
DELETE FROM rexecutor_job_errors
WHERE job IN (SELECT value FROM json_each(?1))
    AND id > (SELECT min(first.id) FROM rexecutor_job_errors AS first WHERE first.job = rexecutor_job_errors.job)
    AND id <= (
        SELECT newer.id FROM rexecutor_job_errors AS newer
        WHERE newer.job = rexecutor_job_errors.job
        ORDER BY newer.id DESC
        LIMIT 1 OFFSET {max_errors} - 1
    )
