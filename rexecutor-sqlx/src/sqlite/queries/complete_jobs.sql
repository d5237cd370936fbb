-- ?1: an array of [job, lease], ?2: now. The most frequent end of a run, in one statement.
UPDATE rexecutor_jobs
SET status = 'complete', node = NULL, completed_at = ?2
FROM json_each(?1) AS run
WHERE rexecutor_jobs.id = run.value ->> 0
    AND rexecutor_jobs.lease = run.value ->> 1
    AND rexecutor_jobs.status = 'executing'
    AND rexecutor_jobs.cancel_reason IS NULL
RETURNING rexecutor_jobs.id
