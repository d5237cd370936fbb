SELECT status, count(*) AS jobs
FROM rexecutor_jobs
WHERE flow = ?1
GROUP BY status
