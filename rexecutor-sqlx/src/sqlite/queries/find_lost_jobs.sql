-- The runs of nodes that are no members, and the jobs that are blocked or wait and whose deadline has come, at ?1. INDEXED BY:
-- without it the planner, which knows no figures, reads every job in the order of the numbers.
SELECT
    {states}
FROM rexecutor_jobs INDEXED BY rexecutor_jobs_executing
WHERE status = 'executing' AND (node IS NULL OR node NOT IN (SELECT id FROM rexecutor_nodes))
UNION ALL
SELECT
    {states}
FROM rexecutor_jobs INDEXED BY rexecutor_jobs_deadline
WHERE deadline_at <= ?1 AND (status = 'blocked' OR status = 'scheduled' OR status = 'retryable')
ORDER BY id
LIMIT 500
