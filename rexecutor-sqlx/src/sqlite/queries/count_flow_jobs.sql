-- ?1 a flow, ?2 a status, ?3 up to how many jobs are counted.
SELECT count(*) AS jobs FROM (SELECT 1 FROM rexecutor_jobs AS job WHERE job.flow = ?1 AND job.status = ?2 LIMIT 0 + ?3)
