-- What a node runs, and whether somebody asked it to stop. INDEXED BY: see find_lost_jobs.sql.
SELECT id, lease, coalesce(marks, 0) & {stopping} <> 0 AS is_cancelled
FROM rexecutor_jobs INDEXED BY rexecutor_jobs_executing
WHERE status = 'executing' AND node = ?1
ORDER BY id
