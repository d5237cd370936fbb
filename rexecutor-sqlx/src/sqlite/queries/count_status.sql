-- {within} is a status. How many of the first ?1 jobs that have it are of each executor.
SELECT executor, count(*) AS jobs
FROM (SELECT executor FROM rexecutor_jobs WHERE {within} LIMIT max(0, ?1))
GROUP BY executor
