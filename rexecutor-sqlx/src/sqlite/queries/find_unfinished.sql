-- Those of these jobs that are not finished.
SELECT id FROM rexecutor_jobs
WHERE id IN (SELECT value FROM json_each(?1)) AND status NOT IN ('complete', 'cancelled', 'discarded')
