-- Completed jobs that are not kept.
DELETE FROM rexecutor_jobs
WHERE status = 'executing' AND marks IS NULL
    AND (id, lease) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?))
