-- {within} is a status. How many of the first $1 jobs that have it are of each executor.
SELECT job.executor, count(*) AS jobs
FROM (SELECT executor FROM {schema}.jobs WHERE {within} LIMIT $1) AS job
GROUP BY job.executor
