-- Runs that somebody asked to stop, of one node or, for NULL, of all.
SELECT id, lease FROM rexecutor_jobs
WHERE status = 'executing' AND cancel_reason IS NOT NULL AND (?1 IS NULL OR node = ?1)
ORDER BY id
