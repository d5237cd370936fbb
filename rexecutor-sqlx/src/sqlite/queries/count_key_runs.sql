-- How many jobs of the executor ?1 and the key ?2 run.
SELECT count(*) AS jobs FROM rexecutor_jobs INDEXED BY rexecutor_jobs_keyed_executing
WHERE executor = ?1 AND group_key = ?2 AND status = 'executing'
