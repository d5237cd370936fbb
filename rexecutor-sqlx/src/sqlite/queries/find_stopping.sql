-- Runs of all nodes that somebody asked to stop. INDEXED BY: see find_lost.sql.
SELECT id FROM rexecutor_jobs INDEXED BY rexecutor_jobs_stopping
WHERE status = 'executing' AND cancel_reason IS NOT NULL
ORDER BY id
