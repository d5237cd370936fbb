-- The runs of nodes that are no members. INDEXED BY: without it the planner, which knows no figures, reads every job in
-- the order of the numbers.
SELECT
    {states}
FROM rexecutor_jobs INDEXED BY rexecutor_jobs_executing
WHERE status = 'executing' AND (node IS NULL OR node NOT IN (SELECT id FROM rexecutor_nodes))
ORDER BY id
