SELECT id, executor
FROM rexecutor_jobs
WHERE flow = ?1 AND status = ?2 AND id > ?3
ORDER BY id
LIMIT 0 + ?4
