-- How many jobs of each executor run on each node.
SELECT node, executor, count(*) AS jobs FROM rexecutor_jobs INDEXED BY rexecutor_jobs_executing
WHERE status = 'executing'
GROUP BY node, executor
