-- Runs of all nodes that somebody asked to stop. INDEXED BY: see find_lost_jobs.sql.
SELECT id FROM rexecutor_jobs INDEXED BY rexecutor_jobs_stopping
WHERE status = 'executing' AND marks IS NOT NULL AND marks & {stopping} <> 0
ORDER BY id
