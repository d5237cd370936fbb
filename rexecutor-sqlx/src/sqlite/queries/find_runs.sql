-- What a node runs, and whether somebody asked it to stop. INDEXED BY: see find_lost.sql.
SELECT id, lease, cancel_reason IS NOT NULL AS is_cancelled
FROM rexecutor_jobs INDEXED BY rexecutor_jobs_executing
WHERE status = 'executing' AND node = ?1
ORDER BY id
