-- Runs that somebody asked to stop, of one node or, for NULL, of all. INDEXED BY: see find_lost.sql.
SELECT id, lease FROM rexecutor_jobs INDEXED BY rexecutor_jobs_stopping
WHERE status = 'executing' AND cancel_reason IS NOT NULL AND (?1 IS NULL OR node = ?1)
ORDER BY id
