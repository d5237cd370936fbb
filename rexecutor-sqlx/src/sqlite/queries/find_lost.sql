-- The runs of nodes that are no members. INDEXED BY: without it the planner, which knows no figures, reads every job in
-- the order of the numbers.
SELECT
    id, executor, status, priority, scheduled_at, attempt, max_attempts, lease, node, inserted_at, attempted_at,
    completed_at, cancelled_at, discarded_at, cancel_reason, unique_key,
    '[]' AS tags, NULL AS metadata, '' AS data
FROM rexecutor_jobs INDEXED BY rexecutor_jobs_executing
WHERE status = 'executing' AND (node IS NULL OR node NOT IN (SELECT id FROM rexecutor_nodes))
ORDER BY id
