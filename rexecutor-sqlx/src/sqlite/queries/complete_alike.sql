-- Runs of one lease, as most are: looked up by their numbers alone, which takes half the time.
UPDATE OR ROLLBACK rexecutor_jobs
SET status = 'complete', node = NULL, finished_at = max(?, coalesce(attempted_at, 0))
WHERE id IN (SELECT value FROM json_each(?)) AND lease = ? AND status = 'executing' AND marks IS NULL
