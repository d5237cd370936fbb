-- {within} is a status. The next ?3 jobs that finished before ?1, or then and have a lower number than ?2; the last first.
SELECT id, finished_at AS at FROM rexecutor_jobs INDEXED BY rexecutor_jobs_finished
WHERE {within} AND finished_at <= ?1 AND (finished_at < ?1 OR id < ?2)
ORDER BY finished_at DESC, id DESC
LIMIT 0 + ?3
