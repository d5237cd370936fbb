-- How many jobs of each executor run on each node.
SELECT node, executor, count(*) AS jobs FROM {schema}.jobs
WHERE status = 'executing'
GROUP BY node, executor
